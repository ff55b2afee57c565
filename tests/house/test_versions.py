"""Version floors: what is installed and what is locked is not older than the newest flaw that was mended below it."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from house.houses import ROOT
from packaging.requirements import Requirement
from packaging.version import Version

FLOORS = {
    "graphql-core": "3.2.14",  # CVE-2026-75507, -75508 and four more: validation that a short query keeps busy for minutes
    "starlette": "1.3.1",  # CVE-2025-62727, CVE-2025-54121, CVE-2023-30798: ranges and forms that cost too much
    "urllib3": "2.7.0",  # CVE-2025-66418, -66471, CVE-2026-21441, -44432: decompression without bounds
    "requests": "2.33.0",  # CVE-2024-47081, CVE-2026-25645, CVE-2024-35195: credentials to the wrong host
    "lxml": "6.1.0",  # CVE-2026-41066: iterparse reads local files
    "pyjwt": "2.13.0",  # CVE-2026-48523, -32597, CVE-2022-29217: algorithms and critical headers
    "authlib": "1.6.4",  # CVE-2025-59420, CVE-2024-37568 (the demo's identity server uses it)
    "celery": "5.2.2",  # CVE-2021-23727: a result that runs code
    "jupyterhub": "4.1",  # GHSA-7r3h-4ph8-w38g: cookies of one session in another
}
CEILINGS = {"graphql-core": "3.3"}  # graphene does not go with it
LOCKS = ("requirements.lock", "requirements-test.lock")


def locked(name: str) -> dict[str, Version]:
    """The versions of a lock."""
    pins = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): Version(pin) for package, pin in pins}


@pytest.mark.parametrize("package", sorted(FLOORS))
def test_what_is_installed_is_at_or_above_its_floor(package: str) -> None:
    assert Version(version(package)) >= Version(FLOORS[package])


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_locked_is_at_or_above_its_floor(lock: str) -> None:
    pins = locked(lock)
    assert {package: str(pins[package]) for package in FLOORS if pins[package] < Version(FLOORS[package])} == {}
    assert {package: str(pins[package]) for package in CEILINGS if pins[package] >= Version(CEILINGS[package])} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_one_version_and_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    entries = [entry for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE) if not entry.startswith("#")]
    assert len(entries) > 100
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert [entry.splitlines()[0] for entry in entries if not re.match(r"[\w.\-\[\],]+==[\w.]+", entry)] == []


def test_both_locks_agree() -> None:
    smaller, larger = (locked(name) for name in LOCKS)
    assert {name: pin for name, pin in smaller.items() if larger.get(name) != pin} == {}


@pytest.mark.parametrize("wanted", ["requirements.in", "requirements-demo.in", "requirements-test.in"])
def test_every_wish_is_met_by_the_lock(wanted: str) -> None:
    pins = locked(LOCKS[1])
    lines = [line.partition("#")[0].strip() for line in (ROOT / wanted).read_text("utf-8").splitlines()]
    wishes = [Requirement(line) for line in lines if line and not line.startswith("-r")]
    assert wishes
    for wish in wishes:
        name = re.sub(r"[-_.]+", "-", wish.name).lower()
        assert name in pins, f"{name} is wanted in {wanted} and not locked: make lock"
        assert wish.specifier.contains(pins[name]), f"{wish} is locked at {pins[name]}: make lock"
