"""This file is what is offered while a reader types: completions of the index, and techniques narrower than the one that is named.

Public records alone, so that it is the same for everybody.
"""

from __future__ import annotations

from catalogue.query import AnyOf, FacetWish, Field, Search, Sort, Suggestion
from gateway.ports import Reader
from schema.techniques import Vocabulary
from schema.text import prefix

_SHORTEST = 3  # characters that name a technique
_LISTED = 100  # techniques counted at once: as many as an index lists


async def complete(text: str, first: int, reader: Reader, vocabulary: Vocabulary) -> list[Suggestion]:
    """At most `first` completions. What begins as typed comes first, by its number of datasets; then, in up to half of the places,
    the technique that is named (by label, synonym, code or IRI) and those narrower than it, as far as datasets have them."""
    begun = await reader.suggest(text, first)
    known = {each.value for each in begun if each.kind == "technique"}
    named = await _named(text, first, known, reader, vocabulary)
    kept = max(first - len(named), first - first // 2)
    return [*begun[:kept], *named][:first]


async def _named(text: str, first: int, known: set[str], reader: Reader, vocabulary: Vocabulary) -> list[Suggestion]:
    """The technique that the text begins to name and its narrower ones, itself before all, then most datasets first."""
    terms = vocabulary.find(text, 1) if len(prefix(text)) >= _SHORTEST else []
    if not terms:
        return []
    iri = terms[0].iri
    below = vocabulary.narrower(iri) - known
    asked = _of(iri, FacetWish(Field.TECHNIQUE, size=_LISTED), FacetWish(Field.TECHNIQUE_EXACT, size=_LISTED))
    found = await reader.search(asked)
    whole, exact = ({each.value: each.count for each in facet.buckets} for facet in found.facets)
    counts = {**{value: exact[value] for value in below & set(exact)}, iri: found.total}
    counts |= {value: whole[value] for value in below & set(whole)}
    best = sorted(below & set(counts), key=lambda value: (value != iri, -counts[value], value))[:first]
    certain = [
        counts[each] if each == iri or each in whole else (await reader.search(_of(each))).total for each in best
    ]
    made = (
        Suggestion(vocabulary.label(each) or each, "technique", each, count)
        for each, count in zip(best, certain, strict=True)
    )
    return [each for each in made if each.count]


def _of(iri: str, *facets: FacetWish) -> Search:
    return Search(clauses=(AnyOf(Field.TECHNIQUE, (iri,)),), facets=facets, sort=Sort.NEWEST, first=1)
