"""This file is searches through the whole endpoint: filters, facets, cursors, scopes, highlights, freshness."""

from datetime import timedelta

import pytest
from graphql_world import ALICE, BOB, NOW, SAXS, World, dataset, document, quantity

from catalogue.query import Sort
from schema.errors import Unavailable

IRON = "10.5442/nd000001"
COUNT = "query($f:DatasetFilter){datasets(filter:$f){totalCount nodes{pid}}}"


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "pid", [IRON, "doi:10.5442/ND000001", "https://doi.org/10.5442/nd000001", "http://dx.doi.org/10.5442%2Fnd000001"]
)
async def test_a_dataset_is_found_by_any_spelling_of_its_doi(world, pid):
    data = await world.ask("query($p:String!){dataset(pid:$p){pid title landingPage}}", p=pid)
    assert data["dataset"]["pid"] == IRON
    assert data["dataset"]["landingPage"] == "http://pangate.example.org/dataset/10.5442/nd000001"


async def test_absent_and_invisible_are_the_same_answer(world):
    query = "query($p:String!){dataset(pid:$p){title}}"
    absent = await world.post(query, {"p": "10.5442/nothing"})
    hidden = await world.post(query, {"p": "10.5442/nd000090"})
    assert absent.content == hidden.content == b'{"data":{"dataset":null}}'
    world.viewer = ALICE
    assert (await world.ask(query, p="10.5442/nd000090"))["dataset"] == {"title": "Secret silver"}


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"pid": ["https://doi.org/10.5442/ND000001", "10.5442/nd000002"]}, 2),
        ({"facility": ["south"]}, 1),
        ({"facility": ["north", "south"]}, 30),
        ({"instrument": ["north/instrument/1"]}, 29),
        ({"instrument": ["id01"]}, 29),
        ({"technique": [SAXS]}, 1),
        ({"technique": ["SAXS"]}, 1),
        ({"technique": ["PaNET01188"]}, 1),
        ({"technique": ["x-ray scattering"]}, 1),
        ({"technique": ["x-ray scattering"], "techniqueExact": True}, 0),
        ({"technique": ["SAXS"], "techniqueExact": None}, 1),
        ({"technique": ["Home-Made method"]}, 1),
        ({"sample": ["hematite"]}, 1),
        ({"sample": ["north/sample/3"]}, 1),
        ({"person": ["ada example"]}, 1),
        ({"person": ["https://orcid.org/0000-0002-1825-0097"]}, 1),
        ({"investigation": ["north/investigation/7"]}, 1),
        ({"investigation": ["P7"]}, 1),
        ({"keyword": ["IRON"]}, 1),
        ({"fileFormat": ["H5"]}, 1),
        ({"access": ["OPEN", "CLOSED"]}, 30),
        ({"access": ["METADATA_ONLY"]}, 0),
        ({"started": {"from": "2024-01-02", "to": "2024-01-04"}}, 3),
        ({"started": {"to": "2024-01-02"}}, 1),
        ({"started": {"from": "2024-01", "to": "2024-01"}}, 29),
        ({"started": {"from": "2024", "to": "2024"}}, 30),
        ({"started": {"from": "2025"}}, 0),
        ({"released": {"from": "2025-01-01", "to": "2025-01-01"}}, 1),
        ({"analysable": True}, 29),
        ({"analysable": False}, 1),
        ({"facility": [], "pid": None}, 30),
        ({"keyword": ["iron"], "facility": ["south"]}, 0),
    ],
)
async def test_filters(world, asked, count):
    assert (await world.ask(COUNT, f=asked))["datasets"]["totalCount"] == count


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"name": "photon energy", "min": 8979, "max": 8979, "unit": "eV"}, 1),
        ({"name": "Energy", "min": 8.97, "max": 9, "unit": "keV"}, 1),
        ({"name": "photon energy", "min": 9, "unit": "keV"}, 0),
        ({"name": "temperature", "min": 26.8, "max": 26.9, "unit": "°C"}, 1),
        ({"name": "temperature", "min": 299, "max": 301}, 1),
        ({"name": "frames", "min": 12}, 1),
        ({"name": "frames", "max": 11}, 0),
        ({"name": "detector", "text": ["eiger 4m"]}, 1),
        ({"name": "detector", "text": ["pilatus"]}, 0),
        ({"name": "detector"}, 1),
        ({"name": "nothing"}, 0),
    ],
)
async def test_parameters_are_compared_in_any_unit_of_their_dimension(world, asked, count):
    assert (await world.ask(COUNT, f={"parameters": [asked]}))["datasets"]["totalCount"] == count


async def test_a_unit_of_the_wrong_dimension_is_told_what_the_name_measures(world):
    asked = {"parameters": [{"name": "photon energy", "min": 1, "unit": "nm"}]}
    code, message = await world.refused(COUNT, f=asked)
    assert code == "BAD_INPUT"
    assert "nm cannot be a unit of photon energy" in message
    assert "SI unit is J" in message


@pytest.mark.parametrize(
    "asked",
    [
        {"parameters": [{"name": "photon energy", "min": 1, "unit": "furlongs per fortnight"}]},
        {"parameters": [{"name": "photon energy", "min": 2, "max": 1}]},
        {"parameters": [{"name": "  "}]},
        {"started": {"from": "2024-02", "to": "2024-01"}},
        {"started": {"from": "yesterday"}},
        {"access": ["SOMETIMES"]},
        {"colour": ["red"]},
    ],
)
async def test_filters_that_mean_nothing_are_refused_with_what_to_change(world, asked):
    code, message = await world.refused(COUNT, f=asked)
    assert code == "BAD_INPUT"
    assert "Did you mean" not in message
    assert len(message) > 10


@pytest.mark.parametrize("unit", ["", ',unit:"eV"'])
async def test_an_end_that_is_infinite_is_refused(world, unit):
    asked = f'{{datasets(filter:{{parameters:[{{name:"x",min:1e{"9" * 400}{unit}}}]}}){{totalCount}}}}'
    assert (await world.refused(asked))[0] == "BAD_INPUT"


async def test_a_bucket_value_is_what_the_filter_takes(world):
    keys = {
        "FACILITY": "facility", "INSTRUMENT": "instrument", "TECHNIQUE": "technique", "SAMPLE": "sample",
        "KEYWORD": "keyword", "FILE_FORMAT": "fileFormat", "ACCESS": "access",
    }  # fmt: skip
    data = await world.ask(
        "query($w:[FacetRequest!]){datasets(facets:$w){facets{field buckets{value count}}}}",
        w=[{"field": each, "size": 100} for each in keys],
    )
    for facet in data["datasets"]["facets"]:
        assert facet["buckets"]
        for bucket in facet["buckets"]:
            found = await world.ask(COUNT, f={keys[facet["field"]]: [bucket["value"]]})
            assert found["datasets"]["totalCount"] == bucket["count"]


async def test_a_facet_is_counted_without_its_own_filter_and_labelled(world):
    data = await world.ask(
        '{datasets(filter:{facility:["south"]},facets:[{field:FACILITY},{field:YEAR},{field:TECHNIQUE,size:null,bins:null}])'
        "{facets{field missing other buckets{value label count}}}}"
    )
    facility, year, technique = data["datasets"]["facets"]
    assert facility["buckets"][0] == {"value": "north", "label": "NLS", "count": 29}
    assert year["buckets"] == [{"value": "2024", "label": "2024", "count": 1}]
    assert technique["missing"] == 1


async def test_a_histogram_is_in_the_unit_asked_for():
    energies = [dataset(at, parameters=(quantity("photon energy", at, "keV"),)) for at in range(1, 6)]
    world = World(documents=[document(each, at) for at, each in enumerate(energies, 1)])
    data = await world.ask(
        '{datasets(facets:[{field:PARAMETER,parameter:"photon energy",unit:"eV",bins:2},'
        '{field:PARAMETER,parameter:"photon energy",bins:2}]){facets{unit parameter buckets{count from to}}}}'
    )
    evs, joules = data["datasets"]["facets"]
    assert (evs["unit"], evs["parameter"]) == ("eV", "photon energy")
    assert [(each["count"], round(each["from"]), round(each["to"])) for each in evs["buckets"]] == [
        (2, 1000, 3000),
        (3, 3000, 5000),
    ]
    assert joules["unit"] == "J"
    assert joules["buckets"][0]["from"] == pytest.approx(1.602176634e-16)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"field": "PARAMETER"}, "BAD_INPUT"),
        ({"field": "PARAMETER", "parameter": "photon energy", "unit": "K"}, "BAD_INPUT"),
        ({"field": "YEAR", "parameter": "x"}, "BAD_INPUT"),
        ({"field": "YEAR", "size": 0}, "BAD_INPUT"),
        ({"field": "YEAR", "size": 101}, "LIMIT_EXCEEDED"),
        ({"field": "YEAR", "bins": 101}, "LIMIT_EXCEEDED"),
        ({"field": "YEAR", "size": 100, "bins": 100}, None),
    ],
)
async def test_facets_are_bounded_and_make_sense(world, wish, code):
    query = "query($w:[FacetRequest!]){datasets(facets:$w){facets{field}}}"
    answer = (await world.post(query, {"w": [wish]})).json()
    assert (answer["errors"][0]["extensions"]["code"] if "errors" in answer else None) == code


@pytest.mark.parametrize(("count", "fits"), [(9, True), (10, True), (11, False)])
async def test_at_most_ten_facets(world, count, fits):
    answer = await world.post(
        "query($w:[FacetRequest!]){datasets(facets:$w){totalCount}}", {"w": [{"field": "YEAR"}] * count}
    )
    assert ("errors" not in answer.json()) is fits


@pytest.mark.parametrize(
    ("first", "code"),
    [(1, None), (99, None), (100, None), (101, "LIMIT_EXCEEDED"), (0, "BAD_INPUT"), (-1, "BAD_INPUT")],
)
@pytest.mark.parametrize("field", ["datasets{totalCount}", "harvests{pageInfo{hasNextPage}}", "techniques{name}"])
async def test_a_page_is_one_to_a_hundred(world, field, first, code):
    name, rest = field.split("{", 1)
    answer = (await world.post(f"query($n:Int){{{name}(first:$n){{{rest}}}", {"n": first})).json()
    assert (answer["errors"][0]["extensions"]["code"] if "errors" in answer else None) == code


async def test_explicit_null_is_the_default(world):
    nulls = await world.ask(
        "{datasets(query:null,filter:null,facets:null,sort:null,scope:null,first:null,after:null){totalCount nodes{pid} facets{field}}}"
    )
    assert nulls == await world.ask("{datasets{totalCount nodes{pid} facets{field}}}")
    assert len(nulls["datasets"]["nodes"]) == 10
    assert (await world.ask('{techniques(first:null){name} suggest(text:"ir",first:null){text}}'))["suggest"] == [
        {"text": "iron"}
    ]


async def test_relevance_without_words_is_newest(world):
    await world.ask(
        '{a:datasets{totalCount} b:datasets(query:"silver"){totalCount} c:datasets(query:"-silver"){totalCount}}'
    )
    assert [each.sort for each in world.reader.searches] == [Sort.NEWEST, Sort.RELEVANCE, Sort.NEWEST]


PAGE = """query($q:String,$s:DatasetSort,$a:String,$scope:Scope){datasets(query:$q,sort:$s,after:$a,first:7,scope:$scope){
  edges{cursor node{pid}} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}"""


@pytest.mark.parametrize("sort", ["RELEVANCE", "NEWEST", "OLDEST", "RELEASED", "TITLE"])
async def test_pages_join_to_the_whole_list(world, sort):
    whole = await world.ask("query($s:DatasetSort){datasets(sort:$s,first:100){nodes{pid}}}", s=sort)
    seen, after = [], None
    while True:
        page = (await world.ask(PAGE, s=sort, a=after))["datasets"]
        seen += [edge["node"] for edge in page["edges"]]
        info = page["pageInfo"]
        assert info["hasPreviousPage"] is (after is not None)
        assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert seen == whole["datasets"]["nodes"]


async def test_an_empty_page_has_no_cursors(world):
    info = (await world.ask(PAGE, q="unheardof"))["datasets"]["pageInfo"]
    assert info == {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}


async def test_cursors_tampered_foreign_or_expired_have_their_own_codes(world):
    after = (await world.ask(PAGE))["datasets"]["pageInfo"]["endCursor"]
    swapped = after[:-1] + ("A" if after[-1] != "A" else "B")
    assert (await world.refused(PAGE, a=swapped))[0] == "CURSOR_INVALID"
    assert (await world.refused(PAGE, a=after, q="silver"))[0] == "CURSOR_INVALID"
    assert (await world.refused(PAGE, a=after, s="TITLE"))[0] == "CURSOR_INVALID"
    world.reader.generation = "g2"
    code, message = await world.refused(PAGE, a=after)
    assert code == "CURSOR_EXPIRED"
    assert "first page" in message


async def test_mine_is_for_the_signed_in_and_holds_what_is_open_to_them_alone(world):
    query = "{datasets(scope:MINE){totalCount nodes{pid isPublic}}}"
    assert (await world.refused(query))[0] == "UNAUTHENTICATED"
    world.viewer = ALICE
    found = await world.ask(query)
    assert found["datasets"] == {"totalCount": 1, "nodes": [{"pid": "10.5442/nd000090", "isPublic": False}]}
    world.viewer = BOB
    assert (await world.ask(query))["datasets"]["totalCount"] == 0


@pytest.mark.two_worlds
async def test_public_answers_are_the_same_bytes_for_everybody(world):
    query = """{datasets(query:"silver",facets:[{field:ACCESS}]){
      totalCount edges{cursor score} facets{buckets{value count}} sources{matched}}}"""
    anonymous = await world.post(query)
    world.viewer = ALICE
    assert (await world.post(query)).content == anonymous.content


async def test_highlights_mark_words_in_stored_text(world):
    data = await world.ask('{datasets(query:"Fe2O3 colloids"){edges{highlights{field fragment}}}}')
    marks = {each["field"]: each["fragment"] for each in data["datasets"]["edges"][0]["highlights"]}
    assert marks["title"] == "Small-angle scattering of α-\ue000Fe2O3\ue001"
    assert marks["description"] == "\ue000Colloids\ue001 in water at room temperature."
    assert marks["samples"] == "\ue000Fe2O3\ue001"


async def test_every_source_is_named_with_its_state_and_matches(world):
    query = '{datasets(query:"silver"){sources{source state asOf matched facility{key}}} facilities{freshness}}'
    data = await world.ask(query)
    assert data["datasets"]["sources"] == [
        {
            "source": "north/scicat",
            "state": "FRESH",
            "asOf": "2026-05-04T12:00:00Z",
            "matched": 28,
            "facility": {"key": "north"},
        },
        {"source": "south/icat", "state": "NEVER", "asOf": None, "matched": 0, "facility": {"key": "south"}},
    ]
    world.sources.fresh = NOW - timedelta(hours=12, seconds=1)
    data = await world.ask(query)
    assert [data["datasets"]["sources"][0]["state"], data["facilities"][0]["freshness"]] == ["STALE", "STALE"]


async def test_an_index_that_is_down_is_unavailable_and_one_that_breaks_is_masked(world):
    async def down(_search):
        raise Unavailable("The search index does not answer. Ask again in a moment.")

    async def broken(_search):
        raise RuntimeError("password=hunter2 at http://elastic:9200")

    world.reader.search = down
    assert (await world.refused("{datasets{totalCount}}"))[0] == "UNAVAILABLE"
    world.reader.search = broken
    code, message = await world.refused("{datasets{totalCount}}")
    assert code == "INTERNAL"
    assert "hunter2" not in message


async def test_everything_stored_of_a_dataset_can_be_read(world):
    data = await world.ask(
        """{dataset(pid:"10.5442/nd000001"){id doi title description facility{key} investigation{id pid title proposal facility{key}}
        instruments{pid name} techniques{pid name broader{name}} samples{pid name formula type} people{name orcid role affiliation}
        keywords parameters(names:["ENERGY","frames"]){name sourceName value unit siValue siUnit} startDate endDate releaseDate access
        isPublic license files{count bytes formats} provenance{source kind sourceId harvestedAt primary}
        analysisOptions{available trigger{id kind capabilities{start opensAs}} reasons{code} procedures{id name default}}}}"""
    )
    found = data["dataset"]
    assert found["investigation"]["title"] == "Iron oxides"
    assert [each["pid"] for each in found["techniques"]] == [SAXS, None]
    assert {each["name"] for each in found["techniques"][0]["broader"]} == {
        "small angle scattering",
        "x-ray scattering",
    }
    assert [each["name"] for each in found["parameters"]] == ["photon energy", "frames"]
    assert found["parameters"][0]["siUnit"] == "J"
    assert (found["startDate"], found["endDate"], found["releaseDate"]) == (
        "2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z", "2025-01-01T00:00:00Z",
    )  # fmt: skip
    assert found["files"] == {"count": 3, "bytes": 5e9, "formats": ["h5"]}
    assert found["access"] == "OPEN"
    assert found["provenance"][0]["primary"] is True
    (option,) = found["analysisOptions"]
    assert (option["available"], option["reasons"]) == (False, [{"code": "SIGN_IN"}])
    assert option["trigger"]["capabilities"] == {"start": True, "opensAs": "REDIRECT"}


async def test_things_are_found_by_their_ids_again(world):
    data = await world.ask(
        '{dataset(pid:"10.5442/nd000001"){id facility{id triggers{id}} investigation{id} instruments{id}}}'
    )
    found = data["dataset"]
    wanted = [
        found["id"], found["facility"]["id"], found["facility"]["triggers"][0]["id"], found["investigation"]["id"],
        found["instruments"][0]["id"], "nonsense",
    ]  # fmt: skip
    data = await world.ask("query($i:[ID!]!){nodes(ids:$i){__typename id}}", i=wanted)
    types = ["Dataset", "Facility", "Trigger", "Investigation", "Instrument"]
    assert data["nodes"] == [*({"__typename": t, "id": i} for t, i in zip(types, wanted, strict=False)), None]


async def test_the_other_kinds_are_searched_in_the_same_way(world):
    data = await world.ask(
        '{investigations(query:"iron"){totalCount nodes{title people{name} keywords}} instruments{nodes{pid name facility{key}}}'
        ' samples{totalCount sources{matched}} publications(filter:{facility:["north"]}){totalCount edges{cursor}}'
        ' investigation(pid:"north/investigation/7"){title} publication(pid:"x"){title}}'
    )
    assert data["investigations"]["nodes"] == [{"title": "Iron oxides", "people": [], "keywords": []}]
    assert data["instruments"]["nodes"] == [{"pid": "north/instrument/1", "name": "ID01", "facility": {"key": "north"}}]
    assert data["publication"] is None


async def test_the_vocabulary_answers(world):
    data = await world.ask('{vocabulary{name version url} techniques(query:"saxs",first:1){pid name} me{name}}')
    assert data["vocabulary"]["name"] == "PaNET"
    assert data["techniques"] == [{"pid": SAXS, "name": "small angle x-ray scattering"}]
    assert data["me"] is None
