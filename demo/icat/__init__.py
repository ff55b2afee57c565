"""This package imitates the REST side of icat.server (6.2.0, 6.0.1, 5.0.1, 4.10), as recorded from running servers."""
