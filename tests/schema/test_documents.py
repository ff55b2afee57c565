"""Joining: what a record shows of those it names, and what nobody needs to know of."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schema.access import Visibility, covers
from schema.crosswalks.reading import text
from schema.documents import by_name, is_name, join, naming, offered, references
from schema.records import (
    AnyRecord,
    Dataset,
    Detail,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Person,
    Publication,
    Related,
    Sample,
    SamplePart,
    encode,
)

OF = {"source": "ill/icat", "facility": "ill"}
START = datetime(2026, 1, 1, tzinfo=UTC)
D17 = Instrument(id="7", pid="ill/instrument/7", name="D17", **OF)
PROPOSAL = Investigation(id="i", pid="10.5291/i", title="Films", proposal="9-10-1", start=START, **OF)
FILM = Sample(id="s", pid="ill/sample/s", name="Film", formula="Fe2O3", **OF)
ALL: dict[tuple[Kind, str], AnyRecord] = {(record.kind, record.id): record for record in (D17, PROPOSAL, FILM)}
DATASET = Dataset(
    id="d",
    pid="ill/dataset/d",
    title="Run 1",
    investigation=InvestigationPart(id="i"),
    instruments=(InstrumentPart(id="7"), InstrumentPart(name="Furnace")),
    samples=(SamplePart(id="s", name="the source's name"),),
    **OF,
)


def publication(id: str = "p", **change: Any) -> Publication:
    fields: dict[str, Any] = {"pid": f"10.5291/{id}", "doi": f"10.5291/{id}", "title": "The data", "datasets": ("d",)}
    return Publication(id=id, **(fields | change), **OF)


def look(kind: Kind, id: str) -> AnyRecord | None:
    return ALL.get((kind, id))


def nothing(kind: Kind, id: str) -> AnyRecord | None:
    return None


def joined(dataset: Dataset, *publications: Publication) -> Dataset:
    found = join(dataset, nothing, publications)
    assert isinstance(found, Dataset)
    return found


def test_named_parts_are_filled_and_others_stay_as_they_came() -> None:
    found = join(DATASET, look)
    assert isinstance(found, Dataset)
    assert found.investigation == InvestigationPart("i", "10.5291/i", "Films", "9-10-1", START)
    assert found.instruments == (InstrumentPart("7", "ill/instrument/7", "D17"), InstrumentPart(name="Furnace"))
    assert found.samples == (SamplePart("s", "ill/sample/s", "Film", "Fe2O3"),)
    assert join(DATASET, nothing) == DATASET


def test_an_instrument_without_an_id_is_looked_up_by_its_name() -> None:
    names = {by_name("fürnace"): replace(D17, id="8", pid="ill/instrument/8", name="Fürnace")}
    found = join(DATASET, lambda kind, id: names.get(id) if kind is Kind.INSTRUMENT else None)
    assert isinstance(found, Dataset)
    assert found.instruments == (InstrumentPart("7"), InstrumentPart(None, "ill/instrument/8", "Fürnace"))


@given(st.text(max_size=40) | st.text("ﷺ", min_size=200))
def test_a_name_in_an_ids_place_is_like_no_id_and_no_longer_than_one(name: str) -> None:
    assert is_name(by_name(name))
    assert len(by_name(name)) <= 513
    assert by_name(name) == by_name(name.upper()) or name.upper().lower() != name.lower()
    assert text(by_name("x" + name)) != by_name("x" + name), "no crosswalk reads an id like it"


def test_what_the_named_record_does_not_say_stays_as_the_part_said_it() -> None:
    part = InvestigationPart(id="i", abstract="From the dataset")
    found = join(replace(DATASET, investigation=part), look)
    assert isinstance(found, Dataset)
    assert found.investigation is not None
    assert found.investigation.abstract == "From the dataset"


def test_investigations_and_samples_are_joined_too() -> None:
    visit = replace(PROPOSAL, instruments=(InstrumentPart(id="7"),))
    assert join(visit, look).instruments[0].name == "D17"  # type: ignore[union-attr]
    film = replace(FILM, investigation=InvestigationPart(id="i"))
    assert join(film, look).investigation.title == "Films"  # type: ignore[union-attr]
    assert join(publication(), look) == publication()


def test_references_are_what_a_record_names_at_its_source() -> None:
    furnace = (Kind.INSTRUMENT, by_name("Furnace"))
    assert references(DATASET) == ((Kind.INVESTIGATION, "i"), (Kind.INSTRUMENT, "7"), furnace, (Kind.SAMPLE, "s"))
    assert references(publication(datasets=("d", "e", "d", ""))) == ((Kind.DATASET, "d"), (Kind.DATASET, "e"))
    assert references(D17) == ((Kind.INSTRUMENT, by_name("d17")),), "it answers to its name"


_NAMES = st.one_of(st.none(), st.text(max_size=6))
_INSTRUMENTS = st.lists(st.builds(InstrumentPart, id=_NAMES, name=_NAMES), max_size=3).map(tuple)
_WHOLE = st.one_of(st.none(), st.builds(InvestigationPart, id=_NAMES, title=_NAMES))
_SAMPLES = st.lists(st.builds(SamplePart, id=_NAMES, name=_NAMES), max_size=3).map(tuple)


@given(
    st.one_of(
        st.builds(partial(replace, DATASET), instruments=_INSTRUMENTS, investigation=_WHOLE, samples=_SAMPLES),
        st.builds(partial(replace, PROPOSAL), instruments=_INSTRUMENTS),
        st.builds(partial(replace, FILM), investigation=_WHOLE),
        st.builds(publication, datasets=st.lists(st.text(max_size=6), max_size=3).map(tuple)),
    )
)
def test_whom_a_record_names_is_told_by_its_json_alone(record: AnyRecord) -> None:
    found = naming(encode(record))
    assert (found.source, found.id) == (record.source, record.id)
    assert references(found) == references(record)


def test_a_publication_adds_licence_people_keywords_and_a_link_but_no_doi() -> None:
    own = replace(DATASET, people=(Person("Ada", orcid="0000-1"), Person("Ben")), keywords=("Films",))
    people = (Person("A. Lovelace", orcid="0000-1"), Person("ben"), Person("Cleo"))
    found = joined(own, publication(license="CC-BY-4.0", people=people, keywords=("films", "iron")))
    assert (found.license, found.doi, found.keywords) == ("CC-BY-4.0", None, ("Films", "iron"))
    assert [person.name for person in found.people] == ["Ada", "Ben", "Cleo"]
    assert found.related == (Related("10.5291/p", "IsPartOf", "DOI", "The data"),)


def test_own_words_come_before_those_of_a_publication() -> None:
    own = replace(DATASET, license="CC0", doi="10.5291/p", related=(Related("10.5291/q", "IsCitedBy"),))
    found = joined(own, publication(license="CC-BY-4.0"), publication("q"))
    assert (found.license, found.related) == ("CC0", own.related), "its own DOI is no relation, a known one comes once"


def test_a_paper_documents_what_a_data_publication_contains() -> None:
    found = joined(DATASET, publication("z", type="Journal Article"), publication("a", type="Dataset"))
    assert [(link.identifier, link.relation) for link in found.related] == [
        ("10.5291/a", "IsPartOf"),
        ("10.5291/z", "IsDocumentedBy"),
    ]


def test_the_order_in_which_publications_are_found_makes_no_difference() -> None:
    one, two = publication("a", license="CC0", keywords=("x",)), publication("b", license="CC-BY-4.0", keywords=("y",))
    assert joined(DATASET, one, two) == joined(DATASET, two, one)


def test_offered_differs_exactly_when_somebody_shows_something_else() -> None:
    for record in (D17, PROPOSAL, FILM, publication()):
        assert offered(record) == offered(replace(record, details=(Detail("note", "nobody shows it"),)))
        assert offered(record) != offered(replace(record, **{_title(record): "Another"}))
    assert offered(DATASET) == offered(replace(DATASET, title="Another")) == b""


def _title(record: AnyRecord) -> str:
    return "name" if isinstance(record, Instrument | Sample) else "title"


@given(
    name=st.text(min_size=1),
    formula=st.none() | st.text(),
    description=st.none() | st.text(),
    other=st.none() | st.text(),
)
def test_equal_offers_give_equal_joins(
    name: str, formula: str | None, description: str | None, other: str | None
) -> None:
    """The law that incremental projection rests on."""
    one = replace(FILM, name=name, formula=formula, description=description)
    two = replace(FILM, name=name, formula=formula or None, description=other)
    if offered(one) == offered(two):
        first, second = ({(Kind.SAMPLE, "s"): sample} for sample in (one, two))
        shown = [join(DATASET, lambda kind, name, known=known: known.get((kind, name))) for known in (first, second)]
        assert shown[0] == shown[1]


GROUPS = st.frozensets(st.sampled_from(["ill:a", "ill:b", "ill:c"])).map(lambda groups: tuple(sorted(groups)))
VISIBILITY = st.builds(Visibility, public=st.booleans(), groups=GROUPS)


@given(wide=VISIBILITY, narrow=VISIBILITY, viewer=st.frozensets(st.sampled_from(["ill:a", "ill:b", "ill:c"])))
def test_whoever_sees_the_narrower_sees_the_wider_when_it_covers(
    wide: Visibility, narrow: Visibility, viewer: frozenset[str]
) -> None:
    def sees(visibility: Visibility) -> bool:
        return visibility.public or not viewer.isdisjoint(visibility.groups)

    if covers(wide, narrow) and sees(narrow):
        assert sees(wide)
