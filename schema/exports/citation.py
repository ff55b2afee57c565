"""This file is a dataset's citation as text (DataCite's recommended form: creators, year, title, publisher, type, identifier)."""

from __future__ import annotations

from schema.pids import is_doi
from schema.records import Dataset

_MANY = 6


def citation(dataset: Dataset, facility: str, page: str) -> str:
    """One line that may be pasted into a list of references."""
    names = list(dict.fromkeys(each.name.strip() for each in dataset.people if each.name.strip()))
    people = "; ".join(names[:_MANY]) + (" et al." if len(names) > _MANY else "")
    when = dataset.release or dataset.start
    year = f" ({when.year})" if when else ""
    address = f"https://doi.org/{dataset.pid}" if is_doi(dataset.pid) else page
    return f"{people or facility}{year}: {dataset.title.strip().rstrip('.')}. {facility}. Dataset. {address}"
