"""This file is a dataset's Link header fields (FAIR Signposting, level 1; RFC 8288)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema.pids import is_doi, normal_orcid
from schema.rdf.terms import iri
from schema.rdf.vocabulary import licence_address
from schema.records import Dataset

_PEOPLE = 10
_PROFILE = "http://data.europa.eu/r5r/"


def links(dataset: Dataset, page: str, formats: Sequence[tuple[str, str]]) -> list[str]:
    """The links of a landing page: authors, how to cite, descriptions (media type and the word of `?format=`), licence, types."""
    made = [_link(f"https://doi.org/{dataset.pid}" if is_doi(dataset.pid) else page, "cite-as")]
    made += [_link(each, "author") for each in list(_authors(dataset))[:_PEOPLE]]
    made += [
        f'{_link(f"{page}?format={word}", "describedby")}; type="{media}"; profile="{_PROFILE}"'
        for media, word in formats
    ]
    licence = licence_address(dataset.license) or (dataset.license if iri(dataset.license) is not None else None)
    made += [_link(licence, "license")] if licence else []
    return [*made, _link("https://schema.org/Dataset", "type"), _link("https://schema.org/AboutPage", "type")]


def _authors(dataset: Dataset) -> Iterable[str]:
    for person in dataset.people:
        orcid = normal_orcid(person.orcid) if person.orcid else None
        if orcid:
            yield f"https://orcid.org/{orcid}"


def _link(target: str, relation: str) -> str:
    """RFC 3986 has no room for anything but ASCII in a header's target."""
    safe = "".join(sign if 32 < ord(sign) < 127 and sign not in '<>"' else _percent(sign) for sign in target)
    return f'<{safe}>; rel="{relation}"'


def _percent(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "replace"))
