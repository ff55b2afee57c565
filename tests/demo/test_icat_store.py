"""What an ICAT does to those who harvest it: late commits, moving and unmoving times, cascades, changed zones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.icat.answer import answer
from demo.icat.errors import Refusal
from demo.icat.moments import Rendered, digits
from demo.icat.store import Store


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 7, 1, 10, 0, 0, 700_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Store:
    made = Store(now=clock)
    made.add_user("simple/root", "rootpw", root=True)
    facility = made.create("Facility", name="F")
    kind = made.create("InvestigationType", name="experiment", facility=facility)
    made.create("DatasetType", name="raw", facility=facility)
    made.create("ParameterType", name="T", units="K", valueType="NUMERIC", facility=facility)
    made.create("Investigation", name="p-1", visitId="1", title="one", facility=facility, type=kind)
    return made


@pytest.fixture
def ask(store: Store) -> Callable[..., str]:
    def asked(query: str, user: str = "simple/root") -> str:
        return answer(store, store.sessions.users[user], query).body.decode()

    return asked


def dataset(store: Store, name: str, **more: object) -> int:
    return store.create("Dataset", name=name, investigation=1, type=1, **more)


def mod_time(store: Store, entity: str, row_id: int) -> datetime:
    row = store.get(entity, row_id)
    assert row is not None
    return row.modTime


def test_a_child_created_by_rest_moves_the_time_of_everything_it_refers_to(store: Store, clock: Clock) -> None:
    one = dataset(store, "one")
    clock.pass_by(60)
    store.create("DatasetParameter", dataset=one, type=1, numericValue=4.2)
    moved = datetime(2026, 7, 1, 12, 1, 0)
    assert (mod_time(store, "Dataset", one), mod_time(store, "ParameterType", 1)) == (moved, moved)
    assert mod_time(store, "Investigation", 1) < moved


@pytest.mark.parametrize("change", ["update", "soap_update", "delete", "soap_create"])
def test_no_other_change_of_a_child_moves_its_parent(store: Store, clock: Clock, change: str) -> None:
    one = dataset(store, "one")
    child = store.create("DatasetParameter", dataset=one, type=1, numericValue=4.2)
    before = mod_time(store, "Dataset", one)
    clock.pass_by(60)
    if change == "delete":
        store.delete("DatasetParameter", child)
    elif change == "soap_create":
        store.soap_create("DatasetInstrument", dataset=one, instrument=store.load("Instrument", name="I", facility=1))
    else:
        getattr(store, change)("DatasetParameter", child, numericValue=5.0)
        assert mod_time(store, "DatasetParameter", child) == datetime(2026, 7, 1, 12, 1, 0)
    assert mod_time(store, "Dataset", one) == before


def test_a_slow_transaction_shows_old_ids_and_times_late(store: Store, clock: Clock, ask: Callable[..., str]) -> None:
    with store.begin_slow_transaction() as transaction:
        slow = transaction.create("Dataset", name="slow", investigation=1, type=1)
        parameter = transaction.create("DatasetParameter", dataset=slow, type=1, numericValue=1.0)
        clock.pass_by(14)
        quick = dataset(store, "quick")
        assert quick > slow
        assert ask("SELECT ds.id FROM Dataset ds ORDER BY ds.id") == f"[{quick}]"
        assert store.get("DatasetParameter", parameter) is None
    assert ask("SELECT ds.id FROM Dataset ds ORDER BY ds.id") == f"[{slow},{quick}]"
    assert mod_time(store, "Dataset", slow) == mod_time(store, "Dataset", quick) - timedelta(seconds=14)


def test_a_transaction_that_fails_leaves_nothing_but_used_ids(store: Store) -> None:
    lost = 0

    def failing() -> None:
        nonlocal lost
        with store.begin_slow_transaction() as transaction:
            lost = transaction.create("Dataset", name="lost", investigation=1, type=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert store.get("Dataset", lost) is None
    assert dataset(store, "next") == lost + 1


def test_a_deleted_sample_takes_its_datasets_and_their_parameters_along(store: Store) -> None:
    sample = store.create("Sample", name="s", investigation=1)
    one, two = dataset(store, "with", sample=sample), dataset(store, "without")
    store.create("DatasetParameter", dataset=one, type=1, numericValue=1.0)
    store.delete("Sample", sample)
    assert (store.get("Dataset", one), len(store.tables["DatasetParameter"])) == (None, 0)
    assert store.get("Dataset", two) is not None
    assert dataset(store, "new") > two


def test_a_restart_in_another_zone_keeps_the_digits_and_changes_the_offset(
    store: Store, ask: Callable[..., str]
) -> None:
    dataset(store, "one")
    query = "SELECT ds.modTime FROM Dataset ds"
    assert ask(query) == '["2026-07-01T12:00:00.000+02:00"]'
    whole = ask("SELECT ds FROM Dataset ds")
    store.restart(zone="UTC")
    assert ask(query) == '["2026-07-01T12:00:00.000Z"]'
    assert ask("SELECT ds FROM Dataset ds") == whole.replace("+02:00", "Z")


def test_included_lists_change_their_order_with_a_restart_but_not_before(store: Store, ask: Callable[..., str]) -> None:
    for number in range(12):
        dataset(store, f"{number}")
    query = "SELECT i FROM Investigation i INCLUDE i.datasets"
    first = ask(query)
    assert ask(query) == first
    store.restart()
    assert ask(query) != first
    assert sorted(ask(query)) == sorted(first)


def test_the_second_value_of_a_type_is_refused(store: Store) -> None:
    one = dataset(store, "one")
    store.create("DatasetParameter", dataset=one, type=1, numericValue=1.0)
    with pytest.raises(Refusal, match="DatasetParameter exists with dataset = 'Dataset:1', type = 'ParameterType:1'"):
        store.create("DatasetParameter", dataset=one, type=1, numericValue=2.0)


@pytest.mark.parametrize("change", [{"name": "one"}, {"nosuch": 1}, {"investigation": 99}, {"type": None}])
def test_a_refused_change_leaves_the_object_as_it_was(store: Store, ask: Callable[..., str], change: dict) -> None:
    dataset(store, "one")
    two = dataset(store, "two")
    before = ask(f"SELECT ds FROM Dataset ds WHERE ds.id = {two} INCLUDE 1")
    with pytest.raises(Refusal):
        store.update("Dataset", two, description="new", **change)
    assert ask(f"SELECT ds FROM Dataset ds WHERE ds.id = {two} INCLUDE 1") == before
    assert ask("SELECT ds.id FROM Dataset ds WHERE ds.investigation.id = 1") == f"[1,{two}]"


def test_a_slow_transaction_fails_when_what_it_refers_to_was_deleted(store: Store) -> None:
    one = dataset(store, "one")

    def late() -> None:
        with store.begin_slow_transaction() as transaction:
            transaction.create("Dataset", name="other", investigation=1, type=1)
            transaction.create("DatasetParameter", dataset=one, type=1, numericValue=1.0)
            store.delete("Dataset", one)

    with pytest.raises(Refusal, match="not found"):
        late()
    assert (len(store.tables["DatasetParameter"]), len(store.tables["Dataset"])) == (0, 0)


@pytest.mark.parametrize(("version", "lacks"), [("6.0.1", "subjects"), ("4.10", "datasetTechniques")])
def test_an_older_version_does_not_know_later_relations(version: str, lacks: str) -> None:
    old = Store(version=version)
    user = old.add_user("simple/root", root=True)
    entity = "DataPublication" if version == "6.0.1" else "Dataset"
    with pytest.raises(Refusal, match=f"{lacks} is not a field of {entity}"):
        answer(old, user, f"SELECT x FROM {entity} x INCLUDE x.{lacks}")


def test_in_4_10_there_are_no_data_publications() -> None:
    old = Store(version="4.10")
    with pytest.raises(Refusal, match="No information to determine type of DataPublication in the FROM clause"):
        answer(old, old.add_user("simple/root", root=True), "SELECT p FROM DataPublication p")


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["Europe/Berlin", "UTC", "America/New_York"]),
)
def test_a_shown_time_is_read_back_as_the_same_digits_unless_the_clock_skips_them(moment: datetime, zone: str) -> None:
    text = Rendered(zone)[moment.replace(microsecond=0)]
    back = digits(text, Rendered(zone).zone)
    assert back - moment.replace(microsecond=0) in (timedelta(0), timedelta(hours=1))
    assert text[:19] == back.isoformat()
