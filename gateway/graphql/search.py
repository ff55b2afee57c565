"""This file is the line of a search: arguments, query tree, one call of the index, a page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalogue.query import Found, Hit, Scope, Search, Sort
from gateway.graphql import cursors, facets, filters, shape
from gateway.graphql.context import Context
from gateway.graphql.quantities import Quantities
from gateway.limits import at_most
from schema import text
from schema.errors import BadInput, Unauthenticated, Unavailable
from schema.records import Kind

_HIGHLIGHTED = (
    "title", "name", "description", "abstract", "formula", "investigation", "keywords", "techniques", "instruments",
    "samples", "people",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """An answer on its way out."""

    search: Search
    found: Found
    wanted: tuple[facets.Wanted, ...]
    after: str | None


@dataclass(frozen=True)
class Edge:
    """A hit on its way out, decoded once; `question` is the digest of its page's, made once for all of its cursors."""

    hit: Hit
    node: shape.Stored
    search: Search
    question: str


async def run(context: Context, kind: Kind, given: Mapping[str, Any]) -> Page:
    """The page that the arguments of a list ask for; explicit null is the default.

    Raises BadInput, LimitExceeded, Unauthenticated, CursorInvalid, CursorExpired, Unavailable.
    """
    scope = _scope(given.get("scope"), context)
    asked = text.parse(given.get("query") or "")
    quantities = Quantities(context, scope)
    wanted = await facets.wanted(given.get("facets"), context, quantities)
    search = Search(
        kind=kind,
        scope=scope,
        groups=context.viewer.groups if scope is Scope.MINE else frozenset(),
        asked=asked,
        clauses=await filters.clauses(given.get("filter"), context, quantities),
        facets=tuple(each.wish for each in wanted),
        sort=_sort(given.get("sort"), asked),
        first=size(given.get("first"), context),
    )
    after = given.get("after")
    if after is not None:
        position = cursors.unseal_position(context.settings.cursor_key, search, after)
        search = _behind(search, position)
    return Page(search, await _found(search, context), tuple(wanted), after)


async def _found(search: Search, context: Context) -> Found:
    try:
        async with asyncio.timeout(context.limits.search_s):
            return await context.reader.search(search)
    except TimeoutError:
        raise Unavailable("The search took too long. Ask again in a moment, or ask for less.") from None


def _behind(search: Search, position: Any) -> Search:
    return Search(**{**{name: getattr(search, name) for name in search.__struct_fields__}, "after": position})


def _scope(given: Any, context: Context) -> Scope:
    scope = Scope(str(getattr(given, "value", given or "PUBLIC")))
    if scope is Scope.MINE and not context.viewer.signed_in:
        raise Unauthenticated("Sign in to search what is open to you alone.")
    return scope


def _sort(given: Any, asked: text.Asked) -> Sort:
    sort = Sort(str(getattr(given, "value", given or "RELEVANCE")))
    worded = asked.words or asked.phrases
    return Sort.NEWEST if sort is Sort.RELEVANCE and not worded else sort


def size(given: int | None, context: Context, default: int = 10, limit: int | None = None) -> int:
    """How many are asked for. Raises BadInput below 1 and LimitExceeded above the limit."""
    number = default if given is None else given
    if number < 1:
        raise BadInput("`first` is at least 1.", field="first")
    at_most(number, context.limits.first if limit is None else limit, "things in `first`")
    return number


def edges(page: Page) -> list[Edge]:
    """The hits of a page, each decoded once."""
    question = cursors.question(page.search)
    return [Edge(hit, shape.document(hit.raw), page.search, question) for hit in page.found.hits]


def cursor(edge: Edge, context: Context) -> str:
    """The cursor of a hit."""
    return cursors.seal(context.settings.cursor_key, edge.question, edge.hit.position)


def page_info(page: Page, context: Context) -> dict[str, Any]:
    """Where the page lies."""
    key, hits = context.settings.cursor_key, page.found.hits
    ends = [cursors.seal_position(key, page.search, hit.position) for hit in (hits[:1] + hits[-1:])]
    return {
        "has_next_page": page.found.more,
        "has_previous_page": page.after is not None,
        "start_cursor": ends[0] if ends else None,
        "end_cursor": ends[-1] if ends else None,
    }


def highlights(edge: Edge) -> list[dict[str, str]]:
    """What was asked, marked in the texts of a hit: one fragment a field, only of fields that hold some of it."""
    asked = edge.search.asked
    made = []
    if asked.words or asked.phrases:
        for name in _HIGHLIGHTED:
            fragments = (text.highlight(each, asked) for each in _texts(edge.node, name))
            fragment = next((each for each in fragments if each is not None), None)
            if fragment is not None:
                made.append({"field": name, "fragment": fragment})
    return made


def _texts(node: shape.Stored, name: str) -> list[str]:
    value = node.data.get(name)
    if value is None:
        return []
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, list):
        return [str(value)]
    keys = ("title", "name", "formula", "source_name", "proposal")
    parts = ([each] if isinstance(each, str) else [each.get(key) for key in keys] for each in value)
    return [text for part in parts for text in part if text]
