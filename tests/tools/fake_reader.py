"""A search index in memory, by brute force: what the gateway's port Reader promises, for tests of what stands on it."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from catalogue.index.quantities import names_of, span
from catalogue.index.terms import Terms, micros, terms
from catalogue.query import (
    AnyOf,
    Between,
    Bucket,
    Facet,
    FacetWish,
    Field,
    Found,
    Hit,
    Instant,
    ParameterIs,
    Position,
    Scope,
    Search,
    Sort,
    Suggestion,
)
from schema.access import Viewer
from schema.errors import CursorExpired
from schema.records import Document, Kind, encode_document
from schema.techniques import Vocabulary
from schema.text import fold


class FakeReader:
    """Documents, searched one by one. `generation` may be changed to make old cursors expire; `searches` counts calls."""

    def __init__(self, documents: Sequence[Document], vocabulary: Vocabulary) -> None:
        self.documents = list(documents)
        self.generation = "g1"
        self.searches: list[Search] = []
        self._vocabulary = vocabulary

    async def search(self, search: Search) -> Found:
        self.searches.append(search)
        if search.after is not None and search.after.generation != self.generation:
            raise CursorExpired("The list this cursor belongs to is closed. Begin at the first page again.")
        scored = [(self._score(known, search), document) for document, known in self._scope(search)]
        found = [
            (score, document)
            for (score, document), (_, known) in zip(scored, self._scope(search), strict=True)
            if score is not None and all(_holds(clause, document, known) for clause in search.clauses)
        ]
        found.sort(key=lambda pair: _order(search.sort, *pair))
        start = search.after.offset + 1 if search.after else 0
        shown = found[start : start + search.first]
        return Found(
            total=len(found),
            hits=tuple(self._hit(search, start + at, *pair) for at, pair in enumerate(shown)),
            more=len(found) > start + search.first,
            facets=tuple(self._facet(wish, search) for wish in search.facets),
            sources=dict(Counter(document.record.source for _, document in found)),
        )

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        return (await self.get_many(kind, [pid], viewer)).get(pid)

    async def get_many(self, kind: Kind, pids: Sequence[str], viewer: Viewer) -> dict[str, bytes]:
        return {
            each.record.pid: encode_document(each)
            for each in self.documents
            if each.record.kind is kind and each.record.pid in pids
            if each.record.visibility.public or viewer.groups & set(each.record.visibility.groups)
        }

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        words = {word for each in self._public() for word in getattr(each.record, "keywords", ())}
        return [Suggestion(word, "keyword", fold(word), 1) for word in sorted(words) if word.startswith(text)][:first]

    async def counts(self) -> dict[str, int]:
        return dict(Counter(each.record.facility for each in self._public() if each.record.kind is Kind.DATASET))

    async def public_head(self) -> int:
        return len(self.documents)

    def _public(self) -> list[Document]:
        return [each for each in self.documents if each.record.visibility.public]

    def _scope(self, search: Search) -> list[tuple[Document, Terms]]:
        public = search.scope is Scope.PUBLIC
        return [
            (each, terms(each, self._vocabulary, public=public))
            for each in self.documents
            if each.record.kind is search.kind and each.record.visibility.public is public
            if public or search.groups & set(each.record.visibility.groups)
        ]

    def _score(self, known: Terms, search: Search) -> float | None:
        text = f" {' '.join(known.texts.values())} "
        asked = [f" {word} " for word in search.asked.words]
        asked += [f" {' '.join(phrase)} " for phrase in search.asked.phrases]
        barred = [each if isinstance(each, str) else " ".join(each) for each in search.asked.excluded]
        if not all(each in text for each in asked) or any(f" {each} " in text for each in barred):
            return None
        return float(sum(text.count(each) for each in asked))

    def _hit(self, search: Search, offset: int, score: float, document: Document) -> Hit:
        position = Position(self.generation, search.sort, "", document.record.pid, offset)
        return Hit(encode_document(document), score if search.sort is Sort.RELEVANCE else None, position)

    def _facet(self, wish: FacetWish, search: Search) -> Facet:
        others = [clause for clause in search.clauses if not _own(wish, clause)]
        rows = [
            (document, known)
            for document, known in self._scope(search)
            if self._score(known, search) is not None and all(_holds(each, document, known) for each in others)
        ]
        if wish.parameter is not None:
            return _histogram(wish, rows)
        labels = {(field, value): label for _, known in rows for field, value, label in known.labels}
        counts = Counter(value for _, known in rows for value in known.values.get(wish.field, ()))
        top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        shown = {value for value, _ in top[: wish.size]}
        return Facet(
            wish,
            tuple(Bucket(value, labels.get((wish.field, value), value), count) for value, count in top[: wish.size]),
            missing=sum(not known.values.get(wish.field) for _, known in rows),
            other=sum(bool(set(known.values.get(wish.field, ())) - shown) for _, known in rows),
        )


def _own(wish: FacetWish, clause: object) -> bool:
    if isinstance(clause, ParameterIs):
        return clause.name == wish.parameter
    return isinstance(clause, AnyOf) and clause.field is wish.field


def _histogram(wish: FacetWish, rows: list[tuple[Document, Terms]]) -> Facet:
    values = [(document, _numbers(document, wish.parameter, wish.dimension)) for document, _ in rows]
    every = [number for _, numbers in values for number, _ in numbers]
    if not every:
        return Facet(wish, (), len(rows), 0)
    low, high = min(every), max(every)
    width = (high - low) / wish.bins or 1.0
    counts = [0] * wish.bins
    for _, numbers in values:
        for at in {min(int((number - low) / width), wish.bins - 1) for number, _ in numbers}:
            counts[at] += 1
    buckets = tuple(
        Bucket(str(at), "", count, low + at * width, low + (at + 1) * width) for at, count in enumerate(counts)
    )
    return Facet(wish, buckets, sum(not numbers for _, numbers in values), 0)


def _numbers(document: Document, name: str, dimension: str | None) -> list[tuple[float, float]]:
    parameters = [each for each in getattr(document.record, "parameters", ()) if name in names_of(each)]
    spans = [span(each) for each in parameters]
    return [(each[1], each[2]) for each in spans if each is not None and each[0] == dimension]


def _holds(clause: object, document: Document, known: Terms) -> bool:
    if isinstance(clause, AnyOf):
        held = {*known.values.get(clause.field, ()), *known.also.get(clause.field, ())}
        return not held.isdisjoint(clause.values)
    if isinstance(clause, Between):
        at = known.started if clause.field is Instant.STARTED else known.released
        after = clause.start is None or (at is not None and at >= micros(clause.start))
        return at is not None and after and (clause.before is None or at < micros(clause.before))
    assert isinstance(clause, ParameterIs)
    if clause.text:
        parameters = [each for each in document.record.parameters if clause.name in names_of(each)]
        return any(each.text and fold(each.text) in clause.text for each in parameters)
    if clause.min is None and clause.max is None:
        return clause.name in {*known.values.get(Field.PARAMETER_NAME, ()), *known.also.get(Field.PARAMETER_NAME, ())}
    low = float("-inf") if clause.min is None else clause.min
    high = float("inf") if clause.max is None else clause.max
    return any(a <= high and b >= low for a, b in _numbers(document, clause.name, clause.dimension))


_EARLY = datetime(1, 1, 1, tzinfo=UTC)


def _order(sort: Sort, score: float, document: Document) -> tuple[object, ...]:
    record = document.record
    started = getattr(record, "start", None) or _EARLY
    released = getattr(record, "release", None) or _EARLY
    keys: dict[Sort, object] = {
        Sort.RELEVANCE: -score,
        Sort.NEWEST: -(started - _EARLY).total_seconds(),
        Sort.OLDEST: (started == _EARLY, (started - _EARLY).total_seconds()),
        Sort.RELEASED: -(released - _EARLY).total_seconds(),
        Sort.TITLE: fold(getattr(record, "title", None) or record.name),
        Sort.CHANGED: document.public_number or 0,
    }
    return keys[sort], record.pid
