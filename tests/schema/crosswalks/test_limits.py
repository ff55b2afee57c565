"""This file is every limit of a record with its real number, at one below, at, and one above (reliability reference, section 8).

Page and chain of a walk: tests/harvesters/test_bounds.py; one answer, and the hours: tests/harvesters/test_limits.py.
"""

from typing import Any

import pytest

from schema.crosswalks import naming, scicat
from schema.crosswalks.place import Place
from schema.crosswalks.reading import DEPTH, KEYS, MANY, TEXT, TITLE
from schema.records import Dataset, Reject, encode
from schema.techniques import default

PLACE = Place(facility="home", source="home/one", vocabulary=default())
OVER = pytest.mark.parametrize("over", [-1, 0, 1])


def made(**fields: Any) -> Dataset:
    found = scicat.dataset(PLACE, {"pid": "1", **fields})
    assert isinstance(found, Dataset)
    return found


@OVER
def test_a_title_is_kept_to_four_kibibytes_of_ascii(over: int) -> None:
    assert len(made(datasetName="t" * (TITLE + over)).title) == min(TITLE, TITLE + over)


@OVER
def test_a_text_is_kept_to_64_kibibytes_of_ascii(over: int) -> None:
    assert len(made(description="t" * (TEXT + over)).description or "") == min(TEXT, TEXT + over)


@OVER
def test_a_record_has_so_many_relations_of_a_kind(over: int) -> None:
    count = MANY + over
    assert len(made(keywords=[f"k{at}" for at in range(count)]).keywords) == min(MANY, count)
    assert len(made(techniques=[{"name": f"t{at}"} for at in range(count)]).techniques) == min(MANY, count)


@OVER
def test_an_object_has_so_many_parameters_and_the_rest_can_be_read(over: int) -> None:
    count = KEYS + over
    record = made(scientificMetadata={f"k{at}": {"value": at, "unit": "K"} for at in range(count)})
    assert len(record.parameters) == min(KEYS, count)
    rest = [each.text for each in record.details if each.name == "scientificMetadata"]
    assert bool(rest) == (over > 0)
    assert not rest or f'"k{KEYS}": ' in rest[0]


@OVER
def test_an_object_is_read_so_deep_and_the_rest_can_be_read(over: int) -> None:
    metadata: dict[str, Any] = {"last": {"value": 1, "unit": "K"}}
    for _ in range(DEPTH - 1 + over):
        metadata = {"k": metadata}
    record = made(scientificMetadata=metadata)
    assert len(record.parameters) == (0 if over > 0 else 1)
    assert [each.name for each in record.details].count("scientificMetadata") == (1 if over > 0 else 0)


@OVER
def test_a_record_has_a_mebibyte(over: int) -> None:
    keywords = [f"{at:04}".ljust(512, "k") for at in range(MANY)]
    techniques = [{"name": f"{at:04}".ljust(512, "t")} for at in range(940)]

    def record(fill: int) -> Dataset | Reject:
        raw = {
            "pid": "1",
            "datasetName": "n",
            "keywords": keywords,
            "techniques": techniques,
            "description": "d" * fill,
        }
        found = scicat.dataset(PLACE, raw)
        assert isinstance(found, Dataset | Reject)
        return found

    small = record(1)
    assert isinstance(small, Dataset)
    found = record(1 + naming.RECORD - len(encode(small)) + over)
    if over > 0:
        assert isinstance(found, Reject)
        assert (found.reason, str(naming.RECORD) in found.message) == ("too-large", True)
    else:
        assert len(encode(found)) == naming.RECORD + over  # type: ignore[arg-type]


def test_the_numbers_are_those_that_were_agreed() -> None:
    assert (TITLE, TEXT, MANY, KEYS, DEPTH, naming.RECORD) == (4_096, 65_536, 1_000, 500, 32, 1 << 20)
