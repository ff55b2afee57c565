"""This file is a dataset as schema.org JSON-LD for its page (Google dataset search; context inline, nothing is loaded)."""

from __future__ import annotations

from typing import Any

from schema.access import Access
from schema.pids import is_doi, normal_orcid
from schema.rdf.sentence import description
from schema.rdf.terms import iri
from schema.rdf.vocabulary import licence_address
from schema.records import Dataset, Parameter, Person

_LONGEST = 5_000
_SHORTEST = 50


def schema_org(dataset: Dataset, page: str, facility: str, catalogue: str) -> dict[str, Any]:
    """The object to embed; keys without a value are left out."""
    made: dict[str, Any] = {
        "@context": {"@vocab": "http://schema.org/"},
        "@type": "Dataset",
        "@id": page,
        "url": page,
        "name": dataset.title,
        "description": _described(dataset, facility),
        "identifier": _identifier(dataset),
        "isAccessibleForFree": dataset.access is Access.OPEN,
        "creator": [_person(each) for each in dataset.people] or {"@type": "Organization", "name": facility},
        "publisher": {"@type": "Organization", "name": facility},
        "includedInDataCatalog": {"@type": "DataCatalog", "name": "pangate", "url": f"{catalogue}/"},
        "keywords": list(dict.fromkeys((*dataset.keywords, *(each.name for each in dataset.techniques)))),
        "measurementTechnique": [each.pid or each.name for each in dataset.techniques],
        "variableMeasured": [_measured(each) for each in dataset.parameters],
        "temporalCoverage": _when(dataset),
        "datePublished": dataset.release.date().isoformat() if dataset.release else None,
        "dateModified": dataset.modified.date().isoformat() if dataset.modified else None,
        "license": licence_address(dataset.license) or (dataset.license if iri(dataset.license) else None),
        "encodingFormat": list(dataset.files.formats),
        "contentSize": f"{dataset.files.bytes} B" if dataset.files.bytes is not None else None,
        "sameAs": [each for each in (dataset.source_url,) if iri(each) is not None],
    }
    return {key: value for key, value in made.items() if value not in (None, [], "")}


def _described(dataset: Dataset, facility: str) -> str:
    text = description(dataset, facility)
    if len(text) < _SHORTEST:
        text = f"{text} A dataset of {facility}: {dataset.title}."
    return text[:_LONGEST]


def _identifier(dataset: Dataset) -> str:
    return f"https://doi.org/{dataset.pid}" if is_doi(dataset.pid) else dataset.pid


def _person(each: Person) -> dict[str, str]:
    orcid = normal_orcid(each.orcid) if each.orcid else None
    made = {"@type": "Person", "name": each.name, "@id": f"https://orcid.org/{orcid}" if orcid else None}
    return {key: value for key, value in made.items() if value}


def _measured(each: Parameter) -> dict[str, Any]:
    made = {
        "@type": "PropertyValue",
        "name": each.name,
        "value": each.value if each.value is not None else each.text,
        "minValue": each.min,
        "maxValue": each.max,
        "unitText": each.unit,
    }
    return {key: value for key, value in made.items() if value is not None}


def _when(dataset: Dataset) -> str | None:
    days = [at.date().isoformat() for at in (dataset.start, dataset.end) if at]
    return "/".join(dict.fromkeys(days)) or None
