"""This file is which technique ontology is in use: the packaged PaNET, or a release that the settings name by path or address.

What was fetched from an address is kept in the data folder, so that a restart works while the address does not answer.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import structlog
from urllib3.exceptions import HTTPError

from schema.errors import Misconfigured
from schema.ontology import OWL_BYTES, from_owl
from schema.techniques import Vocabulary, default, from_table

log = structlog.get_logger("pangate.vocabulary")

FETCH_S = 30.0  # for the whole of it, redirects included
_CONNECT_S = 5.0
_REDIRECTS = 5
_BLOCK = 65_536
_MOVED = frozenset({301, 302, 303, 307, 308})


class _Unreachable(Exception):
    """The address did not give the bytes; the message says why."""


def vocabulary_of(place: str | None, data: Path, *, within_s: float = FETCH_S) -> Vocabulary:
    """The vocabulary of a path or http(s) address of a released OWL or a generated table (.json); the packaged one without.

    `data` is the data folder; `within_s` the seconds a fetch may take. Raises Misconfigured.
    """
    if place is None:
        return default()
    if urlsplit(place).scheme in ("http", "https"):
        return _from_address(place, data / "vocabulary", within_s)
    try:
        return _read(place, Path(place).read_bytes())
    except OSError as error:
        raise Misconfigured(f"PANGATE_VOCABULARY: {place} cannot be read ({error.strerror}).") from None
    except ValueError as error:
        raise Misconfigured(f"PANGATE_VOCABULARY: {place} cannot be read ({error}).") from None


def _read(name: str, found: bytes) -> Vocabulary:
    """The vocabulary of bytes. Raises Misconfigured."""
    try:
        return from_table(found) if urlsplit(name).path.endswith(".json") else from_owl(found)
    except Misconfigured as error:
        raise Misconfigured(f"PANGATE_VOCABULARY: {name} is no PaNET release: {error.message}.") from None


def _from_address(address: str, folder: Path, within_s: float) -> Vocabulary:
    """What the address gives now, kept; else what it gave last."""
    kept = folder / hashlib.sha256(address.encode()).hexdigest()[:24]
    try:
        found = _fetched(address, time.monotonic() + within_s)
        vocabulary = _read(address, found)
    except (_Unreachable, Misconfigured) as error:
        return _last(address, kept, error)
    try:
        _keep(kept, found)
    except OSError as error:  # a folder one may only read: it works now, and the next start fetches again
        log.warning("vocabulary_not_kept", folder=str(folder), reason=error.strerror)
    return vocabulary


def _last(address: str, kept: Path, why: Exception) -> Vocabulary:
    try:
        found = kept.read_bytes()
    except OSError:
        told = why.message if isinstance(why, Misconfigured) else f"PANGATE_VOCABULARY: {address} gave nothing: {why}."
        raise Misconfigured(f"{told} Name a path, or mend the address; without it the packaged PaNET serves.") from None
    log.warning("vocabulary_kept_from_before", address=address, reason=str(why))
    return _read(address, found)


def _keep(path: Path, found: bytes) -> None:
    """Write the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(found)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def _fetched(address: str, until: float) -> bytes:
    """The bytes at an address, redirects followed. Raises _Unreachable."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Accept-Encoding"] = "identity"
        try:
            for _ in range(_REDIRECTS + 1):
                if urlsplit(address).scheme not in ("http", "https"):
                    raise _Unreachable("it leads to an address that is not http or https")
                with session.get(address, stream=True, allow_redirects=False, timeout=_patience(until)) as response:
                    if response.status_code not in _MOVED:
                        return _body(response, until)
                    address = urljoin(address, response.headers.get("location", ""))
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _Unreachable(f"it could not be fetched ({type(error).__name__})") from None
    raise _Unreachable(f"it leads on more than {_REDIRECTS} times")


def _patience(until: float) -> tuple[float, float]:
    """Seconds to connect and between two pieces."""
    left = until - time.monotonic()
    if left <= 0:
        raise _Unreachable("it took too long")
    return min(_CONNECT_S, left), min(_CONNECT_S, left)


def _body(response: requests.Response, until: float) -> bytes:
    if response.status_code != 200:
        raise _Unreachable(f"it answers {response.status_code}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Unreachable("it answers compressed though it was asked not to")
    found = bytearray()
    read: Callable[[int], bytes] = response.raw.read1  # what is there: a server that drips does not hold us
    while piece := read(_BLOCK):
        found += piece
        if len(found) > OWL_BYTES:
            raise _Unreachable(f"it has more than {OWL_BYTES >> 20} MiB")
        if time.monotonic() > until:
            raise _Unreachable("it took too long")
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) != len(found):
        raise _Unreachable("it ended too early")
    return bytes(found)
