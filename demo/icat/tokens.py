"""This file is the lexer of icat.server's queries, with the words it uses when it stumbles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from demo.icat.errors import bad, syntax
from demo.icat.moments import literal

Kind = Literal["name", "number", "string", "time", "sign", "parameter", "end"]

PATTERN = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<time>\{[^}]*\})"
    r"|(?P<parameter>:[A-Za-z_]+)"
    r"|(?P<sign><->|<>|<=|>=|!=|[-=<>(),+*/\[\]])"
)


@dataclass(frozen=True)
class Token:
    """One word of a query: its text, its meaning as a value, and where it stands."""

    kind: Kind
    text: str
    value: Any
    start: int
    end: int

    @property
    def word(self) -> str:
        """The text for comparing with keywords; a string literal is never a keyword."""
        return self.text.upper() if self.kind in ("name", "sign") else ""


def _time(text: str) -> datetime:
    moment = literal(text[1:-1])
    if moment is None:
        raise bad(f"Timestamp {text} is not of form {{ts yyyy-mm-dd hh:mm:ss}}.")
    return moment


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def _token(kind: Kind, text: str, start: int) -> Token:
    value: Any = text
    if kind == "string":
        value = text[1:-1].replace("''", "'")
    elif kind == "time":
        value = _time(text)
    elif kind == "number":
        value = _number(text)
    return Token(kind, text, value, start, start + len(text))


def tokens(query: str) -> list[Token]:
    """The words of a query; raises Refusal BAD_PARAMETER."""
    found: list[Token] = []
    place = 0
    while place < len(query):
        match = PATTERN.match(query, place)
        if match is None:
            near = query[max(0, place - 4) : place + 5]
            raise bad(f"Unexpected character '{query[place]}' near \"{near}\" in state NONE for string: {query}")
        if match.lastgroup != "blank":
            found.append(_token(match.lastgroup, match.group(), place))  # type: ignore[arg-type]
        place = match.end()
    return found


class Reader:
    """A walk along the words of a query."""

    def __init__(self, query: str, words: list[Token]) -> None:
        self.query = query
        self.words = words
        self.place = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next word, or an empty one past the end."""
        place = self.place + ahead
        if place < len(self.words):
            return self.words[place]
        return Token("end", "", None, len(self.query), len(self.query))

    def take(self) -> Token:
        """The next word; past the end the server says so."""
        if self.place >= len(self.words):
            raise bad("Attempt to read beyond end")
        self.place += 1
        return self.words[self.place - 1]

    def at(self, *words: str) -> bool:
        """Whether these keywords or signs come next."""
        return all(self.peek(n).word == word for n, word in enumerate(words))

    def skip(self, *words: str) -> bool:
        """Step over these keywords if they come next."""
        if self.at(*words):
            self.place += len(words)
            return True
        return False

    def need(self, word: str) -> Token:
        """Step over a keyword or sign that must come."""
        if not self.at(word):
            raise self.stumble(f"The word {word} is missing.")
        return self.take()

    def name(self) -> Token:
        """Step over a name or dotted path that must come."""
        if self.peek().kind != "name":
            raise self.stumble("A path is missing.")
        return self.take()

    def stumble(self, reason: str) -> Exception:
        """What the JPQL compiler says about the place reached."""
        return syntax(self.query, self.peek().start, reason)

    def surplus(self) -> Exception:
        """What is said about a word behind the end."""
        place = self.place
        before = " ".join(t.text for t in self.words[max(0, place - 2) : place])
        after = "".join(f"{t.text} " for t in self.words[place + 1 : place + 3])
        return bad(f"No more input expected at token {self.peek().text} in {before} < {self.peek().text} > {after}")
