"""This file is `pangate doctor`: what is wrong with the settings, the federation file, the stores, the endpoints and the versions, in
plain words with the remedy. It changes nothing at a facility."""

from __future__ import annotations

import difflib
import importlib.metadata
import os
import pyexpat
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import msgspec

from catalogue import disk
from gateway.provider import Client, Provider
from harvesters.registry import KINDS as SOURCE_KINDS
from pangate.house import House, open_house
from pangate.parted import shared
from pangate.progress import probe
from pangate.settings import Settings, read_file, read_settings
from pangate.tasks import depths
from pangate.wake import Waker
from schema.errors import Misconfigured, PangateError
from schema.federation import Federation, Login
from triggers import outlook
from triggers.registry import KINDS as TRIGGER_KINDS

FLOORS = {
    "graphql-core": (3, 2, 14),
    "starlette": (1, 3, 1),
    "urllib3": (2, 7, 0),
    "requests": (2, 33, 0),
    "lxml": (6, 1, 0),
    "PyJWT": (2, 13, 0),
    "celery": (5, 2, 2),
}
"""The oldest release of each library without a known fault that matters here (reliability reference, section 1)."""
_SECRETS = frozenset(
    f"PANGATE_{name}"
    for name in [
        *("SECRET", "OIDC_CLIENT_SECRET", "DATABASE_PASSWORD", "BROKER_PASSWORD"),
        *("INDEX_USER", "INDEX_PASSWORD", "INDEX_API_KEY"),
    ]
)
_EXPAT = (2, 6, 2)
_FREE, _NONE = 1 << 30, 1 << 20
_CROWD = 500
_APART_S = 2.0


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `grade`: good, warning or fault."""

    what: str
    grade: str
    message: str


def examine(ask: bool) -> Iterator[Finding]:
    """Everything, in the order in which one thing rests on another; with `ask` the endpoints are asked too."""
    yield from _versions()
    settings = yield from _settings()
    if settings is None:
        return
    yield from _unknown()
    federation = yield from _federation(settings)
    if federation is None:
        return
    yield from _kinds(federation)
    try:
        with open_house(settings, write_index=False) as house:
            yield from _stores(house)
            yield from _clock(house)
            yield from _broker(house)
            yield from _secrets(house)
            if ask:
                yield from _endpoints(house)
    except PangateError as error:
        yield Finding("stores", "fault", error.message)


def _versions() -> Iterator[Finding]:
    for name, floor in FLOORS.items():
        found = importlib.metadata.version(name)
        if _number(found) < floor:
            wanted = ".".join(str(part) for part in floor)
            yield Finding(name, "fault", f"{name} {found} has known faults; install {wanted} or newer (make install).")
    if pyexpat.version_info < _EXPAT:
        version = ".".join(str(part) for part in pyexpat.version_info)
        yield Finding(
            "expat",
            "warning",
            f"Python carries expat {version}; foreign XML never goes through it here, but update Python.",
        )
    yield Finding("versions", "good", f"Python {sys.version.split()[0]} and the libraries were looked at.")


def _settings() -> Generator[Finding, None, Settings | None]:
    try:
        settings = read_settings()
    except Misconfigured as error:
        yield Finding("settings", "fault", error.message)
        return None
    yield Finding("settings", "good", f"The public address is {settings.public_url}.")
    if settings.oidc_issuer is None:
        yield Finding(
            "sign-in", "warning", "Nobody can sign in, so nobody can analyse: set PANGATE_OIDC_ISSUER and its client."
        )
    if settings.operators is None:
        yield Finding(
            "operators", "warning", "Nobody may see rejects or harvest from the page: set PANGATE_OPERATORS to a group."
        )
    yield from _disk(settings)
    return settings


def _unknown() -> Iterator[Finding]:
    """Variables that look like settings and are none: nobody reads them."""
    known = {f"PANGATE_{name.upper()}" for name in Settings.model_fields} | _SECRETS
    known |= {f"{name}_FILE" for name in _SECRETS}
    for name in sorted(os.environ):
        if name.startswith("PANGATE_") and name not in known:
            like = difflib.get_close_matches(name, known, 1)
            meant = f"Is {like[0]} meant?" if like else "docs/operator.md lists them all."
            yield Finding("settings", "warning", f"{name} is set, and there is no such setting. {meant}")


def _disk(settings: Settings) -> Iterator[Finding]:
    places = {"PANGATE_DATA": settings.data}
    if settings.index_url is None:
        places["the search index"] = settings.index_folder
    if settings.database_url.startswith("sqlite:///"):
        places["the database"] = Path(settings.database_url.removeprefix("sqlite:///")).parent
    seen: set[int] = set()
    for what, place in places.items():
        there = next(each for each in (place.absolute(), *place.absolute().parents) if each.exists())
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(there).free
        if free < _NONE:
            yield Finding("disk", "fault", disk.failed(what, disk.FULL).message)
        elif free < _FREE:
            yield Finding("disk", "warning", f"Only {free >> 20} MiB are free where {what} lies.")


def _federation(settings: Settings) -> Generator[Finding, None, Federation | None]:
    try:
        federation = read_file(settings)
    except Misconfigured as error:
        for line in error.message.splitlines():
            yield Finding("federation file", "fault", line)
        return None
    on = [facility.id for facility in federation.facilities if facility.enabled]
    off = len(federation.facilities) - len(on)
    grade = "good" if on else "warning"
    named = f"1 facility is switched on ({on[0]})" if len(on) == 1 else f"{len(on)} facilities are switched on"
    named += f" ({', '.join(on)})" if len(on) > 1 else ""
    yield Finding("federation file", grade, f"{named}, {off} {'is' if off == 1 else 'are'} not.")
    return federation


def _kinds(federation: Federation) -> Iterator[Finding]:
    for name, (_, source) in federation.sources().items():
        if source.kind not in SOURCE_KINDS:
            there = ", ".join(SOURCE_KINDS)
            yield Finding(name, "fault", f"There is no harvester of the kind {source.kind}; there are: {there}.")
    for name, (_, trigger) in federation.triggers().items():
        if trigger.kind not in TRIGGER_KINDS:
            there = ", ".join(TRIGGER_KINDS)
            yield Finding(
                name, "warning", f"There is no adapter for platforms of the kind {trigger.kind}; there are: {there}."
            )


def _stores(house: House) -> Iterator[Finding]:
    head, mark = house.truth.head(), house.index.mark()
    yield Finding("records", "good", f"{house.truth.count():,} records are kept.")
    if mark < head:
        yield Finding(
            "index",
            "warning",
            f"The index is {head - mark:,} changes behind; pangate serve brings it up, or pangate rebuild.",
        )
    else:
        yield Finding("index", "good", "The index holds every change.")


def _clock(house: House) -> Iterator[Finding]:
    """Leases end by each machine's own clock: all are held against the one of the database, which they share."""
    if house.settings.database_url.startswith("sqlite"):
        return
    before, there, after = house.clock(), house.database.server_time(), house.clock()
    apart = max(before - there, there - after).total_seconds()
    if apart > _APART_S:
        way = "ahead of" if there < before else "behind"
        yield Finding(
            "clock",
            "warning",
            f"The clock here is {apart:,.0f} s {way} PostgreSQL's: leases end too early or too late. "
            "Have NTP set the clocks of all machines (chrony or systemd-timesyncd).",
        )
    else:
        yield Finding("clock", "good", "The clock here agrees with PostgreSQL's.")


def _broker(house: House) -> Iterator[Finding]:
    """With a broker this is the second profile: its other settings must fit, and wake-ups must be taken by somebody."""
    if house.settings.broker is None:
        return
    try:
        shared(house.settings)
        waiting = depths(Waker(house.settings).app)
    except PangateError as error:
        yield Finding("broker", "fault", error.message)
        return
    told = ", ".join(f"{count:,} for {queue}" for queue, count in waiting.items())
    if max(waiting.values()) > _CROWD:
        yield Finding("broker", "warning", f"Many wake-ups wait ({told}): is there a pangate worker for each queue?")
    else:
        yield Finding("broker", "good", f"The broker answers; wake-ups that wait: {told}.")


def _secrets(house: House) -> Iterator[Finding]:
    logins: list[tuple[str, Login | None]] = [
        (name, source.login) for name, (_, source) in house.federation.sources().items()
    ]
    logins += [(name, trigger.login) for name, (_, trigger) in house.federation.triggers().items()]
    names = [(where, name) for where, login in logins if login for name in (login.password, login.token) if name]
    if house.settings.oidc_issuer:
        names.append(("sign-in", "PANGATE_OIDC_CLIENT_SECRET"))
    for where, name in names:
        try:
            house.environment.secret(name)
        except Misconfigured as error:
            yield Finding(where, "fault", error.message)


def _endpoints(house: House) -> Iterator[Finding]:
    for name, (_, source) in house.federation.sources().items():
        if source.kind in SOURCE_KINDS:
            yield _asked(name, lambda name=name: _source(house, name))  # type: ignore[misc]
    for platform in house.platforms.values():
        state = outlook.look(platform, house.launches, house.clock)
        said = _with_remedy(state.message, "apiUrl (or url)")
        message = f"{platform.name} answers (version {state.version})." if state.up else said
        yield Finding(platform.key, "good" if state.up else "fault", message)
    issuer = house.settings.oidc_issuer
    if issuer:
        yield _asked("sign-in", lambda: _provider(issuer))


def _asked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "good", look())
    except PangateError as error:
        return Finding(what, "fault", error.message)


def _source(house: House, name: str) -> str:
    found = probe(house, name)
    if not found["ok"]:
        raise Misconfigured(_with_remedy(found["message"], "url"))
    counts = ", ".join(f"{count:,} {kind}s" for kind, count in found["counts"].items())
    return f"{found['message']} We are {found['identity'] or 'nobody'} there; {counts or 'it does not count'}."


def _with_remedy(message: str, key: str) -> str:
    """What a site's silence calls for, where the sentence does not say so itself."""
    if "not answer" not in message:
        return message
    return f"{message} See that it runs and can be reached from here, or correct its {key} in the federation file."


def _provider(issuer: str) -> str:
    url, _ = Provider(Client(issuer.rstrip("/"), "doctor", "", "http://127.0.0.1/")).begin("doctor", "doctor")
    return f"The identity provider answers at {url.partition('?')[0]}."


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
