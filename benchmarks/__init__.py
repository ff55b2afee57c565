"""This package is the measurements: ratios within one run, never timed tests."""
