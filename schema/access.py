"""This file is the two questions of access, kept apart: who sees a record, and what of its data is open.

Rules: design section 3, "Who sees a record".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


class Access(StrEnum):
    """What of the data is open. Never says who may see the record."""

    OPEN = "OPEN"
    EMBARGOED = "EMBARGOED"
    CLOSED = "CLOSED"
    METADATA_ONLY = "METADATA_ONLY"


class Visibility(msgspec.Struct, frozen=True, gc=False):
    """Who sees a record: everybody, everybody from an instant on, or the named groups (`facility:group`) only.

    `public_from` moves a record to the public by itself when its instant (UTC) comes; until then `groups` see it.
    """

    public: bool
    groups: tuple[str, ...] = ()
    public_from: datetime | None = None

    def is_public(self, now: datetime) -> bool:
        """Whether everybody may see the record at `now` (aware)."""
        return self.public or (self.public_from is not None and self.public_from <= now)


PUBLIC = Visibility(public=True)
HIDDEN = Visibility(public=False)


class Viewer(msgspec.Struct, frozen=True):
    """Who asks. `issuer` and `subject` name a signed-in person; both are empty for the anonymous viewer.

    `groups` are written `facility:group`; a person is also the group `facility:user:<name there>`.
    `claims` are the identity claims that a trigger's `user` setting may name (string claims only).
    """

    issuer: str = ""
    subject: str = ""
    name: str = ""
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    claims: dict[str, str] = {}

    @property
    def signed_in(self) -> bool:
        """Whether this is a person we know."""
        return bool(self.subject)

    @property
    def principal(self) -> str:
        """The stable key of this person: issuer and subject, never name or e-mail."""
        return f"{self.issuer}#{self.subject}" if self.subject else ""


ANONYMOUS = Viewer()


def visible(visibility: Visibility, viewer: Viewer, now: datetime) -> bool:
    """Whether `viewer` may see a record of that visibility at `now`. The only place that decides it."""
    return visibility.is_public(now) or not viewer.groups.isdisjoint(visibility.groups)


def access_at(access: Access, release: datetime | None, now: datetime) -> Access:
    """What of the data is open at `now`: an embargo ends with its release date."""
    ended = access is Access.EMBARGOED and release is not None and release <= now
    return Access.OPEN if ended else access


def pending(visibility: Visibility, access: Access, release: datetime | None, now: datetime) -> datetime | None:
    """The next instant after `now` at which one of the two questions gets another answer by itself, if any."""
    opens = release if access is Access.EMBARGOED else None
    shows = None if visibility.public else visibility.public_from
    return min((instant for instant in (opens, shows) if instant is not None and instant > now), default=None)


def covers(wide: Visibility, narrow: Visibility) -> bool:
    """Whether everybody who sees a record of `narrow` may see one of `wide`, both as decided for one instant (`public` alone
    counts): only then may the narrower record show something of the wider one."""
    return wide.public or (not narrow.public and set(narrow.groups) <= set(wide.groups))


def group(facility: str, name: str) -> str:
    """The written form of a facility's group."""
    return f"{facility}:{name}"


def user_group(facility: str, name: str) -> str:
    """The group that one person of a facility is."""
    return f"{facility}:user:{name}"


def groups_of(facility: str, names: Iterable[object]) -> tuple[str, ...]:
    """Group names as a source sends them (hostile: blanks, nulls, numbers) in written form, sorted, once each."""
    clean = (name.strip() for name in names if isinstance(name, str))
    return tuple(sorted({group(facility, name) for name in clean if name and len(name) <= 256}))
