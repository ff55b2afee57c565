"""The bad days of a server: what it does to the next requests when a test says so."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

Kind = Literal["500", "502-html", "html", "503", "429", "truncated", "reset", "slow", "garbage"]
"""500: a bare JSON string. 502-html: a proxy's page. html: a page with status 200 instead of JSON. 503 and 429: with Retry-After.
truncated: the JSON stops in its middle. reset: the connection dies inside the body. slow: `seconds` late. garbage: not JSON."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One request's fate; `seconds` is the delay of slow and the Retry-After of 503 and 429; `path` narrows it by a part of the URL."""

    kind: Kind
    seconds: float = 0.0
    path: str = ""


class Faults:
    """The fates still to come, in order. Not locked: deques are safe for this."""

    def __init__(self) -> None:
        """A good day."""
        self._next: deque[Fault] = deque()

    def add(self, count: int, fault: Fault) -> None:
        """The next `count` requests that fit meet the fault."""
        self._next.extend([fault] * count)

    def take(self, url: str) -> Fault | None:
        """The fate of the request to this URL, used up."""
        for fault in list(self._next):
            if fault.path in url:
                self._next.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """A good day again."""
        self._next.clear()
