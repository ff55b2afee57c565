"""This file is one found dataset as the list shows it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from gateway.graphql import search as line
from gateway.graphql.context import Context
from gateway.portal.words import TITLE_SHOWN, heading, marked, plain
from schema.access import Access
from schema.records import Dataset, Document, decode_document
from schema.text import clean, highlight

_EXCERPT = 220


@dataclass(frozen=True)
class Result:
    """A dataset with what was found in it. `title` and `excerpt` may hold marks."""

    dataset: Dataset
    title: Markup
    excerpt: Markup
    matches: list[tuple[str, Markup]]
    analysable: bool


def result(edge: line.Edge, context: Context) -> Result:
    """What the list shows of a hit."""
    document: Document = decode_document(edge.hit.raw)
    dataset = document.record
    assert isinstance(dataset, Dataset)
    found = {each["field"]: each["fragment"] for each in line.highlights(edge)}
    title = found.pop("title", None)
    shown = clean(dataset.title)
    whole = title is not None and len(title) >= len(shown) <= TITLE_SHOWN
    found.pop("description", None)  # its HTML may be cut in the middle; looked for again in its plain text
    about = plain(dataset.description)
    excerpt = highlight(about, edge.search.asked, _EXCERPT)
    return Result(
        dataset=dataset,
        title=marked(title) if title is not None and whole else escape(heading(dataset.title) or dataset.pid),
        excerpt=marked(excerpt) if excerpt else escape(_cut(about)),
        matches=[(field, marked(each)) for field, each in found.items()] if title is None and excerpt is None else [],
        analysable=analysable(dataset, context),
    )


def analysable(dataset: Dataset, context: Context) -> bool:
    """Whether its facility has an analysis platform and there are data."""
    return dataset.access is not Access.METADATA_ONLY and bool(context.launches.triggers(dataset.facility))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _EXCERPT else flat[:_EXCERPT].rsplit(" ", 1)[0] + " …"
