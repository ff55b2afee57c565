"""The ICAT harvester against the stand-in of four releases: what it reads is what INCLUDE would tell, and nothing slips by it."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from harvesting import FULL, INCREMENTAL, Site, differences

from demo.icat.content import fill
from demo.icat.server import LINE_AND_HEADERS, serve
from demo.icat.store import Store
from harvesters.icat_clock import still_known, zone_changed
from harvesters.ports import End, Order, Step
from schema.activities import HarvestState
from schema.crosswalks import icat, icat_publications
from schema.records import Dataset, Investigation, Kind, Publication, Reject

READER = {"plugin": "db", "username": "reader", "password": "PASSWORD"}
VERSIONS = ["6.2.0", "6.0.1", "5.0.1", "4.10.0"]


class IcatSite(Site):
    """An ICAT stand-in and a truth; `sent` are the request lines."""

    def __init__(self, store: Store, url: str, folder: Path, *, anonymous: bool = False, **more: Any) -> None:
        super().__init__("icat", url, folder, None if anonymous else READER, **{"pageSize": 40} | more)
        self.secrets.values["PASSWORD"] = "reader-secret"
        self.store = store


def publish(store: Store) -> None:
    """A publication with all that may hang on one, by two people, and another one of the same collection."""
    if "DataPublication" not in store.schema:
        return
    collection = store.load("DataCollection")
    for dataset in store.tables["Dataset"].ids[:3]:
        store.load("DataCollectionDataset", dataCollection=collection, dataset=dataset)
    store.load("DataCollectionInvestigation", dataCollection=collection, investigation=1)
    for number in range(2):
        values = {"title": f"Data {number}", "pid": f"10.82002/own.{number}", "facility": 1, "content": collection}
        publication = store.load("DataPublication", **values)
        store.load("DataPublicationDate", publication=publication, dateType="Issued", date="2025-03")
        for person in store.tables["User"].ids[:2]:
            values = {
                "contributorType": "Creator",
                "orderKey": str(person),
                "fullName": f"Name {person}",
                "user": person,
            }
            user = store.load("DataPublicationUser", publication=publication, **values)
            store.load("Affiliation", user=user, name=f"Institute {person}")


class World:
    """Stores being served, for one test."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.stack, self.folder, self.now = stack, folder, datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def site(self, version: str = "6.2.0", datasets: int = 60, **more: Any) -> IcatSite:
        settings = {name: more.pop(name) for name in ("max_entities", "zone", "lifetime_minutes") if name in more}
        store = Store(now=lambda: self.now, version=version, **settings)
        fill(store, datasets=datasets)
        publish(store)
        store.update("Investigation", 1, releaseDate="2020-01-01T00:00:00+00:00")
        made = IcatSite(store, self.stack.enter_context(serve(store)), self.folder, **more)
        made.clock = lambda: self.now
        return made

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack, tmp_path)


_COUNT = itertools.count()


def same_as_full(site: Site) -> None:
    other = site.fresh(f"again{next(_COUNT)}")
    other.done()
    assert differences(site.dump(), other.dump()) == {}


INCLUDES = {
    "Dataset": "ds.type, ds.sample.type, ds.parameters.type, ds.datasetInstruments.instrument, ds.datasetTechniques.technique, "
    "ds.investigation AS i, i.investigationUsers.user, i.investigationGroups.grouping, i.keywords, "
    "i.investigationInstruments.instrument",
    "Investigation": "ds.type, ds.investigationInstruments.instrument, ds.investigationUsers.user, ds.keywords, ds.parameters.type, "
    "ds.publications, ds.shifts, ds.investigationGroups.grouping, ds.investigationFacilityCycles.facilityCycle, "
    "ds.fundingReferences.funding, ds.studyInvestigations.study",
    "Sample": "ds.type, ds.parameters.type, ds.investigation AS i, i.investigationUsers.user, i.investigationGroups.grouping",
    "DataPublication": "ds.type, ds.users AS u, u.user, u.affiliations, ds.dates, ds.relatedItems, ds.subjects, "
    "ds.fundingReferences.funding, ds.content AS c, c.dataCollectionDatasets.dataset, c.dataCollectionInvestigations.investigation",
}


@pytest.mark.parametrize("entity", INCLUDES)
def test_what_is_assembled_from_columns_is_what_an_include_query_tells(world: World, entity: str) -> None:
    site = world.site(datasets=80)
    site.done()
    crosswalks = {"Dataset": icat.dataset, "Investigation": icat.investigation, "Sample": icat.sample}
    crosswalk = crosswalks.get(entity, icat_publications.publication)
    place = site.opened().place
    session = site.store.sessions.begin(site.store.sessions.users["db/reader"])
    query = f"SELECT ds FROM {entity} ds ORDER BY ds.id INCLUDE {INCLUDES[entity]}"
    reply = httpx.get(f"{site.source.url}/entityManager", params={"sessionId": session, "query": query}, timeout=60)
    assert reply.status_code == 200, reply.text
    rows = reply.json()
    assert rows
    for row in rows:
        expected = crosswalk(place, row)
        assert not isinstance(expected, Reject)
        found = site.world.records.record("home/one", expected.kind, expected.id)
        assert found is not None
        assert isinstance(found, type(expected))
        plain = [{name: getattr(each, name) for name in each.__struct_fields__} for each in (expected, found)]
        for each in plain:
            each["revision"] = None
            each["samples"] = [part.id for part in each.get("samples", ())]
        assert plain[0] == plain[1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("anonymous", [False, True], ids=["reader", "anonymous"])
def test_every_release_is_harvested_whole_and_again_without_a_change(
    world: World, version: str, anonymous: bool
) -> None:
    site = world.site(version, anonymous=anonymous)
    site.done()
    visible = len(site.ids(Kind.DATASET))
    assert visible == 60 if not anonymous else 0 < visible < 60
    assert bool(site.ids(Kind.PUBLICATION)) is (version != "4.10.0")
    world.later(minutes=5)
    run = site.done(INCREMENTAL)
    assert (run.figures.added, run.figures.changed, run.figures.removed) == (0, 0, 0)
    assert site.orders[-1].mode is INCREMENTAL


def test_twenty_entities_an_answer_are_enough_and_both_refusals_are_understood(world: World) -> None:
    site = world.site(max_entities=20, datasets=25)
    site.done()
    big = site.fresh("big")
    site.store.max_entities = 10_000
    big.done()
    assert differences(site.dump(), big.dump()) == {}
    for refusal in ("process_412", "return_412"):
        site.store.fail_next(3, refusal)
        harvester = site.opened()
        harvester._session.max_entities = 10_000
        harvester._session._id = site.store.sessions.begin(site.store.sessions.users["db/reader"])
        assert list(harvester._rows.entities("Dataset"))


def test_rows_that_a_slow_transaction_shows_late_are_found(world: World) -> None:
    site = world.site(datasets=20)
    with site.store.begin_slow_transaction() as slow:
        slow.create("Dataset", name="slow", complete=True, investigation=1, type=1)
        world.later(hours=5)
        site.store.create("Dataset", name="quick", complete=True, investigation=1, type=1)
        site.done()
    world.later(minutes=1)
    run = site.done(INCREMENTAL)
    assert run.figures.added == 1
    same_as_full(site)


@pytest.mark.parametrize(
    ("entity", "change"),
    [
        ("DatasetParameter", {"numericValue": 77.5}),
        ("ParameterType", {"name": "renamed"}),
        ("User", {"fullName": "Some Body", "givenName": None, "familyName": None}),
        ("Keyword", {"name": "another word"}),
        ("Instrument", {"name": "RENAMED"}),
        ("Grouping", {"name": "other group"}),
        ("SampleType", {"name": "powder of something"}),
        ("Technique", {"name": "something new", "pid": None}),
        ("Investigation", {"releaseDate": "2031-01-01T00:00:00+00:00"}),
        ("DatasetType", {"name": "other"}),
        ("Affiliation", {"name": "Elsewhere"}),
        ("FundingReference", {"awardTitle": "Another award"}),
        ("FacilityCycle", {"name": "another cycle"}),
    ],
)
def test_a_change_by_soap_of_anything_a_record_shows_is_found(
    world: World, entity: str, change: dict[str, Any]
) -> None:
    site = world.site(datasets=40)
    site.done()
    world.later(days=2)
    row = _used(site.store, entity)
    before = site.dump()
    site.store.soap_update(entity, row.id, **change)
    world.later(days=2)
    site.done(INCREMENTAL)
    shown = entity != "Grouping"  # groups matter while a record is not public, and a public one does not carry them
    assert bool(differences(before, site.dump())) is shown
    same_as_full(site)


@pytest.mark.parametrize(
    "entity", ["DatasetParameter", "Keyword", "InvestigationUser", "DatasetTechnique", "Sample", "Dataset"]
)
def test_what_is_deleted_takes_along_what_cannot_be_without_it(world: World, entity: str) -> None:
    site = world.site(datasets=40)
    site.done()
    before = site.dump()
    world.later(days=2)
    site.store.delete(entity, site.store.tables[entity].ids[1])
    site.done(INCREMENTAL)
    assert differences(before, site.dump())
    same_as_full(site)


def test_offsets_that_nothing_tells_any_more_stay_known() -> None:
    assert still_known(["+01:00", "+02:00"], ["", "+02:00"]) == ["+01:00", "+02:00"]
    assert still_known(["+01:00", ""], ["-05:00", ""]) == ["-05:00", ""]
    assert still_known(None, ["", "+02:00"]) == ["", "+02:00"]
    assert zone_changed(still_known(["+01:00", "+02:00"], ["", ""]), ["-05:00", "-04:00"])


def test_another_time_zone_is_an_alarm_and_everything_is_read_again(world: World) -> None:
    site = world.site(datasets=20)
    site.done()
    site.store.restart(zone="America/New_York")
    run = site.done(INCREMENTAL)
    assert "time zone changed" in run.message
    same_as_full(site)
    assert site.done(INCREMENTAL).message == ""


@pytest.mark.parametrize(
    "moment", [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 0, 30, tzinfo=UTC)]
)
def test_the_nights_when_clocks_change_hide_nothing(world: World, moment: datetime) -> None:
    world.now = moment
    site = world.site(datasets=10)
    for number in range(6):
        site.store.create("Dataset", name=f"night {number}", complete=True, investigation=1, type=1)
        site.done(FULL if number == 0 else INCREMENTAL)
        world.later(minutes=20)
    same_as_full(site)


def test_a_session_that_runs_out_is_begun_anew(world: World) -> None:
    site = world.site(datasets=60)
    site.between = lambda _step: site.store.sessions.expire_all()
    site.done()
    assert len(site.ids(Kind.DATASET)) == 60


def test_a_long_harvest_refreshes_its_session(world: World) -> None:
    site = world.site(datasets=60, lifetime_minutes=10)
    site.between = lambda _step: world.later(minutes=6)
    site.done()
    assert len(site.ids(Kind.DATASET)) == 60
    assert len(site.store.sessions.open) <= 1


def test_html_after_a_restart_is_waited_out(world: World) -> None:
    site = world.site(datasets=10)
    site.patience = site.patience.__class__(tries=8, base_s=0.001, cap_s=0.002)
    site.store.restart(html_404s=5)
    site.done()


@pytest.mark.parametrize("kind", ["sql_500", "truncated"])
def test_a_bad_minute_is_waited_out(world: World, kind: Any) -> None:
    site = world.site(datasets=10)
    site.store.fail_next(2, kind)
    run = site.harvest()
    assert run.state is HarvestState.DONE
    site.store.faults.database_down = True
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "SQL" not in run.message


def test_without_rights_everything_looks_gone_and_nothing_is_removed(world: World) -> None:
    site = world.site(datasets=20)
    site.done()
    before = site.dump()
    site.store.add_user("db/reader", "reader-secret", ["Facility", "Instrument"])
    for mode in (INCREMENTAL, FULL):
        run = site.harvest(mode)
        assert run.figures.removed == 0
        assert "no right to read any dataset" in run.message
    assert differences(before, site.dump()) == {}


def test_rows_that_vanish_behind_a_right_are_told(world: World) -> None:
    site = world.site(datasets=20)
    names = [name for name in site.store.schema if name not in ("ParameterType", "Rule", "UserGroup")]
    site.store.add_user("db/reader", "reader-secret", names)
    run = site.done()
    assert "DatasetParameter.type" in run.message
    assert len(site.ids(Kind.DATASET)) == 20


def test_another_account_than_last_time_removes_nothing(world: World) -> None:
    site = world.site(datasets=20)
    site.done()
    site.source = site.source.model_copy(update={"login": None})
    run = site.done(INCREMENTAL)
    assert "somebody else" in run.message
    assert len(site.ids(Kind.DATASET)) == 20


@pytest.mark.parametrize("mode", [FULL, INCREMENTAL])
def test_going_on_from_any_bookmark_is_the_same_as_never_being_cut(world: World, mode: Any) -> None:
    site = world.site(datasets=60, pageSize=7)
    if mode is INCREMENTAL:
        site.done()
        world.later(days=1)
        site.store.soap_update("DatasetParameter", 5, numericValue=9.0)
        site.store.delete("Dataset", 3)
        site.store.update("Dataset", 7, description="changed")
    cuts = itertools.count(2, 5)
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


def _used(store: Store, entity: str) -> Any:
    """The first row that something refers to, or the first."""
    rows = list(store.tables[entity].rows.values())
    lists = [name for name in rows[0].entity.to_many if "instrumentScientists" not in name]
    return next((row for row in rows if any(list(store.children(row, name)) for name in lists)), rows[0])


def _stop() -> None:
    raise ConnectionAbortedError


def test_requests_are_short_never_include_and_end_with_a_logout(world: World) -> None:
    site = world.site(datasets=300, pageSize=1500)
    seen: list[str] = []
    real = site.opened

    def watched() -> Any:
        made = real()
        call = made._http._call

        def noted(method: str, url: str, **options: Any) -> Any:
            seen.append(f"{method} {httpx.URL(url, params=options.get('params') or {})}")
            return call(method, url, **options)

        made._http._call = noted
        return made

    site.opened = watched  # type: ignore[method-assign]
    site.done()
    world.later(hours=3)
    for row in list(site.store.tables["DatasetParameter"].rows)[:250]:
        site.store.soap_update("DatasetParameter", row, numericValue=4.25)
    site.done(INCREMENTAL)
    assert max(map(len, seen)) < LINE_AND_HEADERS - 1_000
    assert not any("INCLUDE" in line.upper() for line in seen)
    assert not site.store.sessions.open
    assert not any("reader-secret" in line for line in seen)


def test_a_wrong_password_is_told_without_it(world: World) -> None:
    site = world.site(datasets=5)
    site.secrets.values["PASSWORD"] = "not it"
    run = site.harvest()
    assert run.state is HarvestState.FAILED
    assert "password" in run.message
    assert "not it" not in run.message


def test_a_probe_tells_what_is_there_and_keeps_nothing(world: World) -> None:
    site = world.site(datasets=30)
    found = site.opened().probe()
    assert found.ok
    assert found.version == "6.2.0"
    assert found.identity == "db/reader"
    assert found.counts["dataset"] == 30
    assert {type(each) for each in found.sample} >= {Dataset, Investigation, Publication}


def test_steps_end_with_one_end(world: World) -> None:
    site = world.site(datasets=5)
    steps = list(site.walk(Order(FULL)))
    assert [isinstance(each, End) for each in steps] == [False] * (len(steps) - 1) + [True]
    assert all(len(each.records) <= 500 for each in steps if isinstance(each, Step))
