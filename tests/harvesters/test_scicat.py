"""The SciCat harvester against the stand-in of both releases, in memory and on a real mongod: complete, and never fooled."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from harvesting import FULL, INCREMENTAL, SciCatSite, differences

from demo.scicat.freya import fill
from harvesters.ports import End, Order, Step
from harvesters.scicat_lists import beyond
from harvesters.scicat_session import SciCatSession
from schema.activities import HarvestState
from schema.records import Dataset, Kind


def some(site: SciCatSite, count: int, **fields: Any) -> list[str]:
    return [
        site.store.put_dataset(pid=f"20.500.99001/d{n:03}", datasetName=f"Scan {n}", **fields) for n in range(count)
    ]


def _stop() -> None:
    raise ConnectionAbortedError


def same_as_full(site: SciCatSite, name: str = "again") -> None:
    other = site.fresh(name)
    other.done()
    assert differences(site.dump(), other.dump()) == {}


def test_a_whole_facility_is_harvested_and_nothing_is_lost(site: SciCatSite) -> None:
    fill(site.store, 60)
    run = site.done()
    for kind, collection in (("dataset", "Dataset"), ("investigation", "Proposal"), ("sample", "Sample")):
        expected = site.store.engine.count(collection, {})
        rejected = [each for each in site.world.harvests.rejects(None, 500, None) if each[1].kind == kind]
        assert len(site.ids(Kind(kind))) + len(rejected) == expected
    assert run.figures.added == len(site.dump())
    again = site.done()
    assert (again.figures.added, again.figures.changed, again.figures.removed) == (0, 0, 0)
    same_as_full(site)


def test_incremental_brings_what_changed_and_removes_what_is_gone(site: SciCatSite) -> None:
    pids = some(site, 30)
    site.done()
    site.store.put_dataset(pid=pids[3], datasetName="Renamed")
    site.store.put_dataset(pid="20.500.99001/new")
    site.store.put_instrument(pid="i1", name="Beamline")
    site.store.delete_dataset(pids[5])
    run = site.done(INCREMENTAL)
    assert run.figures.removed == 1
    assert site.ids(Kind.DATASET) == {*pids, "20.500.99001/new"} - {pids[5]}
    same_as_full(site)


def test_what_becomes_visible_late_with_an_old_time_is_found_by_the_names(site: SciCatSite) -> None:
    pids = some(site, 20)
    site.done()
    long_ago = datetime.now(UTC) - timedelta(days=30)
    site.store.put_dataset(pid="20.500.99001/late", updatedAt=long_ago)
    site.store.put_dataset(pid=pids[0], datasetName="Restored", updatedAt=long_ago)
    site.store.put_sample(sampleId="late sample", updatedAt=long_ago)
    run = site.done(INCREMENTAL)
    assert run.figures.added == 2
    assert [len(order.ids) for order in site.orders][-1] == 3
    same_as_full(site)


def test_ids_that_look_like_dates_do_not_end_a_walk(site: SciCatSite) -> None:
    """5.x turns them into dates in a filter, which then match nothing."""
    days = [f"2024-05-{day:02}" for day in range(1, 29)]
    for day in days:
        site.store.put_sample(sampleId=day)
        site.store.put_proposal(proposalId=day, title=f"Visit of {day}")
    site.store.put_sample(sampleId="zzz")
    site.done()
    assert site.ids(Kind.SAMPLE) == {*days, "zzz"}
    assert site.ids(Kind.INVESTIGATION) == set(days)
    for day in days[:12]:
        site.store.put_sample(sampleId=day, description="late", updatedAt=datetime.now(UTC) - timedelta(days=9))
    site.done(INCREMENTAL)
    same_as_full(site)


def test_the_expression_of_what_comes_after_a_text_is_exact() -> None:
    texts = [
        "2024-05-01",
        "2024-05-01a",
        "2024-05-0",
        "2024-05-02",
        "",
        "a",
        "2",
        "Ä",
        "2024-05-01\n",
        "\U0010ffff",
        "]-",
        "^",
    ]
    for after in [*texts[:4], "Ä", "]-", "^", "\U0010ffff", "a\U0010ffffb", "\ud7ff"]:
        pattern = re.compile(beyond(after))
        for other in texts:
            assert bool(pattern.match(other)) is (other > after), (after, other)


def test_many_of_one_time_are_all_brought(site: SciCatSite) -> None:
    night = datetime.now(UTC) - timedelta(minutes=1)
    pids = some(site, 40)
    site.done()
    for pid in pids:
        site.store.put_dataset(pid=pid, description="bulk", updatedAt=night)
    run = site.done(INCREMENTAL)
    assert run.figures.changed == 40
    same_as_full(site)


def test_an_unpublished_dataset_is_gone_for_who_reads_without_login(site: SciCatSite) -> None:
    anonymous = SciCatSite(site.store, site.source.url.removesuffix("/api/v3"), site.folder, login=False)
    pids = some(site, 10, isPublished=True)
    anonymous.done()
    site.store.put_dataset(pid=pids[0], isPublished=False)
    site.store.put_dataset(pid="20.500.99001/secret")
    anonymous.done(INCREMENTAL)
    assert anonymous.ids(Kind.DATASET) == set(pids[1:])
    record = anonymous.world.records.record("home/one", Kind.DATASET, pids[1])
    assert record is not None
    assert record.visibility.public


def test_an_unpublished_dataset_is_kept_for_its_group_when_read_with_a_login(site: SciCatSite) -> None:
    pids = some(site, 10, isPublished=True, ownerGroup="p7")
    site.done()
    site.store.put_dataset(pid=pids[0], isPublished=False)
    site.done(INCREMENTAL)
    record = site.world.records.record("home/one", Kind.DATASET, pids[0])
    assert isinstance(record, Dataset)
    assert not record.visibility.public
    assert record.visibility.groups == ("home:p7",)


@pytest.mark.parametrize("manner", ["expired", "garbage"])
@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
@pytest.mark.parametrize("when", [1, 9])
def test_a_login_lost_in_the_middle_loses_and_removes_nothing(
    site: SciCatSite, manner: str, mode: Any, when: int
) -> None:
    """Expired tokens give 401 on 5.x and the public subset on 4.25; garbage gives the public subset on both."""
    hidden = some(site, 20)
    shown = [site.store.put_dataset(pid=f"20.500.99001/p{n:03}", isPublished=True) for n in range(15)]
    site.store.put_sample(sampleId="hidden")
    site.done()
    steps = 0

    def lose(step: Step | End) -> None:
        nonlocal steps
        steps += 1
        if steps == when:
            site.store.expire_tokens() if manner == "expired" else site.store.forget_secret()

    site.between = lose
    run = site.harvest(mode)
    site.between = lambda _step: None
    assert site.ids(Kind.DATASET) == {*hidden, *shown}
    assert site.ids(Kind.SAMPLE) == {"hidden"}
    assert run.figures.removed == 0
    assert run.state is HarvestState.DONE
    same_as_full(site)


def test_a_login_lost_again_and_again_ends_in_words_and_goes_on_later(site: SciCatSite) -> None:
    pids = some(site, 40)
    site.between = lambda _step: site.store.forget_secret()
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "no longer knows our login" in run.message
    site.between = lambda _step: None
    assert site.done().id == run.id
    assert site.ids(Kind.DATASET) == set(pids)


def test_other_groups_than_last_time_remove_nothing_once(site: SciCatSite) -> None:
    pids = some(site, 12, ownerGroup="a")
    site.done()
    site.store.set_groups("ingestor", ["b"])
    run = site.done(INCREMENTAL)
    assert "somebody else" in run.message
    assert site.ids(Kind.DATASET) == set(pids)
    site.store.set_groups("ingestor", ["a"])
    run = site.done()
    assert "somebody else" in run.message
    assert site.ids(Kind.DATASET) == set(pids)
    site.store.delete_dataset(pids[0])
    assert site.done(INCREMENTAL).figures.removed == 1


def test_groups_that_change_in_the_middle_stop_the_harvest(site: SciCatSite) -> None:
    pids = some(site, 30, ownerGroup="a")
    site.done()
    site.between = lambda _step: site.store.set_groups("ingestor", ["b"])
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "changed during the harvest" in run.message
    assert site.ids(Kind.DATASET) == set(pids)


def test_a_token_is_renewed_before_it_runs_out(site: SciCatSite) -> None:
    some(site, 30)
    site.store.ttl = 100
    moment = [datetime.now(UTC)]
    site.clock = lambda: moment[0]
    site.between = lambda _step: moment.__setitem__(0, moment[0] + timedelta(seconds=30))
    site.done()
    assert len(site.store.tokens) > 1


@pytest.mark.parametrize("kind", ["500", "503", "429", "truncated", "reset", "html", "502-html", "garbage"])
def test_a_bad_minute_is_waited_out_or_told_and_gone_on_from(site: SciCatSite, kind: Any) -> None:
    pids = some(site, 30)
    site.store.fail_next(2, kind, seconds=0, path="/datasets")
    run = site.harvest()
    if run.state is not HarvestState.DONE:
        assert run.state is HarvestState.FAILED
        assert run.message
        assert "<" not in run.message
        site.done()
    assert site.ids(Kind.DATASET) == set(pids)


def test_an_answer_that_is_not_json_is_asked_for_again(site: SciCatSite) -> None:
    some(site, 3)
    site.store.fail_next(1, "html", path="/datasets")
    assert site.harvest().state is HarvestState.DONE


def test_a_record_larger_than_an_answer_may_be_is_refused_and_the_others_come(site: SciCatSite) -> None:
    pids = some(site, 20)
    site.store.put_dataset(pid=pids[7], comment="x" * 300_000)
    site.store.put_dataset(pid=pids[8], comment="y" * 20_000)
    site.patience = site.patience.__class__(tries=2, base_s=0.001, decoded_bytes=200_000, wire_bytes=200_000)
    site.done()
    assert site.ids(Kind.DATASET) == {*pids} - {pids[7]}
    (reject,) = [each[1] for each in site.world.harvests.rejects(None, 10, None)]
    assert (reject.id, reject.reason) == (pids[7], "too-large")
    site.store.put_dataset(pid=pids[9], datasetName="late", updatedAt=datetime(2020, 1, 1, tzinfo=UTC))
    site.done(INCREMENTAL)
    assert site.ids(Kind.DATASET) == {*pids} - {pids[7]}


def test_long_ids_are_asked_for_in_lines_that_the_server_takes(site: SciCatSite) -> None:
    ids = [f"sämple/{n:03}/" + "ü" * 300 for n in range(40)]
    for id in ids:
        site.store.put_sample(sampleId=id)
    site.done()
    for id in ids:
        site.store.put_sample(sampleId=id, description="late", updatedAt=datetime(2020, 1, 1, tzinfo=UTC))
    site.done(INCREMENTAL)
    assert len(site.orders[-1].ids) == 40
    same_as_full(site)


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_going_on_from_any_bookmark_is_the_same_as_never_being_cut(site: SciCatSite, mode: Any) -> None:
    pids = some(site, 30)
    for n in range(9):
        site.store.put_sample(sampleId=f"s{n}")
    if mode is INCREMENTAL:
        site.done()
        for pid in pids[::3]:
            site.store.put_dataset(pid=pid, description="changed")
        site.store.delete_dataset(pids[1])
        site.store.put_dataset(pid="20.500.99001/late", updatedAt=datetime(2020, 1, 1, tzinfo=UTC))
    cuts = itertools.cycle((1, 4, 7, 3, 6, 2, 5))
    for cut in cuts:
        left = itertools.count(cut, -1)
        site.between = lambda _step, left=left: _stop() if next(left) == 1 else None
        try:
            site.done(mode)
            break
        except ConnectionAbortedError:
            site.world = type(site.world)(site.folder / "truth.db")
    site.between = lambda _step: None
    same_as_full(site)


def test_a_clock_a_day_off_changes_nothing(site: SciCatSite) -> None:
    for hours in (-24, 24):
        site.clock = lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours)
        pids = some(site, 8)
        site.done(INCREMENTAL)
        site.store.put_dataset(pid=pids[0], description=f"changed at {hours}")
        run = site.done(INCREMENTAL)
        assert run.figures.changed >= 1
        same_as_full(site, f"clock{hours}")


def test_a_wrong_password_is_told_by_the_users_name_only(site: SciCatSite) -> None:
    site.secrets.values["PASSWORD"] = "not the password"
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "ingestor" in run.message
    assert "not the password" not in run.message


def test_tokens_are_never_in_a_url_and_only_portable_filters_are_sent(site: SciCatSite) -> None:
    some(site, 10)
    site.done()
    site.done(INCREMENTAL)
    with_probe = site.opened()
    with_probe.probe()
    asked = " ".join(site.store.requests)
    assert not any(token in asked for token in site.store.tokens)
    assert "access_token" not in asked
    assert all(len(each) < 16_000 for each in site.store.requests)


def test_an_unending_or_unordered_list_is_stopped(site: SciCatSite, monkeypatch: pytest.MonkeyPatch) -> None:
    some(site, 5)
    real = SciCatSession.list

    def repeating(self: Any, path: str, where: Any, **more: Any) -> list[Any]:
        return real(self, path, {} if path == "/datasets" else where, **more)

    monkeypatch.setattr(SciCatSession, "list", repeating)
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "order" in run.message


def test_late_ones_are_asked_for_by_id(site: SciCatSite) -> None:
    pids = some(site, 3)
    harvester = site.opened()
    steps = list(harvester.walk(Order(INCREMENTAL, ids=((Kind.DATASET, pids[1]), (Kind.DATASET, "none such")))))
    assert [record.id for step in steps if isinstance(step, Step) for record in step.records] == [pids[1]]
    assert isinstance(steps[-1], End)
    assert not steps[-1].complete
