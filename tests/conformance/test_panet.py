"""This file is PaNET through the search filter: for every class exactly what is tagged with it or with something narrower.

The truth is computed from the released OWL by rdflib alone (plain rdfs:subClassOf; the release is reasoned already).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql_world import World, dataset, document
from portal_world import IndexReader
from rdflib import RDFS, Graph, URIRef
from strategies import written

from catalogue.index.embedded import EmbeddedIndex
from schema.records import Technique
from schema.techniques import default

PANET = "http://purl.org/pan-science/PaNET/"
ROOTS = [URIRef(PANET + "PaNET00001"), URIRef(PANET + "PaNET2000000")]
QUERY = """query($t:[String!],$x:Boolean,$a:String){datasets(filter:{technique:$t,techniqueExact:$x},first:100,after:$a)
  {totalCount nodes{pid} pageInfo{hasNextPage endCursor}}}"""


@pytest.fixture(scope="module")
def ontology(shared: Path) -> Graph:
    return Graph().parse(shared / "standards/panet/PaNET-1.3.0.owl", format="xml")


@pytest.fixture(scope="module")
def classes(ontology: Graph) -> list[str]:
    """The labelled classes of the two trees, in order."""
    found = {each for root in ROOTS for each in ontology.transitive_subjects(RDFS.subClassOf, root)}
    return sorted(str(each) for each in found if (each, RDFS.label, None) in ontology)


@pytest.fixture(scope="module")
def below(ontology: Graph, classes: list[str]) -> dict[str, set[str]]:
    """Every class with itself and all that is narrower."""
    return {each: {str(sub) for sub in ontology.transitive_subjects(RDFS.subClassOf, URIRef(each))} for each in classes}


@pytest.fixture(scope="module")
def tagged(classes: list[str]) -> dict[str, tuple[str, ...]]:
    """Datasets by pid with what each is tagged with: one of every class, some of two, one of words no ontology has, one of none."""
    made = {f"10.5442/nd{at:06}": (each,) for at, each in enumerate(classes, 1)}
    pairs = zip(classes[::7], classes[3::7], strict=False)
    made |= {f"10.5442/nd{at:06}": pair for at, pair in enumerate(pairs, 1_001)}
    return made | {"10.5442/nd002001": (), "10.5442/nd002002": ("home-made method",)}


@pytest.fixture(scope="module")
def world(tagged: dict[str, tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    vocabulary = default()
    documents = []
    for pid, tags in tagged.items():
        number = int(pid.removeprefix("10.5442/nd"))
        known = [(vocabulary.label(each) or each, each if each.startswith("http") else None) for each in tags]
        techniques = tuple(Technique(label, iri) for label, iri in known)
        documents.append(document(dataset(number, techniques=techniques), number))
    index = EmbeddedIndex(tmp_path_factory.mktemp("index"), techniques=vocabulary)
    index.apply([written(each) for each in documents], 3_000)
    made = World(documents=documents)
    made.reader = IndexReader(index, 3_000)  # type: ignore[assignment]
    yield made
    index.close()


async def found(world: World, *techniques: str, exact: bool = False) -> set[str]:
    """The pids of all pages; their number is that of `totalCount`, none comes twice."""
    pids: list[str] = []
    after = None
    while True:
        page = (await world.ask(QUERY, t=techniques, x=exact, a=after))["datasets"]
        pids += [each["pid"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            assert len(pids) == len(set(pids)) == page["totalCount"]
            return set(pids)
        after = page["pageInfo"]["endCursor"]


def test_there_are_as_many_classes_as_were_released(classes: list[str], ontology: Graph) -> None:
    techniques = set(map(str, ontology.transitive_subjects(RDFS.subClassOf, ROOTS[0])))
    assert (len(classes), len(techniques & set(classes))) == (505, 377)


async def test_every_class_finds_what_is_tagged_with_it_or_something_narrower(
    world: World, classes: list[str], below: dict[str, set[str]], tagged: dict[str, tuple[str, ...]]
) -> None:
    for each in classes:
        expected = {pid for pid, tags in tagged.items() if not below[each].isdisjoint(tags)}
        assert await found(world, each) == expected, each


async def test_exactly_means_without_what_is_narrower(
    world: World, classes: list[str], tagged: dict[str, tuple[str, ...]]
) -> None:
    for each in classes[::5]:
        assert await found(world, each, exact=True) == {pid for pid, tags in tagged.items() if each in tags}


async def test_two_techniques_find_what_either_finds(
    world: World, classes: list[str], below: dict[str, set[str]]
) -> None:
    for one, two in itertools.islice(zip(classes[::29], classes[11::29], strict=False), 12):
        assert await found(world, one, two) == await found(world, one) | await found(world, two)


async def test_every_spelling_of_a_class_finds_the_same(world: World, classes: list[str], ontology: Graph) -> None:
    vocabulary = default()
    for each in classes[::23]:
        code = each.removeprefix(PANET)
        spelt = [
            code,
            code.lower(),
            f"<{each}>",
            each.replace("http:", "https:"),
            f"PaNET:{code.removeprefix('PaNET')}",
        ]
        label = str(ontology.value(URIRef(each), RDFS.label))
        if vocabulary.terms[each].technique and vocabulary.resolve(label) == vocabulary.terms[each]:
            spelt += [label, label.upper(), f"some.path.of.{label}"]
        expected = await found(world, each)
        for spelling in spelt:
            assert await found(world, spelling) == expected, spelling


def test_every_label_and_every_iri_of_a_technique_resolves_to_it(classes: list[str], ontology: Graph) -> None:
    techniques = set(map(str, ontology.transitive_subjects(RDFS.subClassOf, ROOTS[0]))) & set(classes)
    labels: dict[str, set[str]] = {}
    for each in techniques:
        labels.setdefault(str(ontology.value(URIRef(each), RDFS.label)).lower(), set()).add(each)
    for each in classes:
        term = default().resolve(each)
        assert term is not None
        assert term.iri == each
    for label, bearers in labels.items():
        term = default().resolve(label)
        assert term is not None, label
        assert term.iri in bearers, label


async def test_the_facet_counts_each_class_as_its_filter_finds(world: World, below: dict[str, set[str]]) -> None:
    facets = "{datasets(facets:[{field:TECHNIQUE,size:100}]){facets{buckets{value count}}}}"
    buckets = (await world.ask(facets))["datasets"]["facets"][0]["buckets"]
    assert len(buckets) == 100
    for bucket in buckets[::9]:
        assert bucket["count"] == len(await found(world, bucket["value"]))


async def test_words_of_a_source_that_no_ontology_has_are_found_as_they_are(world: World) -> None:
    assert await found(world, "Home-made METHOD") == {"10.5442/nd002002"}
    assert await found(world, "no such technique") == set()


async def suggested(world: World, text: str) -> list[dict[str, object]]:
    asked = await world.ask("query($t:String!){suggest(text:$t,first:10){text kind value count}}", t=text)
    found: list[dict[str, object]] = asked["suggest"]
    return found


@pytest.mark.parametrize("text", ["imaging", "Imaging", "scattering", "PaNET01129", "diffraction", "spectroscopy"])
async def test_suggestions_offer_what_is_narrower_with_the_counts_of_their_filters(
    world: World, text: str, below: dict[str, set[str]]
) -> None:
    offered = await suggested(world, text)
    (named,) = default().find(text, 1)
    values = [str(each["value"]) for each in offered]
    assert named.iri in values
    assert len(values) == len(set(values)) <= 10
    labels = [str(each["text"]).lower() for each in offered if str(each["value"]) in below[named.iri] - {named.iri}]
    assert len(labels) >= min(3, len(below[named.iri]) - 1) > 0
    for each in offered:
        assert each["count"] == len(await found(world, str(each["value"])))


@pytest.mark.parametrize(("typed", "code"), [("SAXS", "PaNET01188"), ("saxs", "PaNET01188"), ("XAS", "PaNET01196")])
async def test_suggestions_know_synonyms(world: World, typed: str, code: str) -> None:
    assert PANET + code in [each["value"] for each in await suggested(world, typed)]


async def test_a_technique_nobody_has_is_not_suggested(world: World) -> None:
    assert await suggested(World(documents=world.documents[-1:]), "tomography") == []
    assert await suggested(world, "no such technique") == []
