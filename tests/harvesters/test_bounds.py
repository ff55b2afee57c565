"""How much a source may bring, with its real numbers: records in one answer, answers in one list."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from harvesting import Given, SciCatSite

from catalogue import names
from harvesters import bounds
from harvesters.http import PoliteSession, Reply
from harvesters.icat_rows import Rows
from harvesters.icat_session import IcatSession
from harvesters.scicat_lists import ROUTES, Lists
from harvesters.scicat_session import SciCatSession
from schema.activities import HarvestState
from schema.errors import StopHarvest
from schema.records import Dataset, Detail, Kind

OK = Reply(200, {"content-type": "application/json"}, b"", None)
Answers = Callable[[Mapping[str, str]], Any]


class Answering(PoliteSession):
    """A session whose every question is answered by a function of its parameters."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def ask(self, path: str, params: Any = None, headers: Any = None, transient: Any = None) -> tuple[Reply, Any]:
        return OK, self.answers(params)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def scicat(answers: Answers) -> Iterator[int]:
    """How many datasets each page of a SciCat's list brings."""
    lists = Lists(SciCatSession(Answering(answers), None, Given(), now))
    return (len(each.raws) for each in lists.pages(ROUTES[-1], "", 1, {}))


def icat(answers: Answers) -> Iterator[int]:
    """How many datasets each page of an ICAT's table brings."""
    session = IcatSession(Answering(answers), None, Given(), now)
    session._id, session._refresh_at = "known", datetime(2027, 1, 1, tzinfo=UTC)
    return (len(each) for each in Rows(session, 1).entities("Dataset"))


def at_once(count: int, key: Callable[[int], Any]) -> Answers:
    """All in the first answer, whatever limit is asked for, and nothing after it."""
    answers = iter([[key(number) for number in range(1, count + 1)]])
    return lambda _params: next(answers, [])


def by_one(count: int, key: Callable[[int], Any]) -> Answers:
    """One in each answer, and nothing after so many."""
    numbers = iter(range(1, count + 1))
    return lambda _params: [key(number) for number in [next(numbers, 0)] if number]


def in_scicat(number: int) -> Any:
    return {"pid": f"{number:06}x"}


def in_icat(number: int) -> Any:
    return {"Dataset": {"id": number}}


KINDS = pytest.mark.parametrize(("pages", "key"), [(scicat, in_scicat), (icat, in_icat)], ids=["scicat", "icat"])


@KINDS
@pytest.mark.parametrize(("count", "told"), [(9_999, None), (10_000, None), (10_001, "too-many-records")])
def test_an_answer_has_ten_thousand_records(pages: Any, key: Any, count: int, told: str | None) -> None:
    """Of a server that does not keep to the one record that was asked for."""
    if told is None:
        assert list(pages(at_once(count, key))) == [count]
        return
    with pytest.raises(StopHarvest) as error:
        list(pages(at_once(count, key)))
    assert error.value.reason == told
    assert re.search(r"10,001 records .* 10,000 are the most .* Ask the source's operators", error.value.message)


@KINDS
@pytest.mark.parametrize(("count", "told"), [(99_999, None), (100_000, None), (100_001, "endless")])
def test_a_list_has_a_hundred_thousand_pages(pages: Any, key: Any, count: int, told: str | None) -> None:
    if told is None:
        assert sum(pages(by_one(count, key))) == count
        return
    with pytest.raises(StopHarvest) as error:
        list(pages(by_one(count, key)))
    assert error.value.reason == told
    assert re.search(r"within 100,000 pages. .* set a larger `pageSize`", error.value.message)


def test_each_list_is_counted_by_itself_and_the_harvest_ends_with_the_sentence(
    site: SciCatSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):  # three pages of seven
        site.store.put_dataset(pid=f"20.500.1/{number:02}", datasetName="One")
    monkeypatch.setattr(bounds, "PAGES", 3)
    assert site.harvest().state is HarvestState.DONE
    monkeypatch.setattr(bounds, "PAGES", 2)
    run = site.harvest()
    assert (run.state, run.figures.pages) == (HarvestState.FAILED, 2)
    assert "/datasets did not end within 2 pages" in run.message
    monkeypatch.setattr(bounds, "PAGES", 3)
    monkeypatch.setattr(bounds, "RECORDS", 6)
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "/datasets brought 7 records in one answer, and 6 are the most" in run.message


def test_parameters_of_too_many_names_are_kept_to_be_read_and_the_harvest_says_so(
    site: SciCatSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "LIMIT", 3)
    for number in range(5):
        metadata = {f"motor {number}": {"value": number + 0.5, "unit": "mm"}, "energy": {"value": 8, "unit": "keV"}}
        site.store.put_dataset(pid=f"20.500.1/{number}", datasetName="One", scientificMetadata=metadata)
    for _ in range(2):
        run = site.harvest()
        assert (run.state, run.figures.rejected, run.figures.left_out) == (HarvestState.DONE, 0, 3)
        assert run.message == (
            "3 parameters can be read in their records but not searched by value: home has brought 3 names of parameters, and more "
            "are not indexed."
        )
    assert (run.figures.changed, run.figures.unchanged) == (0, run.figures.seen)
    found = site.world.records.record(site.name, Kind.DATASET, "20.500.1/4")
    assert isinstance(found, Dataset)
    assert [each.source_name for each in found.parameters] == ["energy"]
    assert Detail("motor 4", "4.5 mm") in found.details


@pytest.mark.parametrize("second", [[1], [2], [4, 3]], ids=["repeated", "the last one again", "descending"])
def test_a_table_of_icat_that_does_not_rise_is_not_walked(second: list[int]) -> None:
    """Of a server that ignores the order, or answers the same again: what such a walk skips would be taken for gone."""
    answers = iter([[in_icat(2)], [in_icat(id) for id in second]])
    pages = icat(lambda _params: next(answers))
    assert next(pages) == 1
    with pytest.raises(StopHarvest) as met:
        next(pages)
    assert met.value.reason == "no-order"
    assert "Dataset" in met.value.message
