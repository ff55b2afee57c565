"""Laws of every crosswalk: any JSON gives a record or a named reject, bounded, the same each time, and nothing private in it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.access import Access
from schema.crosswalks import icat, icat_publications, naming, scicat, scicat_published
from schema.crosswalks.place import Place
from schema.crosswalks.reading import count, instant, number, text
from schema.federation import RecordRule
from schema.mark import MARK
from schema.records import Dataset, Instrument, Reject, Sample, decode, encode
from schema.techniques import default

CROSSWALKS = {
    "dataset": scicat.dataset,
    "proposal": scicat.proposal,
    "sample": scicat.sample,
    "instrument": scicat.instrument,
    "publisheddata": scicat_published.published,
    "icat Dataset": icat.dataset,
    "icat Investigation": icat.investigation,
    "icat Sample": icat.sample,
    "icat Instrument": icat.instrument,
    "icat DataPublication": icat_publications.publication,
}
REASONS = {"not-an-object", "no-id", "id-too-long", "wrong-type", "too-large"}
PLACE = Place(facility="home", source="home/one", vocabulary=default(), authenticated=True)
NAMES = st.sampled_from(
    [
        "pid",
        "_id",
        "id",
        "doi",
        "proposalId",
        "sampleId",
        "name",
        "title",
        "datasetName",
        "description",
        "scientificMetadata",
        "techniques",
        "parameters",
        "type",
        "investigation",
        "releaseDate",
        "users",
        "metadata",
        "creators",
        "keywords",
        "updatedAt",
        "modTime",
        "size",
        "fileSize",
        "relationships",
        "value",
        "unit",
        "v",
        "u",
        "isPublished",
        "accessGroups",
        "ownerGroup",
        "numericValue",
        "units",
        "dates",
        "content",
        "datasetInstruments",
        "instrument",
        "sample",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["2020-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00+14:00", "N/A", "keV"])
    | st.sampled_from(["10.5442/ND1", "DOI:10.5442/nd1", "\x00", "\ud800", "007", "1_0", "a@b.org", "\ue000"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=8),
    max_leaves=30,
)


@pytest.mark.parametrize("name", CROSSWALKS)
@given(raw=JSON)
@settings(max_examples=150)
def test_any_json_gives_a_record_or_a_named_reject(name: str, raw: Any) -> None:
    made = CROSSWALKS[name](PLACE, raw)
    if isinstance(made, Reject):
        assert made.reason in REASONS
        assert made.message
        assert len(made.raw) <= naming.RAW
        made.raw.encode()
    else:
        data = encode(made)
        assert len(data) <= naming.RECORD
        assert decode(data) == made
        assert made.id
        assert len(made.id) <= 512
        assert made == CROSSWALKS[name](PLACE, copy.deepcopy(raw))


WHOLE: dict[str, Any] = {
    "pid": "20.500.1/a",
    "datasetName": "Alpha",
    "scientificMetadata": {
        "energy": {"value": 8.979, "unit": "keV"},
        "list": [1, 2, 3],
        "deep": {"a": {"b": {"c": 1}}},
    },
    "techniques": [{"pid": "PaNET01129", "name": "tomography"}],
    "keywords": ["a", "b"],
    "isPublished": False,
    "ownerGroup": "g",
    "accessGroups": ["h", None, ""],
    "creationTime": "2020-01-01T00:00:00.000Z",
    "id": 7,
    "name": "scan",
    "doi": "10.5442/nd1",
    "modTime": "2020-01-01T00:00:00.000+01:00",
    "investigation": {"id": 3, "releaseDate": "2030-01-01T00:00:00.000+01:00", "investigationUsers": [{"role": "PI"}]},
    "parameters": [{"id": 1, "numericValue": 1.5, "type": {"name": "T", "units": "K"}}],
    "users": [{"fullName": "Ada", "orderKey": "1", "contributorType": "Creator"}],
    "creators": [{"name": "Ada", "affiliation": [{"name": "X"}]}],
    "proposalId": "p1",
    "sampleId": "s1",
    "sampleCharacteristics": {"chemical_formula": "H2O"},
}


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(each for key, value in inner for each in places(value, (*path, key)))] if path or inner else [path]


@pytest.mark.parametrize("name", CROSSWALKS)
@given(data=st.data())
@settings(max_examples=80)
def test_a_good_record_with_one_value_of_another_kind_is_a_record_or_a_named_reject(
    name: str, data: st.DataObject
) -> None:
    raw = copy.deepcopy(WHOLE)
    path = data.draw(st.sampled_from([each for each in places(WHOLE) if each]))
    here: Any = raw
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = data.draw(JSON)
    made = CROSSWALKS[name](PLACE, raw)
    assert isinstance(made, Reject) or decode(encode(made)) == made


@pytest.mark.parametrize("name", CROSSWALKS)
@pytest.mark.parametrize(
    "filler", ["ä" * 70_000, [f"{n}" + "x" * 600 for n in range(5_000)], {f"k{n}": n for n in range(9_000)}]
)
def test_output_is_bounded_whatever_comes_in(name: str, filler: Any) -> None:
    raw = dict.fromkeys(WHOLE, filler) | {
        "pid": "1",
        "id": 1,
        "doi": "1",
        "proposalId": "1",
        "sampleId": "1",
        "name": "n",
    }
    made = CROSSWALKS[name](PLACE, raw)
    assert isinstance(made, Reject) or len(encode(made)) <= naming.RECORD


def test_what_is_nested_without_end_is_still_a_record() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = {"a": deep}
    made = scicat.dataset(PLACE, {"pid": "1", "scientificMetadata": deep, "jobParameters": deep})
    assert isinstance(made, Dataset)
    while isinstance(deep, dict):  # let go level by level: freeing it at once would need as deep a stack
        deep = deep.pop("a")


def test_an_id_of_513_characters_is_refused_since_it_could_not_be_asked_for_again() -> None:
    assert isinstance(scicat.dataset(PLACE, {"pid": "x" * 512}), Dataset)
    made = scicat.dataset(PLACE, {"pid": "x" * 513})
    assert isinstance(made, Reject)
    assert made.reason == "id-too-long"


def test_mail_addresses_of_people_are_nowhere() -> None:
    raw = WHOLE | {
        "owner": "a@b.org",
        "principalInvestigators": ["c@d.org"],
        "ownerEmail": "e@f.org",
        "contactEmail": "g@h.org",
    }
    for name in ("a@b.org", "e@f.org", "g@h.org"):
        assert name not in json.dumps(encode(scicat.dataset(PLACE, raw)).decode())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("authenticated", "rule", "published", "public"),
    [
        (False, RecordRule.SOURCE, False, True),
        (True, RecordRule.SOURCE, False, False),
        (True, RecordRule.SOURCE, True, True),
        (True, RecordRule.PUBLIC, False, True),
    ],
)
def test_who_sees_a_scicat_dataset(authenticated: bool, rule: RecordRule, published: bool, public: bool) -> None:
    place = Place(facility="home", source="home/one", vocabulary=default(), authenticated=authenticated, rule=rule)
    made = scicat.dataset(
        place, {"pid": "1", "isPublished": published, "ownerGroup": "g", "accessGroups": [" h ", None, 3]}
    )
    assert isinstance(made, Dataset)
    assert made.visibility.public is public
    assert made.visibility.groups == (() if public else ("home:g", "home:h"))
    assert made.access is (Access.OPEN if published else Access.CLOSED)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("007", None),
        ("1_000", None),
        ("7", 7.0),
        ("-0.5", -0.5),
        ("1e3", 1000.0),
        ("inf", None),
        (True, None),
        ("٣", None),
    ],
)
def test_what_is_a_number(written: Any, read: float | None) -> None:
    assert number(written) == read


@given(st.text() | st.booleans())
def test_read_text_is_clean_and_read_again_the_same(value: Any) -> None:
    found = text(value, 20)
    assert found is None or (0 < len(found) <= 20 and text(found, 20) == found and found.encode())


@given(SCALARS)
def test_instants_are_utc_and_counts_are_whole(value: Any) -> None:
    moment, number_of = instant(value), count(value)
    assert moment is None or moment.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert number_of is None or 0 <= number_of < 2**63


FIELD = {"icat Investigation": "summary", "proposal": "abstract", "publisheddata": "abstract"}


@pytest.mark.parametrize("name", sorted({*CROSSWALKS} - {"instrument", "icat Sample"}))
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (f"{MARK} Raw dataset at ID01 of North Light Source on 2024-01-04.", None),
        (f"  {MARK.replace(' ', chr(10)).upper()} Dataset at North.", None),
        (f"Own words [1]. {MARK} Dataset at North.", "Own words [1]."),
        ("Own words [1].", "Own words [1]."),
    ],
)
def test_our_own_marked_sentence_never_comes_back_as_the_record_s_description(
    name: str, sent: str, kept: str | None
) -> None:
    made = CROSSWALKS[name](PLACE, WHOLE | {FIELD.get(name, "description"): sent})
    assert not isinstance(made, Reject)
    assert getattr(made, "description" if isinstance(made, Dataset | Instrument | Sample) else "abstract") == kept
    assert MARK not in encode(made).decode()
