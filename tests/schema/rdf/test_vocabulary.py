"""Words of facilities in controlled vocabularies."""

import pytest
from pyoxigraph import RdfFormat, parse

from schema.rdf import vocabulary
from schema.rdf.vocabulary import file_type, is_nexus, licence, licence_address


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("CC-BY", "CC-BY-4.0"),
        ("CC BY-NC-SA 3.0", "CC-BY-NC-SA-3.0"),
        ("CC0", "CC0-1.0"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by-sa/4.0/legalcode", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
        ("facility terms", None),
        ("", None),
        (None, None),
    ],
)
def test_creative_commons_licences_are_known_however_they_are_written(written: str | None, known: str | None) -> None:
    assert licence(written) == known


def test_a_licence_s_address_is_its_maker_s() -> None:
    assert licence_address("CC BY-SA 4.0") == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert licence_address("CC0") == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert licence_address("our own") is None


def test_the_first_known_format_gives_the_file_type() -> None:
    assert file_type(["foo", ".NXS"]).endswith("file-type/HDF>")
    assert file_type(["HDF5 / NeXus"]).endswith("file-type/HDF>")
    assert file_type(["foo"]) is None
    assert is_nexus(["h5", "nxs"])
    assert is_nexus(["HDF5 / NeXus"])
    assert not is_nexus(["h5"])


def test_every_file_type_is_in_the_table_of_the_european_union(shared) -> None:
    table = shared / "standards" / "eu-vocabularies" / "file-type.rdf"
    known = {
        str(quad.subject) for quad in parse(table.read_bytes(), RdfFormat.RDF_XML) if hasattr(quad.subject, "value")
    }
    for word in vocabulary.FORMATS_KNOWN:
        assert file_type([word]) in known
