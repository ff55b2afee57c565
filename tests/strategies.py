"""This file is how tests make records, documents and searches: few words and values, so that they meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from catalogue.ports import Entry
from catalogue.query import AnyOf, Between, Clause, FacetWish, Field, Instant, ParameterIs, Scope, Search, Sort
from schema.access import Access, Visibility
from schema.records import (
    AnyRecord,
    Dataset,
    Document,
    FileTotals,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Parameter,
    Person,
    Provenance,
    SamplePart,
    Technique,
)
from schema.text import parse

WORDS = [
    "scattering",
    "neutron",
    "X-ray",
    "Perovskite",
    "perovskite",
    "La1.85Sr0.15CuO4",
    "α-Fe2O3",
    "small-angle",
    "thin",
    "film",
]
NAMES = ["ID01", "D22", "CRISTAL", "Größe"]
PEOPLE = ["Ada Example", "Béla Sample", "C. Invented"]
KEYWORDS = ["catalysis", "Catalysis", "magnetism", "α-phase", "soft matter"]
IRIS = [f"http://purl.org/pan-science/PaNET/PaNET0{number}" for number in ("1001", "1002", "1003")]
FACILITIES = ["north", "south"]
GROUPS = ["north:team", "north:user:ada", "south:team"]
NUMBERS = [-1.5, 0.0, -0.0, 0.1, 0.3, 1.0, 2.0, 2.5, 10.0, 1e20]
START = datetime(2019, 12, 31, 22, tzinfo=UTC)

moments = st.integers(0, 40).map(lambda steps: START + timedelta(hours=steps * 613))
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
people = st.builds(
    Person, name=st.sampled_from(PEOPLE), orcid=st.sampled_from([None, "0000-0001"]), affiliation=st.none() | sentences
)
techniques = st.one_of(
    st.builds(Technique, name=st.just("label"), pid=st.sampled_from(IRIS), source_name=st.none() | sentences),
    st.builds(Technique, name=sentences),
)
instruments = st.builds(
    InstrumentPart, pid=st.sampled_from([None, "north/instrument/1", "south/instrument/2"]), name=st.sampled_from(NAMES)
)
samples = st.builds(
    SamplePart,
    pid=st.sampled_from([None, "north/sample/1"]),
    name=st.sampled_from(NAMES),
    formula=st.sampled_from([None, "Fe2O3"]),
)
investigations = st.builds(
    InvestigationPart,
    pid=st.sampled_from([None, "north/investigation/7"]),
    title=st.none() | sentences,
    proposal=st.sampled_from([None, "MA-1234"]),
)


@st.composite
def parameters(draw: st.DrawFn) -> Parameter:
    """A number, a range (perhaps open at one end), a text, or nothing at all; with or without a dimension."""
    name = draw(st.sampled_from(["energy", "Temperature", "T"]))
    dimension = draw(st.sampled_from([None, "[length]"]))
    shape = draw(st.sampled_from(["value", "range", "open", "text", "both", "none"]))
    one, two = sorted((draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS))))
    numbers = {
        "value": {"value": one},
        "both": {"value": one},
        "range": {"min": one, "max": two},
        "open": {"min": one},
    }.get(shape, {})
    if dimension is not None:
        numbers = {f"si_{key}": value for key, value in numbers.items()}
    text = draw(st.sampled_from(["Cold", "hot"])) if shape in ("text", "both") else None
    source_name = draw(st.sampled_from([name, "temp"]))
    return Parameter(name=name, source_name=source_name, dimension=dimension, text=text, **numbers)


@st.composite
def datasets(draw: st.DrawFn, visibility: st.SearchStrategy[Visibility] | None = None) -> Dataset:
    """A dataset; its pid is one of a few, so that writes meet."""
    facility = draw(st.sampled_from(FACILITIES))
    id = str(draw(st.integers(1, 40)))
    return Dataset(
        source=f"{facility}/main",
        id=id,
        pid=f"north/dataset/{id}",
        facility=facility,
        visibility=draw(visibility or visibilities),
        title=draw(sentences),
        description=draw(st.none() | sentences),
        investigation=draw(st.none() | investigations),
        instruments=tuple(draw(st.lists(instruments, max_size=2))),
        techniques=tuple(draw(st.lists(techniques, max_size=2))),
        samples=tuple(draw(st.lists(samples, max_size=2))),
        people=tuple(draw(st.lists(people, max_size=2))),
        keywords=tuple(draw(st.lists(st.sampled_from(KEYWORDS), max_size=3))),
        parameters=tuple(draw(st.lists(parameters(), max_size=3))),
        start=draw(st.none() | moments),
        release=draw(st.none() | moments),
        access=draw(st.sampled_from(Access)),
        files=FileTotals(formats=tuple(draw(st.lists(st.sampled_from(["h5", "CSV", "tif"]), max_size=2)))),
    )


visibilities = st.one_of(
    st.just(Visibility(public=True)),
    st.builds(
        lambda groups: Visibility(public=False, groups=tuple(sorted(groups))),
        st.sets(st.sampled_from(GROUPS), max_size=2),
    ),
)


def investigation(dataset: Dataset) -> Investigation:
    """An investigation that says what the dataset says."""
    return Investigation(
        source=dataset.source,
        id=dataset.id,
        pid=dataset.pid,
        facility=dataset.facility,
        visibility=dataset.visibility,
        title=dataset.title,
        keywords=dataset.keywords,
        start=dataset.start,
    )


def document(record: AnyRecord, version: int) -> Document:
    """The document of a record that came from one source."""
    way = Provenance(record.source, record.kind.value, record.id, harvested=START, primary=True)
    return Document(record, (way,), version, version if record.visibility.public else None)


def entry(record: AnyRecord, version: int, *, gone: bool = False) -> Entry:
    """The write of a record at a version (or of its end)."""
    return Entry(record.kind, record.pid, version, None, public=False) if gone else written(document(record, version))


def written(document: Document) -> Entry:
    """The write of a document, public if its record is."""
    record = document.record
    return Entry(record.kind, record.pid, document.version, lambda: document, record.visibility.public)


@st.composite
def entries(draw: st.DrawFn, max_size: int = 25) -> list[Entry]:
    """Writes in the order of their versions; later ones may replace, hide, show or remove what earlier ones wrote."""
    records = draw(st.lists(datasets(), max_size=max_size))
    return [
        entry(record, version, gone=draw(st.integers(0, 9)) == 0) for version, record in enumerate(records, start=1)
    ]


asked = st.one_of(
    st.just(""),
    st.sampled_from(WORDS),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(" ".join),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda pair: f'"{pair[0]} {pair[1]}"'),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(lambda pair: f"{pair[0]} -{pair[1]}"),
    st.sampled_from(WORDS).map(lambda word: f"-{word}"),
).map(parse)
_field_values: dict[Field, list[str]] = {
    Field.PID: ["north/dataset/1", "north/dataset/2"],
    Field.FACILITY: FACILITIES,
    Field.SOURCE: ["north/main"],
    Field.INSTRUMENT: [*NAMES, "north/instrument/1", "id01"],
    Field.TECHNIQUE: [*IRIS, "thin film"],
    Field.TECHNIQUE_EXACT: [*IRIS, "Perovskite"],
    Field.SAMPLE: [*NAMES, "north/sample/1", "Fe2O3"],
    Field.PERSON: [*PEOPLE, "bela sample", "0000-0001"],
    Field.INVESTIGATION: ["north/investigation/7", "ma-1234"],
    Field.KEYWORD: KEYWORDS,
    Field.FILE_FORMAT: ["h5", "csv", "none"],
    Field.ACCESS: [access.value for access in Access],
    Field.YEAR: ["2019", "2020", "2021"],
    Field.PARAMETER_NAME: ["energy", "temperature", "temp", "t"],
}


@st.composite
def clauses(draw: st.DrawFn) -> Clause:
    """A clause of any kind."""
    shape = draw(st.integers(0, 2))
    if shape == 0:
        field = draw(st.sampled_from(Field))
        return AnyOf(field, tuple(draw(st.lists(st.sampled_from(_field_values[field]), min_size=1, max_size=2))))
    if shape == 1:
        return Between(draw(st.sampled_from(Instant)), draw(st.none() | moments), draw(st.none() | moments))
    bounds = sorted((draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS))))
    return ParameterIs(
        name=draw(st.sampled_from(["energy", "temperature", "TEMP"])),
        min=draw(st.sampled_from([None, bounds[0]])),
        max=draw(st.sampled_from([None, bounds[1]])),
        dimension=draw(st.sampled_from([None, "[length]"])),
        text=draw(st.sampled_from([(), ("cold",), ("COLD", "hot")])),
    )


wishes = st.one_of(
    st.builds(
        FacetWish, field=st.sampled_from([f for f in Field if f is not Field.PID]), size=st.sampled_from([1, 2, 10])
    ),
    st.builds(
        FacetWish,
        field=st.none(),
        parameter=st.sampled_from(["energy", "temperature"]),
        dimension=st.sampled_from([None, "[length]"]),
        bins=st.sampled_from([1, 3, 20]),
    ),
)


@st.composite
def searches(draw: st.DrawFn) -> Search:
    """Any question over datasets."""
    return Search(
        kind=Kind.DATASET,
        scope=draw(st.sampled_from(Scope)),
        groups=frozenset(draw(st.sets(st.sampled_from(GROUPS)))),
        asked=draw(asked),
        clauses=tuple(draw(st.lists(clauses(), max_size=2))),
        facets=tuple(draw(st.lists(wishes, max_size=2))),
        sort=draw(st.sampled_from(Sort)),
        first=draw(st.integers(1, 5)),
    )
