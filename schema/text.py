"""This file is what a word is: one pure function for what is indexed, asked, suggested and highlighted.

The rule, in one place (design, section 3):

1. *Fold*: compatibility forms are spelt out (``ﬁ`` fi, ``₁.₈₅`` 1.85, ``µ`` μ), accents and case go, Greek letters stay
   Greek, invisible characters vanish, dashes become ``-``.
2. *Term*: the longest run of letters and digits, with full stops that stand between two digits (``la1.85sr0.15cuo4``,
   ``8.979``, ``10.5442``). Every other character parts terms. Chinese and Japanese characters are a term each.
3. *Stem*: English (Snowball), only for terms of four and more plain letters that are no acronym of the field. It looks
   at the folded form alone, so that case never decides whether a record is found.
4. *Compound*: whatever is written without a blank, joined by ``-  /  _  .  :  ( )`` and the like (small-angle, α-Fe2O3,
   P21/c, 10.5442/nd000001, Fe(OH)3), is indexed as its parts at following positions and **asked as the phrase of its
   parts**. So ``small-angle`` and ``small angle`` find each other, ``Fe2O3`` finds ``α-Fe2O3``, a compound is still
   asked as one word, and no position holds a term that was not written there: no phrase matches by accident.

Terms never hold blanks or control characters: ``" ".join(words(text))`` goes into a field split only at blanks.
"""

import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

from schema.errors import BadInput

MARK_START = "\ue000"
MARK_END = "\ue001"
TERM_LENGTH = 64
HIGHLIGHT_READS = 65_536  # characters of a text that are looked through
QUERY_LENGTH = 256
QUERY_TERMS = 32
QUERY_OPERATORS = 5

# Letters that no decomposition takes apart, and signs that are typed in several ways.
_SPELT: dict[str, str | None] = {
    "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ȷ": "j", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d",
    "ŋ": "n", "ə": "e", "\u2044": "/", "\u2215": "/", "\u2019": "'", "\u02bc": "'", "\u00b7": ".", "\u22c5": ".",
    "\u2022": ".", MARK_START: None, MARK_END: None,
}  # fmt: skip
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad\ufe58\ufe63\uff0d"
_INVISIBLE = (
    (0x00AD, 0x00AD), (0x0300, 0x036F), (0x061C, 0x061C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
    (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE007F), (0xE0100, 0xE01EF),
)  # fmt: skip
_FOLDING: dict[int, str | None] = {
    **{ord(sign): spelling for sign, spelling in _SPELT.items()},
    **{ord(dash): "-" for dash in _DASHES},
    **{code: None for first, last in _INVISIBLE for code in range(first, last + 1)},
}
_CLEANING: dict[int, str | None] = {
    **dict.fromkeys((*range(32), *range(127, 160), 8232, 8233), " "),
    **dict.fromkeys(range(55296, 57344), "�"),
    ord(MARK_START): None,
    ord(MARK_END): None,
}

# Marks that are part of a letter in the scripts of India and its neighbours; Python's \w leaves them out.
_VOWEL_SIGNS = "".join(
    chr(code) for code in range(0x0483, 0x1DC0) if unicodedata.category(chr(code)) in ("Mn", "Mc", "Me")
)
_IDEOGRAPHS = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_LETTER = rf"(?:[^\W_{_IDEOGRAPHS}]|[{_VOWEL_SIGNS}])"
_TERM = re.compile(rf"{_LETTER}+(?:(?<=\d)\.(?=\d){_LETTER}+)*|[{_IDEOGRAPHS}][\u3099\u309a]?")
_JOINED = re.compile(r"[-/_.:+*'’()\[\]{}@#&=~^%\\]*")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")
_PLAIN = re.compile(r"[a-z]{4,}")
_RUN = re.compile(r"\S+")
_SIMPLE_TERM = re.compile(r"[^\W_]+(?:(?<=\d)\.(?=\d)[^\W_]+)*")
_ASCII_TERM = re.compile(r"[a-z0-9]+(?:(?<=[0-9])\.(?=[0-9])[a-z0-9]+)*")  # of what is folded
_FOREIGN = re.compile(r"([^\x00-\x7f]+)")
_NOT_SIMPLE = re.compile(rf"[{_VOWEL_SIGNS}{_IDEOGRAPHS}]")
_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u00ab\u00bb\uff02"), '"')
_ASKED = re.compile(r'(-*)"([^"]*)"?|([^\s"]+)')

# Folded acronyms and formulae that a stemmer takes for plurals (SAXS would become sax, SANS san, GaAs gaa).
_UNSTEMMED = frozenset(
    [
        "saxs",
        "usaxs",
        "waxs",
        "gisaxs",
        "giwaxs",
        "asaxs",
        "biosaxs",
        "sans",
        "usans",
        "gisans",
        "vsans",
        "exafs",
        "nexafs",
        "sexafs",
        "xanes",
        "axes",
        "rixs",
        "xmcds",
        "ppms",
        "arpes",
        "trarpes",
        "haxpes",
        "nins",
        "qens",
        "gaas",
        "inas",
        "alas",
        "ingaas",
        "algaas",
        "zeis",
        "isis",
        "dials",
        "xds",
        "eiger",
        "fels",
        "sases",
    ]
)
_LOCAL = threading.local()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asked for: terms that must occur, phrases that must, and terms or phrases that must not."""

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[str | tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    terms: frozenset[str]


def clean(text: str) -> str:
    """Plain text that may be shown and marked: no highlight marks, control characters as blanks, no lone surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_CLEANING)


def fold(text: str) -> str:
    """The text without case, accents, invisible characters and runs of blanks (NFKD, Unicode case folding)."""
    return " ".join(_folded(clean(text)).split())


def words(text: str) -> list[str]:
    """The index terms of a text, in order, stemmed; see the rule at the top."""
    found: list[str] = []
    for written in text.split():  # no rule looks across a blank
        found += _run_words(written) if len(written) <= TERM_LENGTH else map(_stem, _terms(written))
    return found


def prefix(text: str) -> str:
    """The folded, unstemmed words of a text parted by single blanks: what suggestions are compared by."""
    return " ".join(_terms(text))


def parse(query: str) -> Asked:
    """Read a search box: words, ``"a phrase"``, ``-not``, ``-"not this phrase"``; an open quote ends with the query.

    Raises BadInput beyond 256 characters, 32 terms or 5 operators (quoted phrases, exclusions; reliability.md section 8).
    """
    _at_most(len(query), QUERY_LENGTH, "characters")
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    operators = 0
    for minus, quoted, bare in _ASKED.findall(clean(query).translate(_QUOTES)):
        excluded = bool(minus) or bare.startswith("-")
        found = _compounds(bare) if bare else [tuple(words(quoted))]
        found = [terms for terms in found if terms]
        operators += bool(found) and (excluded or not bare)
        (unwanted if excluded else wanted).extend(found)
    _at_most(operators, QUERY_OPERATORS, "quoted phrases and exclusions")
    _at_most(sum(map(len, wanted + unwanted)), QUERY_TERMS, "words")
    return Asked(
        words=tuple(dict.fromkeys(terms[0] for terms in wanted if len(terms) == 1)),
        phrases=tuple(dict.fromkeys(terms for terms in wanted if len(terms) > 1)),
        excluded=tuple(dict.fromkeys(terms if len(terms) > 1 else terms[0] for terms in unwanted)),
    )


def highlight(text: str, asked: Asked, width: int = 160) -> str | None:
    """The fragment of at most ``width`` characters that holds most of what was asked, its words marked; None without.

    Without the marks it is a substring of ``clean(text)``; the marks are U+E000 and U+E001.
    """
    if not asked.words and not asked.phrases:
        return None
    plain = clean(text[:HIGHLIGHT_READS])
    spans = _spans(_placed(plain), asked)
    if not spans:
        return None
    start, end = _window(plain, spans, width)
    pieces: list[str] = []
    at = start
    for span in spans:
        first, last = max(span.start, at), min(span.end, end)
        if first < last:
            pieces += (plain[at:first], MARK_START, plain[first:last], MARK_END)
            at = last
    pieces.append(plain[at:end])
    return "".join(pieces)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    parts = _FOREIGN.split(text)  # what follows an ASCII letter is folded as it is alone: no rule looks across
    parts[0::2] = map(str.lower, parts[0::2])
    parts[1::2] = map(_folded_signs, parts[1::2])
    return "".join(parts)


def _folded_signs(signs: str) -> str:
    return _folded_sign(signs) if len(signs) <= TERM_LENGTH else _folded_run(signs)


@lru_cache(maxsize=4_096)
def _folded_sign(signs: str) -> str:
    """Few letters that are not ASCII are met again and again."""
    return _folded_run(signs)


def _folded_run(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text).translate(_FOLDING).casefold()
    return unicodedata.normalize("NFKD", bare).translate(_FOLDING)


def _terms(text: str) -> list[str]:
    folded = _tidy(_folded(text))
    simple = _ASCII_TERM if folded.isascii() else _SIMPLE_TERM  # the same terms, in a third of the time
    pattern = _TERM if simple is _SIMPLE_TERM and _NOT_SIMPLE.search(folded) else simple
    found: list[str] = pattern.findall(folded)
    return found if max(map(len, found), default=0) <= TERM_LENGTH else [term[:TERM_LENGTH] for term in found]


def _tidy(folded: str) -> str:
    """Bragg's is a form of Bragg: blanks of the same length keep every position."""
    return _POSSESSIVE.sub("  ", folded) if "'" in folded else folded


@lru_cache(maxsize=65_536)
def _run_words(written: str) -> tuple[str, ...]:
    """The index terms of a run without blanks: the same ones come again and again in texts that are all different."""
    return tuple(map(_stem, _terms(written)))


def _stem(term: str) -> str:
    return _stemmed(term) if term.isalpha() else term  # what has digits is not remembered: there is no end of numbers


@lru_cache(maxsize=32_768)
def _stemmed(term: str) -> str:
    if _PLAIN.fullmatch(term) is None or term in _UNSTEMMED:
        return term
    stemmer = getattr(_LOCAL, "stemmer", None)
    if stemmer is None:  # a Snowball stemmer serves one thread
        stemmer = _LOCAL.stemmer = Stemmer.Stemmer("english", 0)
    return str(stemmer.stemWord(term))


def _compounds(chunk: str) -> list[tuple[str, ...]]:
    """The terms of a piece of query without blanks, those together that only joining signs stand between."""
    folded = _tidy(_folded(chunk))
    found: list[list[str]] = []
    end = -1
    for match in _TERM.finditer(folded):
        term = _stem(match[0][:TERM_LENGTH])
        if end >= 0 and _JOINED.fullmatch(folded, end, match.start()):
            found[-1].append(term)
        else:
            found.append([term])
        end = match.end()
    return [tuple(terms) for terms in found]


def _at_most(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise BadInput(
            f"The search text has {count} {what}; at most {limit} are taken.",
            field="query",
            remedy="Shorten it, or narrow the search with filters instead.",
        )


def _placed(plain: str) -> list[tuple[str, int, int]]:
    """The terms of clean text with the place of each in it: (term, start, end)."""
    placed: list[tuple[str, int, int]] = []
    for run in _RUN.finditer(plain):
        at, written = run.start(), run[0]
        found = _placed_short(written) if len(written) <= TERM_LENGTH else _placed_run(written)
        placed += [(term, at + first, at + last) for term, first, last in found]
    return placed


def _placed_run(written: str) -> tuple[tuple[str, int, int], ...]:
    """The terms of a run without blanks, with the place of each in it."""
    ascii_only = written.isascii()
    folded, places = (written.lower(), range(len(written))) if ascii_only else _mapped(written)
    found: list[tuple[str, int, int]] = []
    for match in _TERM.finditer(_tidy(folded)):
        first, last = places[match.start()], places[match.end() - 1] + 1
        last += 0 if ascii_only else _trailing_marks(written, last)
        found.append((_stem(match[0][:TERM_LENGTH]), first, last))
    return tuple(found)


@lru_cache(maxsize=16_384)
def _placed_short(written: str) -> tuple[tuple[str, int, int], ...]:
    return _placed_run(written)


def _mapped(written: str) -> tuple[str, Sequence[int]]:
    """The folded form of a run, and for each of its characters the place of the one it came from."""
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(written):
        end = at + 1 + _trailing_marks(written, at + 1)
        piece = _folded(written[at:end])
        pieces.append(piece)
        places.extend([at] * len(piece))
        at = end
    return "".join(pieces), places


def _trailing_marks(written: str, at: int) -> int:
    end = at
    while end < len(written) and unicodedata.combining(written[end]):
        end += 1
    return end - at


def _spans(placed: list[tuple[str, int, int]], asked: Asked) -> list[_Span]:
    """The places of what was asked, in order, overlapping ones made one."""
    wanted = [(word,) for word in asked.words] + list(asked.phrases)
    by_first: dict[str, list[tuple[str, ...]]] = {}
    for terms in wanted:
        by_first.setdefault(terms[0], []).append(terms)
    spans: list[_Span] = []
    for index, (term, start, end) in enumerate(placed):
        for terms in by_first.get(term, ()):
            rest = placed[index : index + len(terms)]
            if tuple(found for found, _, _ in rest) == terms:
                _add(spans, _Span(start, max(end, rest[-1][2]), frozenset(terms)))
    return spans


def _add(spans: list[_Span], span: _Span) -> None:
    if spans and span.start < spans[-1].end:
        last = spans.pop()
        span = _Span(last.start, max(last.end, span.end), last.terms | span.terms)
    spans.append(span)


def _window(plain: str, spans: list[_Span], width: int) -> tuple[int, int]:
    """The piece of text, no longer than width, with most different terms (the first of equals), cut at blanks."""
    best, best_score, last = (0, 0), (-1, -1), 0
    counts: dict[str, int] = {}
    for first, opening in enumerate(spans):
        while last < len(spans) and (last == first or spans[last].end - opening.start <= width):
            for term in spans[last].terms:
                counts[term] = counts.get(term, 0) + 1
            last += 1
        score = (len(counts), last - first)
        if score > best_score:
            best, best_score = (opening.start, min(spans[last - 1].end, opening.start + width)), score
        for term in opening.terms:
            counts[term] -= 1
            if not counts[term]:
                del counts[term]
    return _widened(plain, best[0], best[1], width)


def _widened(plain: str, start: int, end: int, width: int) -> tuple[int, int]:
    spare = max(0, width - (end - start))
    left = max(0, start - spare // 2)
    right = min(len(plain), left + max(width, end - start))
    left = max(0, min(left, right - width))
    if left > 0:
        blank = plain.find(" ", left, start)
        left = blank + 1 if blank >= 0 else start
    if right < len(plain):
        blank = plain.rfind(" ", end, right)
        right = blank if blank >= 0 else end
    return left, right
