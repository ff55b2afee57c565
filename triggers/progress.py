"""This file is what a JupyterHub says of a starting server: its event stream read, its words made fit for a person.

Format: JupyterHub REST API, "progress"; server-sent events (HTML standard, 9.2). Traps: trigger-targets reference, 1.3 and 1.4.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import msgspec

LENGTH = 300

_TAG = re.compile(r"<[^<>]{0,500}>")
_HEADERS = re.compile(r"HTTP response headers:.*?(?=HTTP response body:|$)", re.DOTALL | re.IGNORECASE)
_API_BODY = re.compile(r'"message"\s*:\s*"((?:[^"\\]|\\.){1,500})"')
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_QUEUED = re.compile(
    r"pending in queue|in queue|nodes are available|FailedScheduling|waiting for (a )?node", re.IGNORECASE
)
_NO_REASON = re.compile(r"^spawn failed:?\s*$", re.IGNORECASE)


class Event(msgspec.Struct, frozen=True):
    """One event of the stream."""

    message: str = ""
    progress: int | None = None
    ready: bool = False
    failed: bool = False

    @property
    def final(self) -> bool:
        """Whether nothing follows."""
        return self.ready or self.failed


def read_events(stream: bytes) -> list[Event]:
    """The events in a (perhaps cut) stream; what is none is passed over."""
    found = []
    for line in stream.decode("utf-8", "replace").splitlines():
        if not line.startswith("data:"):
            continue
        try:
            raw = msgspec.json.decode(line[5:].strip().encode())
        except (msgspec.DecodeError, RecursionError):
            continue
        if isinstance(raw, dict):
            found.append(_event(raw))
    return found


def explanation(events: Sequence[Event]) -> str:
    """Why a start failed: the failed event's reason, or when it has none the last thing said before it."""
    last = next((event.message for event in reversed(events) if event.failed), "")
    if last and not _NO_REASON.match(last):
        return re.sub(r"^spawn failed:\s*", "", last, flags=re.IGNORECASE)
    before = next((event.message for event in reversed(events) if not event.final and event.message), "")
    return f"The last the platform said was: {before}" if before else ""


def queued(events: Sequence[Event]) -> bool:
    """Whether the newest words say that the session waits for its turn."""
    said = [event.message for event in events if event.message]
    return bool(said) and _QUEUED.search(said[-1]) is not None


def clean(text: object) -> str:
    """A platform's words for people: plain text in one line, at most 300 characters, without tags and raw headers."""
    if not isinstance(text, str):
        return ""
    plain = _HEADERS.sub(" ", text[: 64 * LENGTH])
    body = _API_BODY.search(plain) if "HTTP response body:" in plain else None
    if body is not None:
        plain = body[1].replace('\\"', '"')
    plain = html.unescape(_TAG.sub(" ", plain))
    plain = " ".join(_CONTROLS.sub(" ", _TAG.sub(" ", plain)).split())
    return plain if len(plain) <= LENGTH else plain[: LENGTH - 1].rstrip() + "…"


def _event(raw: dict[str, object]) -> Event:
    progress = raw.get("progress")
    return Event(
        message=clean(raw.get("message")),
        progress=max(0, min(100, int(progress)))
        if isinstance(progress, int | float) and abs(progress) < 1e6 and not isinstance(progress, bool)
        else None,
        ready=raw.get("ready") is True,
        failed=raw.get("failed") is True,
    )
