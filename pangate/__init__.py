"""Roof: the command, its settings, and the wiring of the rooms below."""
