"""The vocabulary of techniques: every spelling facilities use, and an exact hierarchy."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import RDFS, Graph, URIRef

from schema.errors import Misconfigured
from schema.ontology import exact_matches, from_owl, main, table_of
from schema.techniques import Table, Term, Vocabulary, default, from_table, of

PANET = "http://purl.org/pan-science/PaNET/"
TOMOGRAPHY = PANET + "PaNET01129"
SAXS = PANET + "PaNET01188"


@pytest.fixture(scope="module")
def owl(shared: Path) -> bytes:
    return (shared / "standards/panet/PaNET-1.3.0.owl").read_bytes()


@pytest.fixture(scope="module")
def graph(owl: bytes) -> Graph:
    return Graph().parse(data=owl, format="xml")


@pytest.mark.parametrize(
    "spelling",
    [
        "tomography",
        "Tomography",
        " TOMOGRAPHY ",
        "PaNET01129",
        "panet01129",
        "PaNET:01129",
        "PaNET:PaNET01129",
        "PaNET_01129",
        "http://purl.org/pan-science/PaNET/PaNET01129",
        "https://purl.org/pan-science/PaNET/PaNET01129",
        "<http://purl.org/pan-science/PaNET/PaNET01129>",
        "http://purl.org/pan-science/PaNET/PaNET01129/",
        "photon_and_neutron_technique.defined_by_purpose.imaging.obtain_3D_spatial_map.tomography",
        "a.b.tomography;\na.c.tomography;",
        "tomography;\n",
    ],
)
def test_every_spelling_of_a_technique_resolves(spelling: str) -> None:
    term = default().resolve(spelling)
    assert term is not None
    assert (term.iri, term.label, term.code) == (TOMOGRAPHY, "tomography", "PaNET01129")


@pytest.mark.parametrize(
    "spelling",
    ["SAXS", "saxs", "Small-Angle X-ray Scattering", "small angle X ray scattering", "small_angle_x-ray_scattering"],
)
def test_labels_and_synonyms_are_compared_as_folded_words(spelling: str) -> None:
    term = default().resolve(spelling)
    assert term is not None
    assert term.iri == SAXS


@pytest.mark.parametrize(
    "text",
    ["", " ", ";", ".", "no such technique", "PaNET99999", "http://example.org/PaNET01129", "SAXS; tomography", "x" * 20_000,
     "PaNET", "http://purl.org/pan-science/PaNET/", "tomographyy", "\x00", "\ud800"],
)  # fmt: skip
def test_what_names_no_one_technique_resolves_to_none(text: str) -> None:
    assert default().resolve(text) is None


def test_a_name_of_several_techniques_means_the_one_broader_than_the_others() -> None:
    term = default().resolve("diffraction")
    assert term is not None
    assert term.code == "PaNET01022"
    assert PANET + "PaNET01163" in default().narrower(term.iri)  # its synonym says "Diffraction" too


def test_a_name_of_several_unrelated_techniques_means_none_of_them() -> None:
    terms = (
        Term("x:1", "one", ("shared",)),
        Term("x:2", "two", ("shared",)),
        Term("x:3", "three", ("two",), broader=("x:2",)),
    )
    vocabulary = of(Table("N", "", "1", None, "", "", terms))
    assert vocabulary.resolve("shared") is None
    assert vocabulary.resolve("two") == terms[1]


def test_an_equivalent_class_elsewhere_is_the_technique() -> None:
    term = default().resolve("https://www.wikidata.org/wiki/Q133900")
    assert term is not None
    assert term.label == "diffraction"


def test_a_name_that_a_published_mapping_matches_exactly_resolves() -> None:
    term = default().resolve("X-ray excited optical luminescence (XEOL)")
    assert term is not None
    assert term.code == "PaNET01140"


def test_specifiers_resolve_by_code_and_never_by_label() -> None:
    vocabulary = default()
    specifiers = [term for term in vocabulary.terms.values() if not term.technique]
    assert len(specifiers) == 128
    for term in specifiers:
        assert vocabulary.resolve(term.iri) == term
        by_label = vocabulary.resolve(term.label)
        assert by_label is None or by_label.technique


def test_every_technique_resolves_by_its_own_label_code_and_iri() -> None:
    vocabulary = default()
    techniques = [term for term in vocabulary.terms.values() if term.technique and term.label]
    assert len(techniques) == 377
    for term in techniques:
        assert vocabulary.resolve(term.label) == vocabulary.resolve(term.code) == vocabulary.resolve(term.iri) == term
        assert all(vocabulary.resolve(name) for name in term.synonyms)


def test_the_vocabulary_says_what_it_is_and_whose() -> None:
    vocabulary = default()
    assert (vocabulary.name, vocabulary.version) == ("PaNET", "1.3.0")
    assert vocabulary.url == "http://purl.org/pan-science/PaNET/PaNET.owl"
    assert vocabulary.license == "https://creativecommons.org/licenses/by/4.0/"
    assert "pan-ontologies/PaNET" in vocabulary.attribution


def test_the_expansion_of_every_class_is_that_of_the_released_ontology(graph: Graph) -> None:
    vocabulary = default()
    assert len(vocabulary.terms) == 506
    for iri in vocabulary.terms:
        independent = {
            str(node) for node in graph.transitive_subjects(RDFS.subClassOf, URIRef(iri)) if isinstance(node, URIRef)
        }
        assert vocabulary.narrower(iri) == independent


def test_the_ancestors_of_every_class_are_those_of_the_released_ontology(graph: Graph) -> None:
    vocabulary = default()
    for iri in vocabulary.terms:
        independent = {
            str(node)
            for node in graph.transitive_objects(URIRef(iri), RDFS.subClassOf)
            if isinstance(node, URIRef) and (node, RDFS.label, None) in graph and str(node) != iri
        }
        assert set(vocabulary.ancestors(iri)) == independent
        assert len(vocabulary.ancestors(iri)) == len(independent)


def test_narrower_and_ancestors_are_each_others_inverse() -> None:
    vocabulary = default()
    for iri, term in vocabulary.terms.items():
        assert iri in vocabulary.narrower(iri)
        assert iri not in vocabulary.ancestors(iri)
        assert all(iri in vocabulary.narrower(above) for above in vocabulary.ancestors(iri))
        assert {parent.iri for parent in vocabulary.broader(iri)} <= set(vocabulary.ancestors(iri))
        assert term.label == "" or all(iri in vocabulary.ancestors(below) for below in vocabulary.narrower(iri) - {iri})


def test_direct_parents_are_given_by_label() -> None:
    assert [term.label for term in default().broader(SAXS)] == ["small angle scattering", "x-ray scattering"]
    assert default().label(SAXS) == "small angle x-ray scattering"
    assert default().synonyms(SAXS) == ("SAXS",)


def test_an_unknown_iri_has_nothing_around_it() -> None:
    vocabulary = default()
    assert vocabulary.narrower("urn:x") == {"urn:x"}
    assert (vocabulary.ancestors("urn:x"), vocabulary.broader("urn:x"), vocabulary.label("urn:x")) == ((), (), None)
    assert vocabulary.synonyms("urn:x") == ()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("tomo", "tomography"),
        ("SAXS", "small angle x-ray scattering"),
        ("X-ray dif", "x-ray diffraction"),
        ("spectro absorp", "absorption spectroscopy"),
        ("PaNET01129", "tomography"),
        (TOMOGRAPHY, "tomography"),
        ("exa", "extended x-ray absorption fine structure"),
    ],
)
def test_a_reader_who_types_sees_the_best_match_first(text: str, first: str) -> None:
    assert default().search(text, 10)[0].label == first


def test_a_search_is_bounded_and_never_offers_specifiers() -> None:
    vocabulary = default()
    assert len(vocabulary.search("", 7)) == 7
    assert vocabulary.search("x", 0) == []
    assert vocabulary.search("x", -1) == []
    assert vocabulary.search("zzzz", 5) == []
    assert all(term.technique and term.label for term in vocabulary.search("", 1000))
    assert {term.code for term in vocabulary.search("panet0112", 20)} == {
        code for term in vocabulary.terms.values() if (code := term.code).startswith("PaNET0112")
    }


@given(
    st.text(st.characters(codec=None), max_size=60)
    | st.text(st.sampled_from(list("PaNET:/01129.;\n_ -saxs")), max_size=30)
)
def test_any_text_is_a_technique_or_none(text: str) -> None:
    term = default().resolve(text)
    assert term is None or default().resolve(term.iri) == term
    assert len(default().search(text, 5)) <= 5


def test_the_packaged_table_is_what_the_release_gives(shared: Path, tmp_path: Path) -> None:
    panet = shared / "standards/panet"
    main([panet / "PaNET-1.3.0.owl", panet / "mapping_WFL.csv", tmp_path / "table.json"])
    packaged = Path(__file__).parents[2] / "schema/panet.json"
    assert (tmp_path / "table.json").read_bytes() == packaged.read_bytes()


def test_a_released_owl_file_serves_as_well_as_the_table(owl: bytes) -> None:
    def shape(vocabulary: Vocabulary) -> object:
        return vocabulary.version, dict(vocabulary.terms), {iri: vocabulary.narrower(iri) for iri in vocabulary.terms}

    assert shape(from_owl(owl)) == shape(default())
    assert shape(from_table(msgspec.json.encode(table_of(owl)))) == shape(default())


def test_a_vocabulary_in_turtle_is_read_too(graph: Graph) -> None:
    assert dict(from_owl(graph.serialize(format="turtle").encode()).terms) == dict(default().terms)


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"{}", b"\x00\xff", b"<rdf:RDF", b"@prefix x", b" " * (16 * 1024 * 1024 + 1)]
)
def test_what_is_no_ontology_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(Misconfigured):
        from_owl(text)


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff", json.dumps({"name": "x", "terms": "y"}).encode()])
def test_what_is_no_table_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(Misconfigured):
        from_table(text)


def test_an_entity_bomb_is_refused() -> None:
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "{"x" * 100}">{entities}]><r>&a9;</r>'
    with pytest.raises(Misconfigured):
        from_owl(bomb.encode())


def test_a_circle_of_broader_terms_ends() -> None:
    terms = (Term("x:1", "one", broader=("x:2",)), Term("x:2", "two", broader=("x:1", "x:9")))
    vocabulary = of(Table("N", "", "1", None, "", "", terms))
    assert vocabulary.narrower("x:1") == {"x:1", "x:2"}
    assert vocabulary.ancestors("x:1") == ("x:2",)
    assert [term.label for term in vocabulary.broader("x:2")] == ["one"]


def test_only_exact_matches_of_a_mapping_are_taken() -> None:
    mapping = "# licence\nsubject_id,predicate_id,object_label\npanet:PaNET1,skos:exactMatch,A\npanet:PaNET2,skos:narrowMatch,B\n"
    assert exact_matches(mapping) == {"A": PANET + "PaNET1"}


def test_every_technique_in_recorded_scicat_records_resolves(shared: Path) -> None:
    documents = json.loads((shared / "data/scicat/scicatlive-Dataset.json").read_text(encoding="utf-8"))
    techniques = [each for document in documents for each in document.get("techniques") or ()]
    assert techniques
    for technique in techniques:
        by_code, by_path = default().resolve(technique["pid"]), default().resolve(technique["name"])
        assert by_code is not None
        assert by_path == by_code
