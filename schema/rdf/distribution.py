"""This file is how the files of a dataset are reached, as a DCAT distribution: by the page, whose links and Analyse panel lead on."""

from __future__ import annotations

from schema.access import Access
from schema.rdf import vocabulary
from schema.rdf.neighbours import Neighbour, of_class
from schema.rdf.place import Place
from schema.rdf.terms import Term, iri, named, say, whole, words
from schema.records import Dataset


def distribution(record: Dataset, place: Place, node: Term, key: str) -> tuple[str, list[Neighbour]]:
    """What is said of the files of a dataset (its IRI, and its pid as a path), and of what that points to; nothing without files."""
    if record.access is Access.METADATA_ONLY:
        return "", []
    formats = record.files.formats
    file_type, nexus = vocabulary.file_type(formats), vocabulary.is_nexus(formats)
    licence = iri(vocabulary.licence_address(record.license)) or iri(record.license)
    rights = _rights(record, worded=licence is None)
    rights_node = f"<{place.url}/rights/{key}>"
    told = say(
        f"<{place.url}/distribution/{key}>",
        (
            ("rdf:type", "dcat:Distribution"),
            ("dct:title", named(record.title, record.pid)),
            ("dct:description", words(_amount(record), "en")),
            ("dcat:accessURL", node),
            ("dcat:byteSize", whole(record.files.bytes)),
            ("dct:format", file_type),
            ("dct:license", licence),
            ("dct:accessRights", vocabulary.ACCESS[record.access]),
            ("dct:conformsTo", vocabulary.NEXUS if nexus else None),
            ("dct:rights", rights_node if rights else None),
        ),
    )
    if rights:
        told += say(rights_node, (("rdf:type", "dct:RightsStatement"), ("rdfs:label", rights)))
    classes = ((file_type, "dct:MediaTypeOrExtent"), (licence, "dct:LicenseDocument"))
    about = [of_class(term, kind) for term, kind in classes if term]
    return told, [*about, of_class(vocabulary.NEXUS, "dct:Standard")] if nexus else about


def _rights(record: Dataset, *, worded: bool) -> Term | None:
    """The terms that no licence IRI says: an embargo, a licence in the source's own words."""
    said = []
    if record.access is Access.EMBARGOED and record.release is not None:
        said.append(f"Under embargo until {record.release:%Y-%m-%d}.")
    if worded and record.license:
        said.append(record.license)
    return words(" ".join(said))


def _amount(record: Dataset) -> str:
    count, formats = record.files.count, ", ".join(record.files.formats)
    files = "Files" if count is None else "1 file" if count == 1 else f"{count} files"
    return f"{files} at the home facility" + (f" ({formats})." if formats else ".")
