"""This file is which technique ontology is in use: the packaged PaNET, or a release that the settings name."""

from __future__ import annotations

from pathlib import Path

from schema.errors import Misconfigured
from schema.ontology import from_owl
from schema.techniques import Vocabulary, default, from_table


def vocabulary_of(place: str | None) -> Vocabulary:
    """The vocabulary of a path to a released OWL or a generated table (.json); the packaged one without. Raises Misconfigured."""
    if place is None:
        return default()
    try:
        data = Path(place).read_bytes()
        return from_table(data) if place.endswith(".json") else from_owl(data)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"PANGATE_VOCABULARY: {place} is no PaNET release that can be read ({error}).") from None
