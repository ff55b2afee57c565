"""Hidden records cannot be seen: what anybody may ask is answered byte for byte as if they had never been (P11; reliability 5.3).

PANGATE_EXAMPLES: how many histories (6; with PANGATE_SOAK 400).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from soak import how_many
from strategies import KEYWORDS, WORDS, parameters, sentences
from twin import SECRETS, Twin, plain, twin

from catalogue.rebuild import rebuild
from gateway.graphql import ids
from schema.access import Access, Visibility
from schema.records import (
    AnyRecord,
    Dataset,
    FileTotals,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Person,
    Publication,
    Sample,
    SamplePart,
)

EXAMPLES = how_many("PANGATE_EXAMPLES", 6, 400)
pytestmark = [pytest.mark.two_worlds, pytest.mark.timeout(7_000 if EXAMPLES > 6 else 900)]
PHASES = [phase for phase in Phase if EXAMPLES > 6 or phase is not Phase.shrink]
SOURCES = {"freya": "freya/scicat", "skadi": "skadi/icat"}
HIDDEN = Visibility(public=False, groups=("freya:staff", "freya:p-2026-014"))
SHOWN = Visibility(public=True)
SECRET = "Unobtainium"
"""A word, a name, a keyword that hidden records alone have."""


@dataclass(frozen=True)
class Step:
    """One thing that happens to one record: it comes (again) with this content, or it goes."""

    record: AnyRecord
    gone: bool = False

    def __str__(self) -> str:
        what = "gone" if self.gone else "hidden" if self.hidden else "public"
        return f"{self.record.pid} {what}"

    @property
    def hidden(self) -> bool:
        return not self.record.visibility.public


def put(world: Twin, step: Step) -> None:
    """It happens."""
    record = step.record
    world.commit(record.source, [] if step.gone else [record], [(record.kind, record.id)] if step.gone else [])


def history(steps: list[Step], real: Twin, other: Twin, there: set[tuple[Kind, str, str]]) -> None:
    """Let it happen in the world that has hidden records, and in the one where what is hidden is not there: a public record that
    becomes hidden goes, everything else that is hidden never comes. `there` is what the other world has."""
    for step in steps:
        name = (step.record.kind, step.record.source, step.record.id)
        real.time.now = other.time.now = real.time.now.replace(microsecond=(real.time.now.microsecond + 1) % 10**6)
        put(real, step)
        if not step.hidden and not step.gone:
            there.add(name)
            put(other, step)
        elif name in there:
            there.discard(name)
            put(other, Step(step.record, gone=True))
        else:
            other.commit(step.record.source)


def record_of(kind: Kind, facility: str, id: str, visibility: Visibility, **more: Any) -> AnyRecord:
    """A record of that kind."""
    about: dict[str, Any] = {
        "source": SOURCES[facility],
        "id": id,
        "pid": f"{facility}/{kind.value}/{id}",
        "facility": facility,
        "visibility": visibility,
    }
    text = str(more.pop("text"))
    if kind is Kind.DATASET:
        return Dataset(**about, title=text, **more)
    if kind is Kind.INVESTIGATION:
        return Investigation(**about, title=text, proposal=f"{text} {id}", abstract=text)
    if kind is Kind.PUBLICATION:
        return Publication(**about, title=text)
    if kind is Kind.INSTRUMENT:
        return Instrument(**about, name=text)
    return Sample(**about, name=text, formula="Fe2O3")


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Few names, so that the same thing comes, changes, is hidden and goes."""
    facility = draw(st.sampled_from(list(SOURCES)))
    kind = draw(st.sampled_from([Kind.DATASET] * 5 + list(Kind)))
    id = str(draw(st.integers(1, 9)))
    # what may ever be public is told by the number: the others were never seen by anybody
    hidden = id in "789" or (id in "456" and draw(st.booleans()))
    text = draw(sentences) + (f" {SECRET}" if hidden else "")
    more: dict[str, Any] = {}
    if kind is Kind.DATASET:
        named = str(draw(st.integers(1, 9)))
        more = {
            "description": draw(st.none() | sentences),
            "investigation": draw(st.none() | st.just(InvestigationPart(id=named))),
            "instruments": (InstrumentPart(id=named),) if draw(st.booleans()) else (),
            "samples": (SamplePart(id=named),) if draw(st.booleans()) else (),
            "people": (Person(f"{SECRET if hidden else 'Ada'} Example"),),
            "keywords": (draw(st.sampled_from(KEYWORDS)), *([SECRET] if hidden else [])),
            "parameters": tuple(draw(st.lists(parameters(), max_size=2))),
            "access": draw(st.sampled_from(Access)),
            "files": FileTotals(count=draw(st.integers(1, 3)), formats=("h5",)),
            "location": f"/data/{id}",
        }
    visibility = HIDDEN if hidden else SHOWN
    return Step(record_of(kind, facility, id, visibility, text=text, **more), gone=draw(st.integers(0, 9)) == 0)


NODE = (
    "id pid title description isPublic access landingPage license doi facility { key datasetCount } "
    "investigation { pid title proposal abstract } instruments { pid name } samples { pid name formula } techniques { name } "
    "people { name } keywords parameters { name sourceName value text min max unit siValue siUnit } files { count bytes formats } "
    "provenance { source sourceId modifiedThere harvestedAt primary } analysisOptions { available reasons { code message } }"
)
PAGE = (
    "totalCount edges { cursor score highlights { field fragment } node { NODE } } pageInfo { hasNextPage endCursor } "
    "facets { field parameter unit missing other buckets { value label count from to } } sources { source state asOf matched }"
).replace("NODE", NODE)
FACETS = (
    "[{field: FACILITY}, {field: INSTRUMENT}, {field: KEYWORD}, {field: SAMPLE}, {field: ACCESS}, {field: YEAR}, {field: FILE_FORMAT}, "
    '{field: PARAMETER_NAME}, {field: PARAMETER, parameter: "energy", bins: 5}, {field: TECHNIQUE}]'
)
PIDS = [
    f"{facility}/{kind.value}/{id}"
    for facility in SOURCES
    for kind in (Kind.DATASET, Kind.INVESTIGATION)
    for id in "1479"
]
WALKED = "edges { cursor node { pid } } pageInfo { hasNextPage endCursor }"
QUERIES = [
    "{ facilities { key name datasetCount freshness asOf } }",
    "{ sources { key state asOf records message rejects lastHarvest { state message figures { seen added changed removed } } } }",
    "{ harvests(first: 50) { edges { cursor node { id source state message figures { seen added changed unchanged removed } } } } }",
    *(
        f'{{ suggest(text: "{text}", first: 10) {{ text kind value count }} }}'
        for text in ("un", "Un", "sc", "per", "ada", "cat")
    ),
    *(
        f"{{ datasets(sort: {sort}, first: 4, facets: {FACETS}) {{ {PAGE} }} }}"
        for sort in ("NEWEST", "TITLE", "RELEASED")
    ),
    *(
        f'{{ datasets(query: "{word}", first: 5) {{ {PAGE} }} }}'
        for word in [*WORDS[:5], SECRET, f"-{SECRET} film", "Example"]
    ),
    f'{{ datasets(filter: {{keyword: ["{SECRET}"]}}) {{ {PAGE} }} }}',
    f'{{ datasets(filter: {{person: ["{SECRET} Example"]}}) {{ totalCount }} }}',
    '{ datasets(filter: {parameters: [{name: "energy", min: 0}]}, first: 3) { totalCount nodes { pid } } }',
    '{ datasets(filter: {investigation: ["freya/investigation/7", "freya/investigation/1"]}) { totalCount nodes { pid } } }',
    '{ datasets(filter: {instrument: ["freya/instrument/7", "skadi/instrument/1"]}) { totalCount nodes { pid } } }',
    "{ datasets(scope: MINE) { totalCount } }",
    *(
        f"{{ {kind}(first: 20) {{ totalCount edges {{ cursor node {{ id pid }} }} pageInfo {{ endCursor }} }} }}"
        for kind in ("investigations", "publications", "instruments", "samples")
    ),
    *(f'{{ dataset(pid: "{pid}") {{ {NODE} }} analysisOptions(dataset: "{pid}") {{ available }} }}' for pid in PIDS),
    *(f'{{ investigation(pid: "{pid}") {{ pid title }} }}' for pid in PIDS),
    *(f'{{ node(id: "{ids.encode("Dataset", pid)}") {{ id ... on Dataset {{ pid }} }} }}' for pid in PIDS),
    *(f'mutation {{ analyse(input: {{dataset: "{pid}"}}) {{ created }} }}' for pid in PIDS[:4]),
]
RDF = ("text/turtle", "application/ld+json", "application/rdf+xml", "application/n-triples")
PAGES = [
    "/", "/search", "/search?q=film", f"/search?q={SECRET}", "/suggest?q=un", "/sources", "/about", "/dcat", "/dcat?first=3",
    "/dcat.ttl", "/dcat.nt", "/readyz", *(f"/dataset/{pid}" for pid in PIDS),
]  # fmt: skip


async def told(world: Twin) -> dict[str, Any]:
    """Every answer that somebody who is not signed in gets."""
    answers: dict[str, Any] = {}
    async with world.client() as client:
        for query in QUERIES:
            answers[query] = plain(await client.post("/graphql", json={"query": query}))
        answers |= {f"walk {sort}": await walked(client, sort) for sort in ("RELEVANCE", "NEWEST", "TITLE")}
        for page in PAGES:
            shown = await client.get(page, headers={"Accept": "text/html"})
            answers[page] = plain(shown)
            if etag := shown.headers.get("etag"):
                answers[f"{page} again"] = plain(await client.get(page, headers={"If-None-Match": etag}))
        for media in RDF:
            for pid in PIDS[:4]:
                path = f"/dataset/{pid}"
                answers[f"{path} {media}"] = plain(await client.get(path, headers={"Accept": media}))
            answers[f"/dcat {media}"] = plain(await client.get("/dcat", headers={"Accept": media}))
        link = "/dcat?first=2"
        for number in range(30):
            page = await client.get(link, headers={"Accept": "text/turtle"})
            answers[f"/dcat page {number}"] = plain(page)
            following = re.search(r'<([^>]*)>; rel="next"', page.headers.get("link", ""))
            if following is None:
                break
            link = following[1]
    return answers


async def walked(client: httpx.AsyncClient, sort: str) -> list[Any]:
    """All pages of a list by its cursors, and what a cursor that was tampered with is told."""
    words = '"film"' if sort == "RELEVANCE" else "null"
    asked = (
        f"query($after: String) {{ datasets(query: {words}, sort: {sort}, first: 2, after: $after) {{ {WALKED} }} }}"
    )
    answers, after = [], None
    for _ in range(30):
        page = await client.post("/graphql", json={"query": asked, "variables": {"after": after}})
        answers.append(plain(page))
        info = page.json()["data"]["datasets"]["pageInfo"]
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    if after:
        forged = after[:-2] + ("AA" if after[-2:] != "AA" else "BB")
        answers.append(plain(await client.post("/graphql", json={"query": asked, "variables": {"after": forged}})))
    return answers


def compare(real: dict[str, Any], other: dict[str, Any]) -> None:
    """Every answer is the same bytes, and none knows the secret."""
    assert real.keys() == other.keys()
    differing = [path for path in real if real[path] != other[path]]
    assert not differing, (
        f"{differing}\nwith hidden records: {real[differing[0]]!r:.3000}\nwithout: {other[differing[0]]!r:.3000}"
    )
    for path, answer in real.items():
        if isinstance(answer, tuple) and SECRET not in path:
            assert SECRET.encode() not in answer[2], path


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@settings(max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(st.lists(steps(), min_size=10, max_size=40), st.integers(1, 12), st.booleans())
def test_nobody_can_tell_whether_there_are_hidden_records(
    tmp_path_factory: pytest.TempPathFactory, happened: list[Step], often: int, rebuilt: bool
) -> None:
    """After any history: projected now and then or at once, built anew or not."""
    folder = tmp_path_factory.mktemp("worlds")
    with twin(folder / "real") as real, twin(folder / "other") as other:
        there: set[tuple[Kind, str, str]] = set()
        for start in range(0, len(happened), often):
            history(happened[start : start + often], real, other, there)
            real.project()
            other.project()
        if rebuilt:
            rebuild(real.house.projector)
            rebuild(other.house.projector)
        try:
            compare(asyncio.run(told(real)), asyncio.run(told(other)))
        except AssertionError as error:
            error.add_note(f"projected every {often}, rebuilt: {rebuilt}, {[str(step) for step in happened]}")
            raise


async def test_figures_for_machines_name_no_record(tmp_path: Path) -> None:
    with twin(tmp_path) as world:
        hidden = record_of(Kind.DATASET, "freya", "7", HIDDEN, text=f"{SECRET} film", location="/data/7")
        put(world, Step(hidden))
        world.project()
        async with world.client() as client:
            for path in (f"/dataset/{hidden.pid}", f"/search?q={SECRET}"):
                await client.get(path)
            await client.post("/graphql", json={"query": f'{{ dataset(pid: "{hidden.pid}") {{ pid }} }}'})
            figures = (await client.get("/metrics")).text
            absent = plain(await client.get("/dataset/freya/dataset/8", headers={"Accept": "text/html"}))
            there = plain(await client.get("/dataset/freya/dataset/7", headers={"Accept": "text/html"}))
        assert SECRET not in figures
        assert hidden.pid not in figures
        assert absent == there, "absent and hidden are the same answer"
