"""This file is which test files take longest: they are begun first, so that at the end no core waits for one of them alone.

Longest first, by the seconds of `pytest --durations=0` on two cores (half a minute and more); what is new and long is put in by hand.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
LONGEST = (
    "harvesters/test_histories_icat.py",
    "harvesters/test_histories_scicat.py",
    "crash/test_house_crashes.py",
    "benchmarks/test_quick.py",
    "profile/test_journey.py",
    "profile/test_twice.py",
    "profile/test_faults.py",
    "harvesters/test_scicat.py",
    "demo/test_hub.py",
    "harvesters/test_icat.py",
    "profile/test_engine_faults.py",
    "profile/test_tls_engine.py",
    "profile/test_endings.py",
    "crash/test_server_crashes.py",
    "journeys/test_journey.py",
    "catalogue/index/test_elastic.py",
    "catalogue/index/test_engines.py",
    "pangate/test_cli.py",
    "crash/test_disk_faults.py",
    "profile/test_proxy.py",
    "catalogue/index/test_newest.py",
    "triggers/test_jupyterhub_real.py",
    "catalogue/index/test_swaps.py",
    "conformance/test_dcat_ap.py",
    "catalogue/index/test_elastic_faults.py",
    "schema/crosswalks/test_laws.py",
    "catalogue/test_crashes.py",
    "two_worlds/test_two_worlds.py",
)
_TURN = {TESTS / name: turn for turn, name in enumerate(LONGEST)}


def longest_first(items: list[pytest.Item]) -> None:
    """Bring the tests of the longest files to the front; the order within a file, and of all other files, stays."""
    items.sort(key=lambda item: _TURN.get(item.path, len(LONGEST)))
