"""Ground floor: what things are. No network, no clock, no environment."""
