"""This file is what an index must answer, told independently of any: brute force over the documents, straight from the contracts."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from catalogue.ports import Entry
from catalogue.query import (
    AnyOf,
    Between,
    Clause,
    FacetWish,
    Field,
    Instant,
    ParameterIs,
    Scope,
    Search,
    Sort,
)
from schema.records import AnyRecord, Dataset, Document, Investigation, Kind, Parameter, Publication
from schema.text import Asked, fold, words

TREE = {  # narrower → broader, as the tests' vocabulary has it
    "http://purl.org/pan-science/PaNET/PaNET01002": ("http://purl.org/pan-science/PaNET/PaNET01001",),
    "http://purl.org/pan-science/PaNET/PaNET01003": (
        "http://purl.org/pan-science/PaNET/PaNET01002",
        "http://purl.org/pan-science/PaNET/PaNET01001",
    ),
}
LABELS = {
    "http://purl.org/pan-science/PaNET/PaNET01001": "technique",
    "http://purl.org/pan-science/PaNET/PaNET01002": "diffraction",
    "http://purl.org/pan-science/PaNET/PaNET01003": "powder diffraction",
}
SYNONYMS = {"http://purl.org/pan-science/PaNET/PaNET01003": ("PXRD", "Debye-Scherrer method")}


class Tree:
    """The tests' technique vocabulary."""

    def ancestors(self, iri: str, /) -> Sequence[str]:
        return TREE.get(iri, ())

    def label(self, iri: str, /) -> str | None:
        return LABELS.get(iri)

    def synonyms(self, iri: str, /) -> Sequence[str]:
        return SYNONYMS.get(iri, ())


def held(entries: Iterable[Entry]) -> list[Document]:
    """The documents that live after these writes, in whatever order they came."""
    newest: dict[tuple[Kind, str], Entry] = {}
    for entry in entries:
        known = newest.get((entry.kind, entry.pid))
        if known is None or known.version < entry.version:
            newest[entry.kind, entry.pid] = entry
    return [entry.make() for entry in newest.values() if entry.make is not None]


def matching(documents: Iterable[Document], search: Search) -> list[Document]:
    """The documents that a search finds, in any order."""
    return [
        document
        for document in documents
        if document.record.kind is search.kind
        and _in_scope(document, search)
        and _says(document, search.asked)
        and all(_holds(document, clause) for clause in search.clauses)
    ]


def ordered(documents: Iterable[Document], sort: Sort) -> list[str]:
    """Pids in the order of a field: by value, then pid; documents without the value last."""
    keyed = [(_sort_value(document, sort), document.record.pid) for document in documents]
    known = [(value, pid) for value, pid in keyed if value is not None]
    known.sort(key=lambda pair: pair[1])
    known.sort(key=lambda pair: pair[0], reverse=sort in (Sort.NEWEST, Sort.RELEVANCE, Sort.RELEASED))
    return [pid for _, pid in known] + sorted(pid for value, pid in keyed if value is None)


def facet(documents: Iterable[Document], search: Search, wish: FacetWish) -> tuple[dict[str, int], int, int]:
    """Counts of the listed values, documents without, documents with a value that is not listed."""
    found = matching(documents, _without(search, wish))
    assert wish.field is not None
    held = [facet_values(document, wish.field) for document in found]
    counts = Counter(value for values in held for value in values)
    if wish.field is Field.YEAR:
        listed = sorted(counts)[-wish.bins :]
    else:
        listed = sorted(counts, key=lambda value: (-counts[value], value))[: wish.size]
    others = sum(bool(values - set(listed)) for values in held)
    return {value: counts[value] for value in listed}, sum(not values for values in held), others


def histogram(documents: Iterable[Document], search: Search, wish: FacetWish) -> tuple[list[int], int]:
    """Documents in each of the equal bins between the smallest and the largest number, and those without a number."""
    found = matching(documents, _without(search, wish))
    held = [numbers(document, fold(wish.parameter or ""), wish.dimension) for document in found]
    every = [number for values in held for number in values]
    if not every:
        return [], len(held)
    low, high = min(every), max(every)
    edges = [low]
    for step in range(1, wish.bins):
        edge = low * (1 - step / wish.bins) + high * (step / wish.bins)
        if edges[-1] < edge < high:
            edges.append(edge)
    counts = []
    for first, end in itertools.pairwise([*edges, math.inf]):
        counts.append(sum(any(first <= number < end for number in values) for values in held))
    return counts, sum(not values for values in held)


def sources(documents: Iterable[Document]) -> dict[str, int]:
    """Documents of each source they came from."""
    return dict(
        Counter(
            source
            for document in documents
            for source in {document.record.source, *(way.source for way in document.provenance)}
        )
    )


def numbers(document: Document, name: str, dimension: str | None) -> set[float]:
    """Single values and ends of ranges of a parameter, as a histogram counts them."""
    return {
        end
        for parameter in getattr(document.record, "parameters", ())
        if name in _names(parameter) and parameter.dimension == dimension
        for end in _ends(parameter)
        if math.isfinite(end)
    }


def facet_values(document: Document, field: Field) -> set[str]:
    """The values a facet counts a document under: pids where there are, else folded names."""
    record = document.record
    parts = {
        Field.INSTRUMENT: getattr(record, "instruments", ()),
        Field.SAMPLE: getattr(record, "samples", ()),
    }
    match field:
        case Field.FACILITY:
            return {record.facility}
        case Field.SOURCE:
            return set(sources([document]))
        case Field.INSTRUMENT | Field.SAMPLE:
            return {part.pid or fold(part.name) for part in parts[field]}
        case Field.TECHNIQUE | Field.TECHNIQUE_EXACT:
            return {value for technique in getattr(record, "techniques", ()) for value in _technique(technique, field)}
        case Field.PERSON:
            return {person.orcid or fold(person.name) for person in getattr(record, "people", ())}
        case Field.INVESTIGATION:
            part = getattr(record, "investigation", None)
            name = part and (part.pid or fold(part.title or "") or fold(part.proposal or ""))
            return {name} if name else set()
        case Field.KEYWORD:
            return {fold(keyword) for keyword in getattr(record, "keywords", ())}
        case Field.FILE_FORMAT:
            return {fold(form) for form in record.files.formats} if isinstance(record, Dataset) else set()
        case Field.ACCESS:
            return {record.access.value} if isinstance(record, Dataset) else set()
        case Field.YEAR:
            start = _started(record)
            return {f"{start.astimezone(UTC).year:04d}"} if start else set()
        case Field.PARAMETER_NAME:
            return {fold(parameter.name) for parameter in getattr(record, "parameters", ())}
        case Field.PID:
            return {record.pid}


def _in_scope(document: Document, search: Search) -> bool:
    visibility = document.record.visibility
    if search.scope is Scope.PUBLIC:
        return visibility.public
    return not visibility.public and bool(search.groups & set(visibility.groups))


def passages(document: Document) -> list[list[str]]:
    """The words of each passage; no phrase reaches from one into another."""
    record = document.record
    found: list[str | None] = [record.pid, record.facility]
    own = ("title", "name", "full_name", "description", "abstract", "type", "doi", "proposal", "publisher", "formula")
    found += [getattr(record, name, None) for name in own]
    found += getattr(record, "keywords", ())
    for person in getattr(record, "people", ()):
        found += [person.name, person.affiliation]
    for part in getattr(record, "instruments", ()):
        found.append(part.name)
    for part in getattr(record, "samples", ()):
        found += [part.name, part.formula, part.type]
    for technique in getattr(record, "techniques", ()):
        found += [technique.name, technique.source_name]
        found += [LABELS.get(technique.pid or ""), *SYNONYMS.get(technique.pid or "", ())]
    investigation = getattr(record, "investigation", None)
    if investigation is not None:
        found += [investigation.title, investigation.proposal, investigation.abstract]
    for parameter in getattr(record, "parameters", ()):
        found += [parameter.name, parameter.source_name, parameter.text]
    for detail in record.details:
        found += [detail.name, detail.text]
    found += [related.title for related in getattr(record, "related", ())]
    return [words(passage) for passage in found if passage]


def _says(document: Document, asked: Asked) -> bool:
    told = passages(document)
    wanted = [(word,) for word in asked.words] + list(asked.phrases)
    unwanted = [(terms,) if isinstance(terms, str) else terms for terms in asked.excluded]
    return all(_within(terms, told) for terms in wanted) and not any(_within(terms, told) for terms in unwanted)


def _within(terms: tuple[str, ...], told: list[list[str]]) -> bool:
    return any(
        tuple(passage[at : at + len(terms)]) == terms for passage in told for at in range(len(passage) - len(terms) + 1)
    )


def _holds(document: Document, clause: Clause) -> bool:
    match clause:
        case AnyOf():
            asked = {*clause.values, *map(fold, clause.values)}
            return bool(asked & (facet_values(document, clause.field) | _names_in(document, clause.field)))
        case Between():
            moment = _started(document.record) if clause.field is Instant.STARTED else _released(document.record)
            return (
                moment is not None
                and (clause.start is None or moment >= clause.start)
                and (clause.before is None or moment < clause.before)
            )
        case ParameterIs():
            return any(_satisfies(parameter, clause) for parameter in getattr(document.record, "parameters", ()))


def _satisfies(parameter: Parameter, clause: ParameterIs) -> bool:
    if fold(clause.name) not in _names(parameter):
        return False
    if clause.text and (parameter.text is None or fold(parameter.text) not in set(map(fold, clause.text))):
        return False
    if clause.min is None and clause.max is None:
        return True
    ends = _ends(parameter)
    if parameter.dimension != clause.dimension or not ends:
        return False
    if clause.min is not None and clause.max is not None and clause.min > clause.max:
        return False
    return (clause.max is None or min(ends) <= clause.max) and (clause.min is None or max(ends) >= clause.min)


def _ends(parameter: Parameter) -> list[float]:
    if parameter.dimension is not None:
        value, low, high = parameter.si_value, parameter.si_min, parameter.si_max
    else:
        value, low, high = parameter.value, parameter.min, parameter.max
    if value is not None:
        return [value]
    if low is None and high is None:
        return []
    return [-math.inf if low is None else low, math.inf if high is None else high]


def _names(parameter: Parameter) -> set[str]:
    return {fold(parameter.name), fold(parameter.source_name)}


def _names_in(document: Document, field: Field) -> set[str]:
    """Further names that a filter takes."""
    record = document.record
    found: list[str | None] = []
    match field:
        case Field.PID:
            found = [getattr(record, "doi", None)]
        case Field.INSTRUMENT:
            found = [part.name for part in getattr(record, "instruments", ())]
        case Field.SAMPLE:
            found = [name for part in getattr(record, "samples", ()) for name in (part.name, part.formula)]
        case Field.PERSON:
            found = [person.name for person in getattr(record, "people", ())]
        case Field.INVESTIGATION:
            part = getattr(record, "investigation", None)
            found = [part.title, part.proposal] if part else []
        case Field.PARAMETER_NAME:
            found = [name for parameter in getattr(record, "parameters", ()) for name in _names(parameter)]
        case _:
            pass
    return {fold(name) for name in found if name}


def _technique(technique: object, field: Field) -> tuple[str, ...]:
    iri = getattr(technique, "pid", None)
    if iri is None:
        return (fold(getattr(technique, "name", "")),)
    return (iri,) if field is Field.TECHNIQUE_EXACT else (iri, *TREE.get(iri, ()))


def _started(record: AnyRecord) -> datetime | None:
    if isinstance(record, Dataset | Investigation):
        return record.start
    return record.published if isinstance(record, Publication) else None


def _released(record: AnyRecord) -> datetime | None:
    if isinstance(record, Dataset | Investigation):
        return record.release
    return record.published if isinstance(record, Publication) else None


def _sort_value(document: Document, sort: Sort) -> object:
    record = document.record
    match sort:
        case Sort.TITLE:
            return fold(getattr(record, "title", None) or getattr(record, "name", ""))[:64]
        case Sort.RELEASED:
            return _released(record)
        case Sort.CHANGED:
            return document.public_number
        case _:
            return _started(record)


def _without(search: Search, wish: FacetWish) -> Search:
    """The search without the clauses on the facet's own field."""
    kept = tuple(clause for clause in search.clauses if not _own(wish, clause))
    return Search(search.kind, search.scope, search.groups, search.asked, kept)


def _own(wish: FacetWish, clause: Clause) -> bool:
    techniques = (Field.TECHNIQUE, Field.TECHNIQUE_EXACT)
    match clause:
        case AnyOf():
            return clause.field is wish.field or (clause.field in techniques and wish.field in techniques)
        case Between():
            return wish.field is Field.YEAR and clause.field is Instant.STARTED
        case ParameterIs():
            return wish.field is None and fold(clause.name) == fold(wish.parameter or "")
