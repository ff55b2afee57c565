"""This file is the generations of an index in Elasticsearch: their names, which one is in use, how one is made, taken
and dropped.

A generation is two physical indexes, `<prefix>-v<format>-<stamp>-public` and `…-restricted`. Searches find the one in
use through the aliases `<prefix>-public` and `<prefix>-restricted`, which move in one atomic call. Writers go through
an alias of each index's own, so that a write to an index that is gone makes no new one.

Stamps only rise, whatever the clocks of several machines say. So what is older than the generation in use has been used and may go, and
what is newer is being built, or was when its builder was killed: whoever builds next drops it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from catalogue.index.elastic_client import Absent, Request, Steps
from catalogue.index.elastic_mapping import FORMAT, mappings, settings
from schema.errors import Misconfigured, Unavailable

SIDES = ("public", "restricted")
PLACED = "60s"  # so long a new index waits for its shards to start
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_.]{0,99}")
_NAME = re.compile(r"-v(\d{1,6})-(\d{14,20}-[0-9a-f]{8})-(?:public|restricted)$")


class Generation(msgspec.Struct, frozen=True):
    """One generation: `stem` is the common part of its indexes' names."""

    stem: str

    @property
    def public(self) -> str:
        """The index of what everybody may see."""
        return f"{self.stem}-public"

    @property
    def restricted(self) -> str:
        """The index of the rest."""
        return f"{self.stem}-restricted"

    @property
    def both(self) -> str:
        """Both, as a path names them."""
        return f"{self.public},{self.restricted}"

    @property
    def stamp(self) -> str:
        """What orders generations: when it was made, to the microsecond, and something of its own."""
        found = _NAME.search(self.public)
        moment, _, own = found[2].partition("-") if found else ("", "", "")
        return f"{moment:0<20}-{own}"

    @property
    def format(self) -> int:
        """The mapping version in the name."""
        found = _NAME.search(self.public)
        return int(found[1]) if found else 0


class Layout(msgspec.Struct, frozen=True):
    """What the indexes are called and made of. `template`: an index template of the same mapping is left in the cluster, for indexes
    that somebody else makes under our names."""

    prefix: str
    shards: int = 1
    replicas: int = 0
    template: bool = True

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise Misconfigured(
                f"{self.prefix!r} cannot begin the names of indexes. Use small letters, digits, full stops and underscores."
            )

    def alias(self, side: str) -> str:
        """The name searches use."""
        return f"{self.prefix}-{side}"

    @property
    def pattern(self) -> str:
        """All indexes of this prefix and format."""
        return f"{self.prefix}-v{FORMAT}-*"


def write_alias(index: str) -> str:
    """The name under which an index is written."""
    return f"{index}.write"


def current(layout: Layout) -> Steps[Generation | None]:
    """The generation in use, or None. Raises Misconfigured when it is of another format."""
    names = yield from _aliased(layout)
    if not names:
        return None
    # Two writers that both began an index leave two: everybody takes the newer one.
    return usable(max((Generation(name.rsplit("-", 1)[0]) for name in names), key=lambda one: one.stamp))


def of_index(layout: Layout, name: str) -> Generation | None:
    """The generation that an index belongs to, None when the name is none of ours."""
    ours = _NAME.search(name) and name.startswith(f"{layout.prefix}-")
    return Generation(name.rsplit("-", 1)[0]) if ours else None


def usable(generation: Generation) -> Generation:
    """The generation itself. Raises Misconfigured when it is of another format."""
    if generation.format != FORMAT:
        raise Misconfigured(
            f"The index {generation.stem} has mapping version {generation.format}, this pangate needs {FORMAT}. "
            "Build it anew: pangate rebuild."
        )
    return generation


def _aliased(layout: Layout) -> Steps[list[str]]:
    try:
        found = yield Request("GET", f"/_alias/{layout.alias('public')}")
    except Absent:
        return []
    return [name for name in found if of_index(layout, name)]


def created(layout: Layout) -> Steps[Generation]:
    """A new, empty generation that no search sees yet, newer than all there are. Its shards have started. Raises Unavailable."""
    known = [int(one.stamp.split("-")[0]) + 1 for one in (yield from everything(layout))]
    moment = max([int(f"{datetime.now(UTC):%Y%m%d%H%M%S%f}"), *known])
    generation = Generation(f"{layout.prefix}-v{FORMAT}-{moment}-{uuid4().hex[:8]}")
    for index in (generation.public, generation.restricted):
        made = {
            "settings": {"index": settings(layout.shards, layout.replicas)},
            "mappings": mappings(),
            "aliases": {write_alias(index): {}},
        }
        answer = yield Request("PUT", f"/{index}", made, {"timeout": PLACED}, patient=True)
        if answer.get("shards_acknowledged") is False:
            yield from dropped([generation])
            raise Unavailable(
                f"Elasticsearch has found no node for the shards of a new index in {PLACED}. See its _cluster/allocation/explain "
                "(a full disk, mostly)."
            )
    return generation


def template(layout: Layout) -> Request:
    """The index template that gives our mapping to whatever is made under our names."""
    body = {
        "index_patterns": [layout.pattern],
        "priority": 300,
        "version": FORMAT,
        "template": {"settings": {"index": settings(layout.shards, layout.replicas)}, "mappings": mappings()},
    }
    return Request("PUT", f"/_index_template/{layout.prefix}-v{FORMAT}", body, patient=True)


def taken(layout: Layout, generation: Generation) -> Steps[list[Generation]]:
    """From now on searches use this generation; those used before. One atomic call."""
    before = yield from _aliased(layout)
    olds = sorted({Generation(name.rsplit("-", 1)[0]) for name in before} - {generation}, key=lambda old: old.stem)
    actions: list[dict[str, Any]] = [
        {"remove": {"index": f"{old.stem}-{side}", "alias": layout.alias(side), "must_exist": False}}
        for old in olds
        for side in SIDES
    ]
    actions += [{"add": {"index": f"{generation.stem}-{side}", "alias": layout.alias(side)}} for side in SIDES]
    yield Request("POST", "/_aliases", {"actions": actions}, patient=True)
    return olds


def everything(layout: Layout) -> Steps[list[Generation]]:
    """All generations of this prefix, of any format, oldest first."""
    found = yield Request(
        "GET", f"/{layout.prefix}-v*", None, {"filter_path": "*.settings.index.uuid", "expand_wildcards": "all"}
    )
    stems = {name.rsplit("-", 1)[0] for name in found if _NAME.search(name)}
    return sorted((Generation(stem) for stem in stems), key=lambda one: one.stamp)


def outdated(layout: Layout) -> Steps[list[Generation]]:
    """Those older than the one in use: never one that is being built."""
    used = {name.rsplit("-", 1)[0] for name in (yield from _aliased(layout))}
    newest = max((Generation(stem).stamp for stem in used), default="")
    return [one for one in (yield from everything(layout)) if one.stamp < newest and one.stem not in used]


def readable(layout: Layout) -> Steps[list[Generation]]:
    """The one in use and those before it, newest first: none that is being built, whose shards may not be there yet."""
    newest = max((Generation(name.rsplit("-", 1)[0]).stamp for name in (yield from _aliased(layout))), default="")
    return [one for one in reversed((yield from everything(layout))) if one.stamp <= newest]


def left_behind(layout: Layout) -> Steps[list[Generation]]:
    """Those newer than the one in use: builders that were killed, or that lost the right to build, left them."""
    there = yield from everything(layout)  # first: one that is swapped in meanwhile is then seen to be in use
    used = {name.rsplit("-", 1)[0] for name in (yield from _aliased(layout))}
    newest = max((Generation(stem).stamp for stem in used), default="")
    return [one for one in there if one.stamp > newest and one.stem not in used]


def dropped(generations: Iterable[Generation]) -> Steps[None]:
    """Delete these generations."""
    for generation in generations:
        yield Request("DELETE", f"/{generation.both}", None, {"ignore_unavailable": "true"}, patient=True)
