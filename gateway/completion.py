"""This file is what is offered while a reader types: completions of the index, and techniques narrower than the one that is named.

Public records alone, so that it is the same for everybody.
"""

from __future__ import annotations

from catalogue.query import AnyOf, FacetWish, Field, Search, Sort, Suggestion
from gateway.ports import Reader
from schema.techniques import Vocabulary
from schema.text import prefix

_SHORTEST = 3  # characters that name a technique


async def complete(text: str, first: int, reader: Reader, vocabulary: Vocabulary) -> list[Suggestion]:
    """At most `first` completions. What begins as typed comes first, by its number of datasets; then, in up to half of the places,
    the technique that is named (by label, synonym, code or IRI) and those narrower than it, as far as datasets have them."""
    begun = await reader.suggest(text, first)
    known = {(each.kind, each.value) for each in begun}
    named = [each for each in await _named(text, reader, vocabulary) if (each.kind, each.value) not in known]
    kept = max(first - len(named), first - first // 2)
    return [*begun[:kept], *named][:first]


async def _named(text: str, reader: Reader, vocabulary: Vocabulary) -> list[Suggestion]:
    """The technique that the text begins to name and its narrower ones, most datasets first, itself before all."""
    terms = vocabulary.find(text, 1) if len(prefix(text)) >= _SHORTEST else []
    if not terms:
        return []
    narrower = vocabulary.narrower(terms[0].iri)
    asked = Search(
        clauses=(AnyOf(Field.TECHNIQUE_EXACT, tuple(sorted(narrower))),),
        facets=(FacetWish(Field.TECHNIQUE, size=len(vocabulary.terms)),),  # what is broader is counted too: all of it
        sort=Sort.NEWEST,
        first=1,
    )
    (facet,) = (await reader.search(asked)).facets
    found = [
        Suggestion(vocabulary.label(each.value) or each.label, "technique", each.value, each.count)
        for each in facet.buckets
        if each.value in narrower
    ]
    return sorted(found, key=lambda each: (each.value != terms[0].iri, -each.count, each.text))
