"""This file is the same questions over the embedded index and over the brute-force one: the API sees no difference."""

import asyncio
from pathlib import Path

import pytest
from graphql_world import ALICE, World, dataset, document, quantity
from strategies import written

from catalogue.index.embedded import EmbeddedIndex
from catalogue.query import Found, Search, Suggestion
from schema.access import Viewer
from schema.records import Kind
from schema.techniques import default

QUESTIONS = [
    'datasets(query:"iron",facets:[{field:TECHNIQUE,size:100},{field:YEAR},{field:ACCESS},{field:SAMPLE}])',
    'datasets(query:"\\"silver nanoparticles\\" -run",sort:TITLE)',
    'datasets(filter:{technique:["x-ray scattering"]})',
    'datasets(filter:{technique:["x-ray scattering"],techniqueExact:true})',
    'datasets(filter:{parameters:[{name:"Energy",min:8.97,max:9,unit:"keV"}]})',
    'datasets(filter:{parameters:[{name:"temperature",min:299}]})',
    'datasets(filter:{parameters:[{name:"frames",max:12}]})',
    'datasets(filter:{parameters:[{name:"detector",text:["Eiger 4M"]}]})',
    'datasets(filter:{started:{from:"2024-01",to:"2024-01-05"}},sort:OLDEST,first:3)',
    'datasets(filter:{instrument:["id01"],person:["0000-0002-1825-0097"],analysable:true})',
    "datasets(filter:{analysable:false},facets:[{field:FACILITY}])",
    'datasets(facets:[{field:PARAMETER,parameter:"photon energy",unit:"keV",bins:4},{field:PARAMETER_NAME}])',
    "datasets(scope:MINE,facets:[{field:KEYWORD}])",
    'datasets(scope:MINE,query:"silver")',
    "datasets(sort:NEWEST,first:100)",
    "datasets(sort:RELEASED,first:100)",
]
ANSWER = """{totalCount nodes{pid} pageInfo{hasNextPage} sources{source matched}
  facets{field unit missing other buckets{value label count from to}}}"""


class Threaded:
    """The embedded index behind the gateway's port."""

    def __init__(self, index: EmbeddedIndex) -> None:
        self.index = index

    async def search(self, search: Search) -> Found:
        return await asyncio.to_thread(self.index.search, search)

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        return await asyncio.to_thread(self.index.get, kind, pid, viewer.groups)

    async def get_many(self, kind, pids, viewer: Viewer) -> dict[str, bytes]:
        return await asyncio.to_thread(self.index.get_many, kind, pids, viewer.groups)

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        return await asyncio.to_thread(self.index.suggest, text, first)

    async def counts(self) -> dict[str, int]:
        return await asyncio.to_thread(self.index.counts)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, World]:
    """The same records behind the brute-force index and behind the real one."""
    energies = [dataset(at, parameters=(quantity("photon energy", at, "keV"),)) for at in range(50, 58)]
    brute = World(viewer=ALICE)
    documents = [*brute.documents, *(document(each, 100 + at) for at, each in enumerate(energies))]
    brute, real = World(viewer=ALICE, documents=documents), World(viewer=ALICE, documents=documents)
    folder: Path = tmp_path_factory.mktemp("index")
    index = EmbeddedIndex(folder, techniques=default())
    index.apply([written(each) for each in documents], 200)
    real.reader = Threaded(index)
    return brute, real


@pytest.mark.parametrize("question", QUESTIONS)
async def test_both_give_the_same_answer(worlds, question):
    brute, real = worlds
    query = f"{{{question}{ANSWER}}}"
    assert await real.ask(query) == await brute.ask(query)


async def test_no_value_at_all_finds_nothing(worlds):
    for world in worlds:
        world.desk.triggers = lambda _facility=None: []
        assert (await world.ask("{datasets(filter:{analysable:true}){totalCount}}"))["datasets"]["totalCount"] == 0
        del world.desk.triggers


async def test_pages_of_the_real_index_join_to_the_whole_list(worlds):
    _, real = worlds
    for sort in ("RELEVANCE", "NEWEST", "TITLE", "RELEASED"):
        asked = f'datasets(query:"silver",sort:{sort},first:$n,after:$a)'
        query = f"query($a:String,$n:Int){{{asked}{{nodes{{pid}} pageInfo{{hasNextPage endCursor}}}}}}"
        whole = (await real.ask(query, n=100))["datasets"]["nodes"]
        seen, after = [], None
        while True:
            page = (await real.ask(query, n=7, a=after))["datasets"]
            seen += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert seen == whole
        assert len(seen) == 36
