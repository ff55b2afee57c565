"""This file is what an index needs of the technique vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Techniques(Protocol):
    """The techniques of the vocabulary (an IRI it does not know has none of these). It never changes."""

    def __hash__(self) -> int: ...

    def ancestors(self, iri: str, /) -> Sequence[str]:
        """The IRIs of all broader techniques, near and far."""

    def label(self, iri: str, /) -> str | None:
        """The preferred label."""

    def synonyms(self, iri: str, /) -> Sequence[str]:
        """Other labels."""


class NoTechniques:
    """A vocabulary that knows nothing: techniques are what the documents say."""

    def ancestors(self, _iri: str, /) -> Sequence[str]:
        """None."""
        return ()

    def label(self, _iri: str, /) -> str | None:
        """None."""
        return None

    def synonyms(self, _iri: str, /) -> Sequence[str]:
        """None."""
        return ()
