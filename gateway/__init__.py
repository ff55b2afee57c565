"""Second floor: how the world asks."""
