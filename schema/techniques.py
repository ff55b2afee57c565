"""This file is the vocabulary of experimental techniques: what a name or IRI means, what is broader, what is narrower.

The packaged table (``schema/panet.json``, made by ``python -m schema.ontology``) is PaNET, the Photon and Neutron
Experimental Techniques ontology, CC BY 4.0; a table or released OWL file in settings may take its place.

What a text resolves to, in this order:

1. an IRI (http or https, with or without ``<>``), a bare code (``PaNET01129``) or a compact one (``PaNET:01129``), of
   techniques and specifiers alike, also the IRI of an equivalent class elsewhere;
2. a label or synonym of a technique, compared as folded words (``X-ray`` is ``x_ray``); then a name that a published
   mapping gives as an exact match. Specifiers never resolve by name: 71 of their labels are those of techniques;
3. one or several dotted paths of the ontology, as SciCat keeps them (lines ended by ``;``): the last part of each must
   come to the same technique.

A name that several techniques bear means the one that is broader than all the others, which is true of each of them
(``diffraction``), and nothing when there is none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import msgspec

from schema.errors import Misconfigured
from schema.text import prefix

LONGEST = 16_384  # characters of a text that is resolved; SciCat's lists of paths have up to 2,000
_PACKAGED = Path(__file__).with_name("panet.json")
_CODE = re.compile(
    r"<?(?:https?://(?:www\.)?purl\.org/pan-science/PaNET/(?:PaNET\.owl#)?|PaNET:)?PaNET[:_]?([0-9]{5,7})/?>?",
    re.IGNORECASE,
)
_PATHS = re.compile(r"[;\n]")


class Term(msgspec.Struct, frozen=True, omit_defaults=True):
    """A class of the ontology. ``broader`` holds the IRIs of its direct parents; ``label`` is "" where it has none."""

    iri: str
    label: str
    synonyms: tuple[str, ...] = ()
    definition: str | None = None
    broader: tuple[str, ...] = ()
    technique: bool = True

    @property
    def code(self) -> str:
        """The last part of its IRI: ``PaNET01129``."""
        return re.split(r"[/#]", self.iri)[-1]


class Table(msgspec.Struct, frozen=True):
    """A vocabulary as it is kept in a file. ``aliases`` leads other IRIs, ``mapped`` other names, to IRIs of terms."""

    name: str
    title: str
    version: str
    url: str | None
    license: str
    attribution: str
    terms: tuple[Term, ...]
    aliases: dict[str, str] = {}
    mapped: dict[str, str] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """A vocabulary ready to be asked; made by ``of``, ``from_table`` or ``default``."""

    name: str
    title: str
    version: str
    url: str | None
    license: str
    attribution: str
    terms: Mapping[str, Term]
    table: Table
    _narrower: Mapping[str, frozenset[str]]
    _ancestors: Mapping[str, tuple[str, ...]]
    _iris: Mapping[str, str]
    _names: Mapping[str, str]
    _sought: Sequence[tuple[str, tuple[str, ...], Term]]

    def resolve(self, words_or_iri: str) -> Term | None:
        """The one term a text means, or None; see the rules at the top."""
        text = words_or_iri.strip()
        if not text or len(text) > LONGEST:
            return None
        iri = self._iri(text) or self._names.get(prefix(text)) or self._at_the_ends(text)
        return self.terms[iri] if iri is not None else None

    def narrower(self, iri: str) -> frozenset[str]:
        """The IRIs of a term and of everything narrower; only itself when it is unknown."""
        return self._narrower.get(iri) or frozenset([iri])

    def ancestors(self, iri: str) -> tuple[str, ...]:
        """The IRIs of all labelled broader terms, the nearest first; none when it is unknown."""
        return self._ancestors.get(iri, ())

    def broader(self, iri: str) -> tuple[Term, ...]:
        """Its labelled direct parents (through an unlabelled one: that one's), by label."""
        term = self.terms.get(iri)
        return tuple(self.terms[parent] for parent in _parents(term, self.terms)) if term else ()

    def label(self, iri: str) -> str | None:
        """The preferred label, or None."""
        term = self.terms.get(iri)
        return (term.label or None) if term else None

    def synonyms(self, iri: str) -> tuple[str, ...]:
        """Other labels."""
        term = self.terms.get(iri)
        return term.synonyms if term else ()

    def search(self, text: str, first: int) -> list[Term]:
        """Techniques for a reader who is typing, best first: by IRI or code, label, synonym, words anywhere in a name."""
        if (exact := self._iri(text.strip())) is not None:
            return [self.terms[exact]][: max(first, 0)]
        asked = prefix(text[:256])
        code = asked.replace(" ", "")
        ranked = [
            (rank, label, term) for label, names, term in self._sought if (rank := _rank(asked, code, names, term)) < 9
        ]
        ranked.sort(key=lambda found: (found[0], found[1]))
        return [term for _, _, term in ranked[: max(first, 0)]]

    find = search

    def _iri(self, text: str) -> str | None:
        if match := _CODE.fullmatch(text):
            return self._iris.get(f"panet{match[1]}")
        return self._iris.get(_plain(text))

    def _at_the_ends(self, text: str) -> str | None:
        lines = [line.strip() for line in _PATHS.split(text) if line.strip()]
        found = {self._names.get(prefix(line.rpartition(".")[2])) for line in lines}
        return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=1)
def default() -> Vocabulary:
    """The packaged PaNET."""
    return from_table(_PACKAGED.read_bytes())


def from_table(table: bytes) -> Vocabulary:
    """The vocabulary of a JSON table. Raises Misconfigured when it is none."""
    try:
        return of(msgspec.json.decode(table, type=Table))
    except msgspec.DecodeError as error:
        raise Misconfigured(f"the vocabulary's table cannot be read: {error}") from None


def of(table: Table) -> Vocabulary:
    """The vocabulary of a table, with everything that is asked of it worked out. Raises Misconfigured if it is empty."""
    terms = {term.iri: term for term in table.terms}
    if not any(term.technique and term.label for term in table.terms):
        raise Misconfigured("the vocabulary holds no labelled technique")
    ancestors = {iri: _ancestors(iri, terms) for iri in terms}
    below: dict[str, set[str]] = {iri: {iri} for iri in terms}
    for iri in terms:
        for above in _all_above(iri, terms):
            below[above].add(iri)
    return Vocabulary(
        name=table.name,
        title=table.title,
        version=table.version,
        url=table.url,
        license=table.license,
        attribution=table.attribution,
        terms=terms,
        table=table,
        _narrower={iri: frozenset(found) for iri, found in below.items()},
        _ancestors=ancestors,
        _iris=_spellings(table, terms),
        _names=_names(table, terms, ancestors),
        _sought=sorted(_sought(table.terms), key=lambda entry: entry[0]),
    )


def _all_above(iri: str, terms: Mapping[str, Term]) -> Iterable[str]:
    seen = {iri: None}
    for found in (reached := list(seen)):
        for parent in terms[found].broader:
            if parent in terms and parent not in seen:
                seen[parent] = None
                reached.append(parent)
    return reached[1:]


def _ancestors(iri: str, terms: Mapping[str, Term]) -> tuple[str, ...]:
    return tuple(above for above in _all_above(iri, terms) if terms[above].label)


def _parents(term: Term, terms: Mapping[str, Term]) -> list[str]:
    found: dict[str, None] = {}
    seen = {term.iri}
    reached = list(term.broader)
    for parent in reached:
        if parent in seen or parent not in terms:
            continue
        seen.add(parent)
        if terms[parent].label:
            found[parent] = None
        else:
            reached.extend(terms[parent].broader)
    return sorted(found, key=lambda parent: terms[parent].label)


def _plain(iri: str) -> str:
    return iri.strip("<>").removeprefix("https://").removeprefix("http://").rstrip("/")


def _spellings(table: Table, terms: Mapping[str, Term]) -> dict[str, str]:
    iris = {_plain(alias): iri for alias, iri in table.aliases.items() if iri in terms}
    for term in table.terms:
        if term.label:
            iris[_plain(term.iri)] = term.iri
            iris[term.code.lower()] = iris[term.code] = term.iri
    return iris


def _names(table: Table, terms: Mapping[str, Term], ancestors: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Which technique each folded name means; one that names several means the one broader than all others."""
    bearers: dict[str, dict[str, None]] = {}
    for term in table.terms:
        for name in (term.label, *term.synonyms) if term.technique else ():
            bearers.setdefault(prefix(name), {})[term.iri] = None
    own = set(bearers)
    for name, iri in table.mapped.items():
        if prefix(name) not in own and iri in terms and terms[iri].technique:
            bearers.setdefault(prefix(name), {})[iri] = None
    names: dict[str, str] = {}
    for name, iris in bearers.items():
        widest = [iri for iri in iris if all(iri in (other, *ancestors[other]) for other in iris)]
        if name and len(widest) == 1:
            names[name] = widest[0]
    return names


def _sought(terms: Iterable[Term]) -> Iterable[tuple[str, tuple[str, ...], Term]]:
    for term in terms:
        if term.technique and term.label:
            yield prefix(term.label), tuple(prefix(name) for name in (term.label, *term.synonyms)), term


def _rank(asked: str, code: str, names: tuple[str, ...], term: Term) -> int:
    """0 for the very name, 8 for a code that begins so, 9 for no match."""
    label, *others = names
    if asked in names:
        return 0
    if label.startswith(asked):
        return 1
    if any(other.startswith(asked) for other in others):
        return 2
    pieces = asked.split()
    for rank, name in enumerate(names):
        parts = name.split()
        if all(any(part.startswith(piece) for part in parts) for piece in pieces):
            return min(3 + rank, 7)
    return 8 if len(code) > 4 and term.code.lower().startswith(code) else 9
