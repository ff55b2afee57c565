"""Whose leases are given back at a start: those of this machine's processes that run no more."""

import os
import subprocess
import sys
from datetime import UTC, datetime

from catalogue.database import open_database
from catalogue.leases import Leases
from pangate.owner import is_gone, own_name


def test_this_process_is_not_gone():
    assert not is_gone(own_name())
    assert not is_gone(f"{own_name()}/{os.getpid()}")


def test_a_process_that_has_ended_is_gone():
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    ).stdout.strip()
    machine = own_name().partition(":")[0]
    assert is_gone(f"{machine}:{ended}:abcd")


def test_of_other_machines_and_odd_names_nothing_is_known():
    assert not is_gone("another-machine:1:abcd")
    assert not is_gone("odd")
    assert not is_gone("")


def test_leases_of_the_gone_are_free_at_once_and_others_stay(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/t.sqlite", clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    try:
        leases = Leases(database)
        lost, kept = leases.acquire("a", "dead", 600), leases.acquire("b", "alive", 600)
        assert lost is not None
        assert kept is not None
        assert leases.acquire("a", "next", 60) is None
        assert leases.forget(lambda owner: owner == "dead") == 1
        taken = leases.acquire("a", "next", 60)
        assert taken is not None
        assert taken.fence > lost.fence
        assert leases.acquire("b", "next", 60) is None
    finally:
        database.close()
