"""This file is what is on offer for a dataset, and why not: from the federation file and kept rows, without asking a facility."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

from catalogue.ports import LaunchLedger
from schema.access import Access, Viewer
from schema.activities import Capabilities
from schema.federation import Choice, Facility, Federation, Trigger
from schema.records import Dataset, Document
from triggers.registry import KINDS, capabilities_of, platform_name

DAY = timedelta(days=1)

_PATH = re.compile(r"[^\x00-\x1f\x7f]{1,1024}")


class Reason(msgspec.Struct, frozen=True):
    """Why something is not on offer (`stops`), or what will be asked for."""

    code: str
    message: str
    link: str | None = None
    stops: bool = True


class Card(msgspec.Struct, frozen=True):
    """A trigger as it is shown. `key` is "facility/trigger"."""

    key: str
    facility: str
    kind: str
    name: str
    capabilities: Capabilities


class Option(msgspec.Struct, frozen=True):
    """What one trigger offers for a dataset."""

    trigger: Card
    available: bool
    reasons: tuple[Reason, ...]
    procedures: tuple[Choice, ...]
    environments: tuple[Choice, ...]
    typical_seconds: int | None


def cards(federation: Federation, facility: str | None = None) -> list[Card]:
    """The enabled triggers, in the file's order."""
    return [
        _card(key, home, trigger)
        for key, (home, trigger) in federation.triggers().items()
        if facility is None or home.id == facility
    ]


def options(
    document: Document, viewer: Viewer, ledger: LaunchLedger, federation: Federation, now: datetime
) -> list[Option]:
    """What the triggers of a dataset's home facility offer this viewer. The caller has made sure that the viewer sees the dataset."""
    dataset = document.record
    if not isinstance(dataset, Dataset):
        return []
    return [
        option(key, home, trigger, reasons(key, home, trigger, dataset, viewer, ledger, now), ledger)
        for key, (home, trigger) in federation.triggers().items()
        if home.id == dataset.facility
    ]


def option(key: str, home: Facility, trigger: Trigger, found: list[Reason], ledger: LaunchLedger) -> Option:
    """One trigger's offer."""
    return Option(
        trigger=_card(key, home, trigger),
        available=not any(reason.stops for reason in found),
        reasons=tuple(found),
        procedures=with_default(trigger.procedures),
        environments=with_default(trigger.environments),
        typical_seconds=ledger.typical_seconds(key),
    )


def reasons(
    key: str, home: Facility, trigger: Trigger, dataset: Dataset, viewer: Viewer, ledger: LaunchLedger, now: datetime
) -> list[Reason]:
    """Everything that speaks against a launch there, and what will be asked for."""
    found = [unsupported(trigger), site_down(key, home, trigger, ledger), no_data(dataset), no_path(trigger, dataset)]
    if viewer.signed_in:
        found += [no_account(home, trigger, viewer), quota(key, home, trigger, viewer, ledger, now)]
    else:
        found.append(Reason("SIGN_IN_NEEDED", "Sign in to analyse this dataset."))
    return [reason for reason in found if reason is not None] + access(home, dataset)


def unsupported(trigger: Trigger) -> Reason | None:
    """A kind without adapter."""
    if trigger.kind in KINDS:
        return None
    message = f"Platforms of the kind {trigger.kind} cannot be started from here yet; the link leads to the facility's own page."
    return Reason("UNSUPPORTED", message, trigger.url)


def site_down(key: str, home: Facility, trigger: Trigger, ledger: LaunchLedger) -> Reason | None:
    """A platform that did not answer when last looked at."""
    state = ledger.capability(key)
    if state is None or state.up:
        return None
    since = state.at.strftime("%Y-%m-%d %H:%M UTC")
    message = f"{platform_name(home, trigger)} is not available since {since}. {state.message}".rstrip()
    return Reason("SITE_DOWN", message, trigger.url)


def no_data(dataset: Dataset) -> Reason | None:
    """A record without data."""
    if dataset.access is not Access.METADATA_ONLY:
        return None
    return Reason(
        "NO_DATA", "Only the description of this dataset exists at the facility; there are no files to analyse."
    )


def no_path(trigger: Trigger, dataset: Dataset) -> Reason | None:
    """A dataset that lies where sessions cannot reach it."""
    if not trigger.paths or path_of(trigger, dataset) is not None:
        return None
    return Reason("NO_PATH", "This dataset does not lie where sessions of this platform can reach it.", trigger.url)


def no_account(home: Facility, trigger: Trigger, viewer: Viewer) -> Reason | None:
    """A person whose sign-in does not name an account there."""
    if viewer.claims.get(trigger.user):
        return None
    message = f"Your sign-in does not tell which account is yours at {home.shortName or home.name}."
    return Reason("AUTH_REQUIRED", f"{message} Link your account there, then sign in again.", trigger.url)


def quota(
    key: str, home: Facility, trigger: Trigger, viewer: Viewer, ledger: LaunchLedger, now: datetime
) -> Reason | None:
    """A person who has as much as is allowed."""
    mine = ledger.alive(trigger=key, principal=viewer.principal)
    name = platform_name(home, trigger)
    if len(mine) >= trigger.limits.open:
        return Reason(
            "QUOTA", f"You have {len(mine)} sessions at {name}, as many as are allowed at once. End one first."
        )
    if ledger.started_since(viewer.principal, now - DAY) >= trigger.limits.daily:
        return Reason(
            "QUOTA", f"You have started {trigger.limits.daily} sessions within a day, as many as are allowed."
        )
    return None


def access(home: Facility, dataset: Dataset) -> list[Reason]:
    """What will be asked for: whoever sees the record may start, and the home site decides about the files."""
    site = home.shortName or home.name
    asked = Reason("ACCESS", f"{site} will check that you may read these files.", stops=False)
    if dataset.access is Access.EMBARGOED:
        until = f" until {dataset.release:%Y-%m-%d}" if dataset.release else ""
        return [Reason("EMBARGOED", f"The data are under embargo{until}.", stops=False), asked]
    return [asked] if dataset.access is Access.CLOSED else []


def path_of(trigger: Trigger, dataset: Dataset) -> str | None:
    """The dataset's path inside a session by the trigger's first rule that fits whole parts of it; None when none does. A location
    that steps upwards or holds control characters is no path."""
    location = dataset.location or ""
    if _PATH.fullmatch(location) is None or ".." in location.split("/"):
        return None
    for rule in trigger.paths:
        start = rule.from_.rstrip("/")
        if location == start or location.startswith(start + "/"):
            return (rule.to.rstrip("/") + location[len(start) :]) or "/"
    return None


def with_default(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """The choices with exactly one default: the first that says so, else the first."""
    if not choices:
        return choices
    chosen = next((choice for choice in choices if choice.default), choices[0])
    return tuple(choice.model_copy(update={"default": choice is chosen}) for choice in choices)


def _card(key: str, home: Facility, trigger: Trigger) -> Card:
    return Card(key, home.id, trigger.kind, platform_name(home, trigger), capabilities_of(trigger))
