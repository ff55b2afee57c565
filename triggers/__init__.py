"""Second floor: how analysis starts."""
