"""This file is the names of records: DOIs, handles, ORCID and ROR ids in one spelling, and a name for what has none.

The pid of a record is its DOI (``10.5442/nd000001``) or handle (``20.500.12269/abc``; outside 20. and 21.
``hdl:11148/abc``) in normal form, else ``<facility>/<kind>/<id>`` (design, section 3). A foreign id may be anything, so
in that last form

- letters and digits of ASCII and ``- . _ : + = @ ,`` stay, and ``/`` parts segments;
- every other byte of its UTF-8 is written ``~hh`` (the tilde too; ``~`` is never altered in a URL, ``%`` would be);
- an empty segment is written ``~``, and the first dot of a segment of dots ``~2E``: browsers would walk on these;
- what is longer than 512 characters ends after 256 in ``~~`` and the SHA-256 of the whole.

So different ids have different pids, and a pid survives a URL path, a database, a log and RDF.
"""

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import unquote

LOCAL_LENGTH = 512
_LONGEST = 2_048  # characters of a DOI or handle; beyond it is none

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000\ue001\ufffd]+")
_DOI_ENCODED = re.compile(r"10\.[0-9.]{4,40}%(?:25)*2f", re.IGNORECASE)
_DOI_URL = re.compile(
    r"(?:https?:)?//(?:(?:dx\.|www\.)?doi\.org|doi\.[a-z0-9.-]+|hdl\.handle\.net|n2t\.net)/", re.IGNORECASE
)
_DOI_URL_BARE = re.compile(r"(?:(?:dx\.|www\.)?doi\.org|hdl\.handle\.net)/", re.IGNORECASE)
_DOI_SCHEME = re.compile(r"(?:urn:doi:|info:doi/|info:hdl/|doi|hdl:)[:/\s]*", re.IGNORECASE)
_HANDLE_URL = re.compile(r"(?:https?:)?(?://)?hdl\.handle\.net/", re.IGNORECASE)
_HANDLE_SCHEME = re.compile(r"(?:info:hdl/|urn:hdl:|hdl:)\s*", re.IGNORECASE)
_HANDLE = re.compile(
    r"([0-9]+(?:\.[0-9a-z]+)*)/([^\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000\ue001\ufffd]+)", re.IGNORECASE
)
_KNOWN_HANDLE = re.compile(r"2[01]\.[0-9a-z.]+/", re.IGNORECASE)
_ORCID = re.compile(
    r"(?:(?:https?://)?(?:www\.)?orcid\.org/|orcid:?\s*)?((?:[0-9]{4}-?){3}[0-9]{3}[0-9X])/?", re.IGNORECASE
)
_ROR = re.compile(r"(?:(?:https?://)?(?:www\.)?ror\.org/|ror:\s*)?(0[a-hj-km-np-tv-z0-9]{6}[0-9]{2})/?", re.IGNORECASE)
_ROR_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32

_KEPT = re.compile(r"[^A-Za-z0-9\-._:+=@,/]")
_KEPT_KEY = re.compile(r"[^A-Za-z0-9\-_]")
_KEPT_TYPED = re.compile(r"[^A-Za-z0-9\-._:+=@,/~]")
_KEPT_TYPED_KEY = re.compile(r"[^A-Za-z0-9\-_~]")
_CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<"}


def normal_doi(text: str) -> str | None:
    """The DOI a text spells (``doi:``, any resolver's URL, percent-encoded, any case), as ``10.5442/nd000001``.

    None when the text is no DOI. Case is folded for ASCII only (DOI Handbook, 2.4); punctuation of a sentence around it
    goes, closing brackets only when nothing opened them.
    """
    if len(text) > 2 * _LONGEST:
        return None
    bare = _without_scheme(text.strip().lstrip("<([{\"'"))
    for _ in range(4):
        if not _DOI_ENCODED.match(bare):
            break
        bare = unquote(bare, errors="replace")
    bare = _without_trailing(bare)
    if len(bare) > _LONGEST or not _DOI.fullmatch(bare):
        return None
    return bare.translate(_LOWER)


def normal_handle(text: str) -> str | None:
    """The handle a text spells, that is no DOI: ``20.500.12269/Abc``, ``21.T11148/x``, ``hdl:11148/abc``; else None.

    Without ``hdl:`` or resolver only prefixes below 20. and 21. are taken for handles: ``2024/run7`` is none. Prefixes
    are written in capitals, suffixes as given (RFC 3650, 3.1: a service may tell case apart).
    """
    if len(text) > 2 * _LONGEST or normal_doi(text) is not None:
        return None
    bare = text.strip().lstrip("<([{\"'")
    named = False
    if match := _HANDLE_URL.match(bare):
        bare, named = unquote(re.split(r"[?#]", bare[match.end() :], maxsplit=1)[0], errors="replace"), True
    elif match := _HANDLE_SCHEME.match(bare):
        bare, named = bare[match.end() :], True
    bare = _without_trailing(bare)
    parts = _HANDLE.fullmatch(bare)
    if parts is None or len(bare) > _LONGEST or bare.startswith("10."):
        return None
    known = _KNOWN_HANDLE.match(bare) is not None
    if not known and not named:
        return None
    return f"{'' if known else 'hdl:'}{parts[1].upper()}/{parts[2]}"


def is_doi(pid: str) -> bool:
    """Whether a pid in normal form is a DOI."""
    return normal_doi(pid) == pid


def prefix_of(pid: str) -> str | None:
    """The registrant's prefix of a DOI or handle in normal form (``10.5442``); None of a local name."""
    if normal_doi(pid) == pid or normal_handle(pid) == pid:
        return pid.removeprefix("hdl:").split("/", 1)[0]
    return None


def pid_of(facility: str, kind: str, id: str, candidates: Iterable[str]) -> str:
    """The pid of a record: the first DOI among the candidates, else the first handle, else ``<facility>/<kind>/<id>``."""
    offered = list(candidates)
    for spelling in (normal_doi, normal_handle):
        for candidate in offered:
            if (pid := spelling(candidate)) is not None:
                return pid
    keys = "/".join(_KEPT_KEY.sub(_tilde, key) or "~" for key in (facility, kind))
    return f"{keys}/{_shortened(_walkable(_KEPT.sub(_tilde, id)), id)}"


def normal(text: str) -> str:
    """The pid meant by what a reader typed: a DOI or handle in any spelling, or a local name, escaped where it must be."""
    named = normal_doi(text) or normal_handle(text)
    if named is not None:
        return named
    typed = _KEPT_TYPED.sub(_tilde, text.strip(" \t\r\n\f\v/"))
    facility, slash, rest = typed.partition("/")
    key = _KEPT_TYPED_KEY.sub(_tilde, facility)  # or what is no DOI could become one by being escaped
    return f"{key}/{_walkable(rest)}" if slash else key


def normal_orcid(text: str) -> str | None:
    """The ORCID iD a text spells, as ``0000-0002-1825-0097``; None when it is none or its check digit is wrong.

    The check digit is ISO 7064 MOD 11-2 (ORCID, Structure of the ORCID Identifier).
    """
    match = _ORCID.fullmatch(text.strip())
    if match is None:
        return None
    digits = match[1].replace("-", "").upper()
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if digits[-1] != ("X" if check == 10 else str(check)):
        return None
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4))


def normal_ror(text: str) -> str | None:
    """The ROR id a text spells, as ``https://ror.org/02aj13c28``; None when it is none or its checksum is wrong.

    The checksum is ISO 7064 MOD 97-10 over Crockford's base 32 (ROR, ROR identifier pattern).
    """
    match = _ROR.fullmatch(text.strip())
    if match is None:
        return None
    id_ = match[1].lower()
    number = 0
    for digit in id_[:7]:
        number = number * 32 + _ROR_DIGITS.index(digit)
    if int(id_[7:]) != 98 - (number * 100) % 97:
        return None
    return f"https://ror.org/{id_}"


def _without_scheme(text: str) -> str:
    """The text behind any of ``doi:``, ``DOI ``, ``info:doi/``, ``https://doi.org/`` …, decoded if it was a URL."""
    for _ in range(3):
        if match := _DOI_URL.match(text) or _DOI_URL_BARE.match(text):
            return unquote(re.split(r"[?#]", text[match.end() :], maxsplit=1)[0], errors="replace")
        match = _DOI_SCHEME.match(text)
        if match is None:
            break
        text = text[match.end() :]
    return text


def _without_trailing(text: str) -> str:
    while text:
        last = text[-1]
        opener = _CLOSERS.get(last)
        unopened = opener is not None and text.count(last) > text.count(opener)
        if not (unopened or last in ".,;:!?'\"/" or last.isspace()):
            break
        text = text[:-1]
    return text


def _tilde(match: re.Match[str]) -> str:
    return "".join(f"~{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def _walkable(path: str) -> str:
    return "/".join(_segment(segment) for segment in path.split("/"))


def _segment(segment: str) -> str:
    if not segment:
        return "~"
    return f"~2E{segment[1:]}" if not segment.strip(".") else segment


def _shortened(path: str, id_: str) -> str:
    if len(path) <= LOCAL_LENGTH:
        return path
    digest = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
    whole = path[:256].rpartition("~")[0] if "~" in path[254:256] else path[:256]  # never half an escape
    return f"{whole}~~{digest}"
