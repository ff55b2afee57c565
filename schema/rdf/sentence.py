"""This file is the sentence that stands where a record has no description: made of facts, marked as ours, never kept as the record's."""

from __future__ import annotations

from collections.abc import Iterable

from schema.mark import MARK
from schema.rdf.terms import words
from schema.records import Dataset


def description(dataset: Dataset, facility: str) -> str:
    """What the record says, else the marked sentence about its type, instrument, technique, sample, facility and date."""
    if dataset.description and words(dataset.description) is not None:
        return dataset.description
    return f"{MARK} {sentence(dataset, facility)}"


def sentence(dataset: Dataset, facility: str) -> str:
    """The facts of a dataset in one sentence."""
    kind = f"{dataset.type.strip()} dataset" if dataset.type and dataset.type.strip() else "Dataset"
    parts = [kind[:1].upper() + kind[1:]]
    samples = _listed(part.name or part.formula for part in dataset.samples)
    techniques = _listed(each.name for each in dataset.techniques)
    instruments = _listed(part.name for part in dataset.instruments)
    parts += [f"of {samples}"] if samples else []
    parts += [f"by {techniques}"] if techniques else []
    parts += [f"at {instruments}"] if instruments else []
    parts += [f"of {facility}" if instruments else f"at {facility}"]
    parts += [f"on {dataset.start:%Y-%m-%d}"] if dataset.start else []
    return " ".join(parts) + "."


def _listed(names: Iterable[str | None]) -> str:
    shown = [each for each in dict.fromkeys(names) if each][:3]
    return ", ".join(shown)
