"""A stand-in of the SciCat backend, releases 5.2.1 and 4.25.0, as recorded from real servers in 2026.

How that is known: replies of both releases recorded with the SciCat project's own seed data (compared in
tests/demo/test_scicat_recordings.py), and the facts of harvest-sources.md section 1 that were observed on running servers. What is
imitated without such a ground is marked "assumed" where it stands.
"""
