"""This file is an answer as it arrives: read within its limits of bytes and of time, unpacked once, and whole or not at all.

Numbers: reliability reference, section 8 (harvest fetch).
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import msgspec
import requests

from schema.errors import RetryLater, StopHarvest

_SMALL = 1 << 20  # what is no larger unpacked may be packed as tightly as it likes
_BLOCK = 1 << 16
_END = 16
"""Bytes that may still come when all is unpacked: a block's end, the checksum and the length (RFC 1952, section 2.3.1)."""


class Patience(msgspec.Struct, frozen=True):
    """How long and how much: seconds and bytes of one call, and how often it is tried again. `slow_s`: in so many seconds an answer
    brings at least 1 KiB for each of them. `ratio`: how many times as large as it came a large answer may be unpacked."""

    connect_s: float = 5.0
    first_byte_s: float = 30.0
    total_s: float = 120.0
    slow_s: float = 30.0
    headers_bytes: int = 32 << 10
    wire_bytes: int = 32 << 20
    decoded_bytes: int = 64 << 20
    ratio: int = 200
    tries: int = 8
    all_tries_s: float = 3600.0
    base_s: float = 1.0
    cap_s: float = 300.0


def briefly(patience: Patience) -> Patience:
    """The same for somebody who waits for the answer: tried twice."""
    return msgspec.structs.replace(patience, tries=min(2, patience.tries))


class Broken(RetryLater):
    """The call ended without a whole answer."""


def arrived(response: requests.Response, patience: Patience, base: str) -> bytes:
    """The whole body, unpacked. Raises Broken for one that is cut or late, StopHarvest for one that is too large."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip"):
        raise Broken(f"The source sent an answer coded as {coding[:40]}, which was not asked for.")
    if sum(len(name) + len(value) + 4 for name, value in response.headers.items()) > patience.headers_bytes:
        raise StopHarvest(
            "too-large", f"An answer of {base} has more than {patience.headers_bytes >> 10} KiB of headers."
        )
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if coding == "gzip" else None
    wire, parts, size = 0, [], 0
    for chunk in _in_time(response, patience):
        wire += len(chunk)
        plain = unpack.decompress(chunk, patience.decoded_bytes - size + 1) if unpack else chunk
        size += len(plain)
        parts.append(plain)
        if wire > patience.wire_bytes or size > patience.decoded_bytes or (unpack and unpack.unconsumed_tail):
            raise StopHarvest("too-large", f"An answer of {base} is larger than {patience.decoded_bytes >> 20} MiB.")
        if unpack and size > max(_SMALL, patience.ratio * (wire if unpack.eof else wire + _END)):
            raise StopHarvest("too-large", f"An answer of {base} unpacks to more than {patience.ratio} times its size.")
    promised = response.headers.get("content-length", "")
    if (unpack is not None and not unpack.eof) or (promised.isdigit() and wire < int(promised)):
        raise Broken("The source broke off its answer.")
    return b"".join(parts)


def _in_time(response: requests.Response, patience: Patience) -> Iterator[bytes]:
    """What comes, while it comes fast enough."""
    begun = since = time.monotonic()
    came = 0
    while chunk := response.raw.read1(_BLOCK, decode_content=False):
        came += len(chunk)
        yield chunk
        now = time.monotonic()
        if now - begun > patience.total_s:
            raise Broken("The source did not finish its answer in time.")
        if now - since >= patience.slow_s:
            if came < patience.slow_s * 1024:
                raise Broken("The source sends less than 1 KiB a second.")
            since, came = now, 0
