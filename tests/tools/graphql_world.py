"""A small federation in memory with the GraphQL endpoint before it, for tests of the gateway."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fake_desk import NOW, FakeDesk, FakeSources
from fake_reader import FakeReader
from starlette.applications import Starlette

from gateway.graphql.context import Context, Settings
from gateway.graphql.http import Options, routes
from gateway.limits import Limits
from schema.access import ANONYMOUS, PUBLIC, Access, Viewer, Visibility
from schema.federation import Facility, Federation, Source
from schema.records import (
    Dataset,
    Document,
    FileTotals,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Parameter,
    Person,
    Provenance,
    SamplePart,
    Technique,
)
from schema.techniques import default
from schema.units import si

SAXS = "http://purl.org/pan-science/PaNET/PaNET01188"
ALICE = Viewer("https://id.example.org", "alice", "Alice Example", groups=frozenset({"north:p1"}))
BOB = Viewer("https://id.example.org", "bob", "Bob Example")
OPERATOR = Viewer("https://id.example.org", "olga", "Olga Example", roles=frozenset({"operator"}))

FEDERATION = Federation(
    facilities=(
        Facility(
            id="north",
            name="North Light Source",
            shortName="NLS",
            sources=(Source(id="scicat", kind="scicat", url="https://scicat.north.example.org"),),
        ),
        Facility(
            id="south",
            name="South Neutron Source",
            sources=(Source(id="icat", kind="icat", url="https://icat.south.example.org"),),
        ),
    )
)


def quantity(name: str, value: float, unit: str | None, source_name: str | None = None) -> Parameter:
    """A parameter with one number."""
    known = si(value, unit)
    return Parameter(
        name=name,
        source_name=source_name or name,
        value=value,
        unit=unit,
        si_value=known.value if known else None,
        si_unit=known.unit if known else None,
        dimension=known.dimension if known else None,
    )


def dataset(number: int, **given: Any) -> Dataset:
    """A dataset of the facility north."""
    told: dict[str, Any] = {
        "source": "north/scicat",
        "id": str(number),
        "pid": f"10.5442/nd{number:06}",
        "doi": f"10.5442/nd{number:06}",
        "facility": "north",
        "title": f"Silver nanoparticles, run {number}",
        "start": datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number),
        "instruments": (InstrumentPart(id="1", pid="north/instrument/1", name="ID01"),),
        "access": Access.OPEN,
    }
    return Dataset(**{**told, **given})


def document(record: Any, number: int = 1) -> Document:
    """The record as it is stored."""
    way = Provenance(record.source, "scicat", record.id, NOW, True)
    return Document(record, (way,), number, number if record.visibility.public else None)


def some_documents() -> list[Document]:
    """Records that between them have every field."""
    full = dataset(
        1,
        title="Small-angle scattering of α-Fe2O3",
        description="Colloids in water at room temperature.",
        investigation=InvestigationPart(id="7", pid="north/investigation/7", title="Iron oxides", proposal="P7"),
        techniques=(Technique("SAXS", SAXS), Technique("home-made method")),
        samples=(SamplePart(id="3", pid="north/sample/3", name="Hematite", formula="Fe2O3", type="powder"),),
        people=(Person("Ada Example", "0000-0002-1825-0097", "Owner", "North"),),
        keywords=("iron", "colloid"),
        parameters=(
            quantity("photon energy", 8.979, "keV", "energy"),
            quantity("temperature", 300.0, "K"),
            quantity("frames", 12.0, None),
            Parameter(name="detector", source_name="det", text="Eiger 4M"),
        ),
        end=datetime(2024, 1, 3, tzinfo=UTC),
        release=datetime(2025, 1, 1, tzinfo=UTC),
        license="CC-BY-4.0",
        files=FileTotals(3, 5_000_000_000, ("h5",)),
    )
    hidden = dataset(90, title="Secret silver", visibility=Visibility(False, ("north:p1",)), access=Access.EMBARGOED)
    investigation = Investigation(
        source="north/scicat", id="7", pid="north/investigation/7", facility="north", title="Iron oxides"
    )
    instrument = Instrument(source="north/scicat", id="1", pid="north/instrument/1", facility="north", name="ID01")
    plain = [dataset(number) for number in range(2, 30)]
    foreign = dataset(
        40, source="south/icat", facility="south", title="Neutrons", instruments=(), pid="south/dataset/40"
    )
    records = [full, *plain, foreign, hidden, investigation, instrument]
    return [document(each, at) for at, each in enumerate(records, 1)]


@dataclass
class World:
    """The endpoint and what stands behind it. `viewer` is who asks from now on."""

    documents: list[Document] = field(default_factory=some_documents)
    viewer: Viewer = ANONYMOUS
    cookie_session: bool = False
    limits: Limits = Limits()  # noqa: RUF009
    rated: bool = False
    url: str = "http://pangate.example.org"

    def __post_init__(self) -> None:
        self.vocabulary = default()
        self.reader = FakeReader(self.documents, self.vocabulary)
        self.desk = FakeDesk()
        self.desk.known = {each.record.pid for each in self.documents}
        self.sources = FakeSources()
        self.clock = lambda: NOW
        self.app = Starlette(routes=routes(self.context, Options(self.url, self.limits, self.rated)))

    async def context(self, _connection: object = None) -> Context:
        return Context(
            viewer=self.viewer,
            reader=self.reader,
            sources=self.sources,
            launches=self.desk,
            federation=FEDERATION,
            vocabulary=self.vocabulary,
            settings=Settings(self.url, b"k" * 32),
            clock=self.clock,
            client=self.viewer.principal or "127.0.0.1",
            correlation_id="c0ffee",
            cookie_session=self.cookie_session,
            limits=self.limits,
        )

    def client(self) -> httpx.AsyncClient:
        """An HTTP client of the endpoint."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=self.url)

    async def post(self, query: str, variables: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """The response to a POST."""
        async with self.client() as client:
            body = {"query": query, "variables": variables}
            return await client.post(
                "/graphql", json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
            )

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = (await self.post(query, variables)).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refused(self, query: str, **variables: Any) -> tuple[str, str]:
        """Code and message of the only error of an answer."""
        answer = (await self.post(query, variables)).json()
        (error,) = answer["errors"]
        assert error["extensions"]["correlationId"] == "c0ffee"
        return error["extensions"]["code"], error["message"]


__all__ = ["ALICE", "BOB", "NOW", "OPERATOR", "PUBLIC", "SAXS", "World", "dataset", "document", "quantity", "replace"]
