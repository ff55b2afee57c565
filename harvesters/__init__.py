"""Second floor: how records arrive."""
