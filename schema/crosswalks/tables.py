"""This file is the shape of the crosswalk tables: every field of a source, where it goes, or why it does not."""

from __future__ import annotations

from typing import Literal

import msgspec

from schema.records import Kind

Like = Literal["text", "number", "whole", "time", "yes", "no", "doi", "orcid", "object"]


class Field(msgspec.Struct, frozen=True):
    """A field of the source by its path (`[]`: each member of a list). Either `to` says where it is found in our record, or `why`
    says why it is nowhere. `like` is the kind of value it holds; `shows` is what its value becomes when that is another text."""

    path: str
    to: str = ""
    why: str = ""
    like: Like = "text"
    shows: str = ""


class Table(msgspec.Struct, frozen=True):
    """One entity of a dialect: `entity` in the source's words, and the kind of record it becomes (None: it becomes none)."""

    dialect: str
    entity: str
    kind: Kind | None
    fields: tuple[Field, ...]


def kept(path: str, to: str, like: Like = "text", shows: str = "") -> Field:
    """A field that is found again in the record."""
    return Field(path, to=to, like=like, shows=shows)


def left(path: str, why: str) -> Field:
    """A field that is not, and the reason."""
    return Field(path, why=why)


def all_left(why: str, *paths: str) -> tuple[Field, ...]:
    """Several fields that are not, for one reason."""
    return tuple(left(path, why) for path in paths)


def details(prefix: str, *names: str, like: Like = "text") -> tuple[Field, ...]:
    """Fields kept as details under their own names."""
    return tuple(kept(f"{prefix}{name}", f"details ({name})", like) for name in names)
