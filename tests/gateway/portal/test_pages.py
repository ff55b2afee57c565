"""The pages over the whole gateway: what people see, for whom, and what never gets out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql_world import ALICE, BOB, OPERATOR, dataset, document, some_documents
from lxml import html
from portal_world import World

from gateway.portal import assets
from schema.access import Access
from schema.records import Person, Related

FULL = "/dataset/10.5442/nd000001"
HIDDEN = "/dataset/10.5442/nd000090"
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    evil = dataset(
        50,
        title=f"Evil {EVIL} title",
        description=f"<p>First {EVIL}</p><p onclick=x>second &lt;b&gt; <img src=x onerror=alert(1)></p>",
        license="javascript:alert(1)",
        people=(Person(EVIL, role=EVIL),),
        related=(Related("javascript:alert(1)", "References", title=EVIL), Related("10.5442/x", "Cites")),
        access=Access.METADATA_ONLY,
        source_url="data:text/html,x",
    )
    made = World(tmp_path_factory.mktemp("index"), documents=[*some_documents(), document(evil, 60)])
    yield made
    made.index.close()


async def page(world: World, path: str, viewer=None) -> html.HtmlElement:
    """A page that was answered well."""
    answer = await world.get(path, viewer)
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.content)


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def hrefs(element: html.HtmlElement) -> list[str]:
    return [str(each) for each in element.xpath("//a/@href")]


async def test_the_first_page_tells_what_is_here(world: World) -> None:
    shown = await page(world, "/")
    assert "31 public datasets of 2 photon and neutron facilities" in words(shown)
    assert "North Light Source" in words(shown)
    assert "Not harvested yet" in words(shown)
    assert "/search?facility=north" in hrefs(shown)
    assert any(href.startswith("/search?technique=") for href in hrefs(shown))


async def test_every_example_on_the_first_page_finds_something(world: World) -> None:
    shown = await page(world, "/")
    examples = [str(each) for each in shown.xpath("//p[@class='examples']/a/@href")]
    assert examples
    for href in examples:
        assert (await page(world, href)).xpath("//ol[@class='list']/li")


async def test_a_search_finds_marks_counts_and_says_who_contributed(world: World) -> None:
    shown = await page(world, "/search?q=scattering")
    assert shown.xpath("//h1")[0].text_content().strip() == "1 dataset"
    assert "scattering" in [each.text.lower() for each in shown.xpath("//mark")]
    result = words(shown.xpath("//li[@class='result']")[0])
    for told in ("NLS", "ID01", "2 Jan 2024", "Hematite", "5 GB", "Open", "Can be analysed"):
        assert told in result
    assert "NLS 1" in words(shown.xpath("//p[@class='contributed']")[0])
    assert "South Neutron Source 0 – not harvested yet" in words(shown.xpath("//p[@class='contributed']")[0])


async def test_a_facet_puts_a_filter_in_and_its_chip_takes_it_out(world: World) -> None:
    shown = await page(world, "/search")
    (south,) = [href for href in hrefs(shown) if href == "/search?facility=south"]
    narrowed = await page(world, south)
    assert words(narrowed.xpath("//h1")[0]) == "1 dataset"
    assert narrowed.xpath("//ul[@class='chips']//a/@href")[0] == "/search"
    assert narrowed.xpath("//a[@aria-current='true']//span[@class='label']")[0].text == "South Neutron Source"


async def test_a_range_in_any_unit_becomes_a_filter_with_a_histogram(world: World) -> None:
    answer = await world.get("/search?q=&pname=photon+energy&pmin=8000&pmax=9000&punit=eV")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/search?p=photon+energy%7C8000%7C9000%7CeV"
    shown = await page(world, answer.headers["location"])
    assert words(shown.xpath("//h1")[0]) == "1 dataset"
    assert "photon energy: 8000 – 9000 eV" in words(shown.xpath("//ul[@class='chips']")[0])
    assert shown.xpath("//figure[@class='histogram']//rect")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("p=photon+energy|1|2|K", "K cannot be a unit"),
        ("p=photon+energy|x", "no number"),
        ("p=photon+energy|1||parsec-ish", "no unit we know"),
        ("from=soon", "no date"),
        ("q=" + "a" * 300, "at most 256 are taken"),
        ("after=nonsense", "Begin at the first page"),
        ("from=2024&to=2023", "ends before it begins"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_told_on_the_page_and_stays_in_the_form(
    world: World, query: str, told: str
) -> None:
    answer = await world.get(f"/search?{query}")
    assert answer.status_code == 400
    assert told in words(html.fromstring(answer.content).xpath("//*[@role='alert']")[0])


async def test_unknown_choices_in_an_address_are_passed_over(world: World) -> None:
    shown = await page(world, "/search?sort=sideways&scope=everything&access=nothing&unknown=1&facility=")
    assert words(shown.xpath("//h1")[0]) == "31 datasets"


async def test_next_leads_through_every_result_once(world: World) -> None:
    seen: list[str] = []
    path = "/search?sort=title"
    while path:
        shown = await page(world, path)
        seen += [str(each) for each in shown.xpath("//li[@class='result']/h2/a/@href")]
        path = next(iter(shown.xpath("//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 31


async def test_whoever_is_signed_in_switches_between_two_worlds_with_both_counts(world: World) -> None:
    shown = await page(world, "/search?q=silver", ALICE)
    assert words(shown.xpath("//nav[@class='scopes']")[0]) == "Public 28 Mine 1"
    mine = await page(world, "/search?q=silver&scope=mine", ALICE)
    assert [str(each) for each in mine.xpath("//li[@class='result']/h2/a/@href")] == [HIDDEN]
    assert not (await page(world, "/search?q=silver&scope=mine")).xpath("//nav[@class='scopes']")


async def test_nothing_found_says_what_to_try(world: World) -> None:
    shown = await page(world, "/search?q=unobtainium&facility=north")
    assert "Nothing found" in words(shown)
    assert "/search?q=unobtainium" in hrefs(shown)


async def test_suggestions_lead_to_searches_that_find(world: World) -> None:
    found = (await world.get("/suggest?q=iro")).json()
    assert found
    for each in found:
        assert (await page(world, each["address"])).xpath("//li[@class='result']"), each
    assert (await world.get("/suggest?q=")).json() == []
    assert (await world.get("/suggest?q=secret")).json() == []


async def test_a_dataset_s_page_tells_everything(world: World) -> None:
    shown = words((await page(world, FULL)).xpath("//article")[0])
    for told in (
        "Small-angle scattering of α-Fe2O3", "North Light Source", "ID01", "Iron oxides", "proposal P7", "Hematite",
        "Ada Example", "0000-0002-1825-0097", "photon energy", "8.979", "keV", "1.43859 × 10⁻¹⁵ J", "Eiger 4M", "3 files, 5 GB",
        "The data are open to everybody.", "CC-BY-4.0", "10.5442/nd000001", "2 Jan 2024 – 3 Jan 2024", "Ada Example (2025)",
    ):  # fmt: skip
        assert told in shown, told


async def test_unknown_and_invisible_are_the_same_answer(world: World) -> None:
    unknown, invisible = [await world.get(path, BOB) for path in ("/dataset/10.5442/nothing", HIDDEN)]
    assert unknown.status_code == invisible.status_code == 404

    def bare(answer):
        return answer.text.replace(answer.headers["x-correlation-id"], "")

    assert bare(unknown).replace("/dataset/10.5442/nothing", "") == bare(invisible).replace(HIDDEN, "")
    assert "Visible to your group only" in words(await page(world, HIDDEN, ALICE))


@pytest.mark.parametrize("spelling", ["10.5442/ND000001", "https%3A//doi.org/10.5442/nd000001", "doi:10.5442/nd000001"])
async def test_other_spellings_of_a_doi_lead_to_its_page(world: World, spelling: str) -> None:
    answer = await world.get(f"/dataset/{spelling}?format=ttl")
    assert (answer.status_code, answer.headers["location"]) == (301, f"{FULL}?format=ttl")


@pytest.mark.parametrize(
    "media", ["text/turtle", "application/ld+json", "application/rdf+xml", "application/n-triples"]
)
async def test_machines_get_rdf_at_the_same_address(world: World, media: str) -> None:
    answer = await world.get(FULL, accept=media)
    assert answer.headers["content-type"].startswith(media)
    assert "10.5442/nd000001" in answer.text
    assert "Accept" in answer.headers["vary"]
    assert (await world.get(HIDDEN, accept=media)).status_code == 404
    hidden = await world.get(HIDDEN, ALICE, accept=media)
    assert (hidden.status_code, hidden.headers["cache-control"]) == (200, "private, no-store")


async def test_a_media_type_we_have_not_is_406(world: World) -> None:
    assert (await world.get(FULL, accept="image/png")).status_code == 406
    assert (await world.get(FULL, accept="*/*")).headers["content-type"].startswith("text/html")


async def test_signposts_and_schema_org_stand_in_the_answer(world: World) -> None:
    answer = await world.get(FULL)
    links = ", ".join(answer.headers.get_list("link"))
    for told in (
        '<https://doi.org/10.5442/nd000001>; rel="cite-as"',
        '<https://orcid.org/0000-0002-1825-0097>; rel="author"',
        '<https://creativecommons.org/licenses/by/4.0/>; rel="license"',
        '<https://schema.org/AboutPage>; rel="type"',
        'rel="describedby"; type="text/turtle"',
    ):
        assert told in links
    data = json.loads(html.fromstring(answer.content).xpath("//script[@type='application/ld+json']")[0].text)
    assert data["@context"] == {"@vocab": "http://schema.org/"}
    assert (data["@type"], data["name"]) == ("Dataset", "Small-angle scattering of α-Fe2O3")
    assert 50 <= len(data["description"]) <= 5000


@pytest.mark.parametrize("path", ["/dataset/10.5442/nd000050", "/search?q=evil", "/search?person=" + EVIL])
async def test_foreign_text_is_shown_as_text_and_foreign_links_lead_nowhere_odd(world: World, path: str) -> None:
    answer = await world.get(path)
    assert EVIL not in answer.text
    shown = html.fromstring(answer.content)
    assert {
        each.get("src") is not None or each.get("type") == "application/ld+json" for each in shown.iter("script")
    } == {True}
    assert not shown.xpath("//img | //@onclick | //@onerror | //@style | //style")
    assert all(href.startswith(("/", "https://", "http://", "#")) for href in hrefs(shown))


async def test_html_in_a_description_is_read_as_text_without_tags(world: World) -> None:
    shown = await page(world, "/dataset/10.5442/nd000050")
    assert [each.text for each in shown.xpath("//div[@class='prose']/p")] == ["First", "second <b>"]


async def test_every_page_is_under_a_policy_that_lets_no_foreign_script_run(world: World) -> None:
    for path in ("/", "/search", FULL, "/sources", "/about", "/nothing"):
        answer = await world.get(path)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]


async def test_styles_and_scripts_are_small_named_by_content_and_kept_by_browsers(world: World) -> None:
    assert assets.size() < 60_000
    answer = await world.get(assets.address("pangate.css"))
    assert "immutable" in answer.headers["cache-control"]
    assert (await world.get("/static/old/pangate.css")).headers["cache-control"] == "no-cache"
    assert (await world.get("/static/x/..%2f__init__.py")).status_code == 404


async def test_sources_are_told_to_everybody_and_worked_by_operators_alone(world: World) -> None:
    shown = await page(world, "/sources")
    assert "Up to date" in words(shown)
    assert "Not harvested yet" in words(shown)
    assert "could not be understood" not in words(shown)
    assert "1 record could not be understood" in words(await page(world, "/sources", OPERATOR))
    assert not shown.xpath("//form[@action='/sources/harvest']")
    assert (await world.get("/sources/rejects")).status_code == 401
    assert (await world.get("/sources/rejects", BOB)).status_code == 403
    assert "It has no title." in words(await page(world, "/sources/rejects?source=north/scicat", OPERATOR))
    assert (await page(world, "/sources", OPERATOR)).xpath("//form[@action='/sources/harvest']")


async def test_an_operator_has_a_source_harvested(world: World) -> None:
    answer = await world.post("/sources/harvest", OPERATOR, source="north/scicat", full="1")
    assert answer.status_code == 303
    assert world.sources.asked[-1] == ("north/scicat", "full", OPERATOR.principal)
    assert "was asked for" in words(await page(world, answer.headers["location"], OPERATOR))
    await world.get("/", BOB)
    assert (await world.post("/sources/harvest", BOB, source="north/scicat")).status_code == 403
    assert len(world.sources.asked) == 1


async def test_an_error_has_its_page_for_people_and_its_problem_for_machines(world: World) -> None:
    answer = await world.get("/nothing")
    assert answer.status_code == 404
    assert answer.headers["x-correlation-id"] in answer.text
    problem = await world.get("/nothing", accept="application/json")
    assert problem.json()["code"] == "NOT_FOUND"


async def test_an_error_s_page_knows_who_visits(world: World) -> None:
    signed_in = (await world.get("/dataset/10.9/none", ALICE, accept="text/html")).text
    assert ("Sign out" in signed_in, ">Sign in<" in signed_in) == (True, False)
    assert ">Sign in<" in (await world.get("/dataset/10.9/none", accept="text/html")).text


async def test_signing_in_comes_back_to_where_it_began(world: World) -> None:
    shown = await page(world, FULL)
    assert f"/login?next={FULL}%23analyse" in hrefs(shown)
    assert "/login?next=/search%3Fq%3Dsilver" in hrefs(await page(world, "/search?q=silver"))


async def test_a_facility_s_iri_leads_to_its_datasets(world: World) -> None:
    assert (await world.get("/facility/south")).headers["location"] == "/search?facility=south"


def test_the_folder_of_templates_holds_no_inline_script_or_style() -> None:
    for path in (Path(assets.__file__).parent / "templates").glob("*.html"):
        text = path.read_text()
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick" not in text
