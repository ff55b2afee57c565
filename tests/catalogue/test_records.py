"""The truth: joins at projection, canonical records, who may show what of whom, what time brings."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from truths import SOURCE, World, at_instrument, changed, dataset, in_investigation, instrument, investigation

from catalogue import links
from catalogue.assembly import Order
from catalogue.changes import CHANGES, PUBLIC, Numbers
from catalogue.numbering import number
from catalogue.ports import Entry, Page
from schema.access import Access, Visibility
from schema.records import Dataset, Document, InstrumentPart, Kind, Parameter, Publication

D = Kind.DATASET


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "truth.db", order={"ill": ["ill/icat", "ill/scicat"]})


def found(world: World, pid: str = "ill/dataset/a", kind: Kind = D) -> Document:
    return world.records.documents(kind, [pid])[pid]


def shown(world: World, pid: str = "ill/dataset/a") -> Dataset:
    record = found(world, pid).record
    assert isinstance(record, Dataset)
    return record


def publication(id: str, *datasets: str, **more: Any) -> Publication:
    fields: dict[str, Any] = {"title": f"Publication {id}", "pid": f"10.5291/{id}", "doi": f"10.5291/{id}"} | more
    return Publication(source=SOURCE, id=id, facility="ill", datasets=datasets, **fields)


def test_a_dataset_shows_its_investigation_whichever_came_first(world: World) -> None:
    world.put(dataset("a", investigation=in_investigation("i")))
    world.put(investigation("i", proposal="EXP-1"), dataset("b", investigation=in_investigation("i")))
    for pid in ("ill/dataset/a", "ill/dataset/b"):
        part = shown(world, pid).investigation
        assert part is not None
        assert (part.pid, part.title, part.proposal) == ("ill/investigation/i", "Investigation i", "EXP-1")


def test_a_renamed_instrument_gives_its_datasets_new_numbers_and_nobody_else(world: World) -> None:
    world.put(instrument("i"), dataset("a", instruments=at_instrument("i")), dataset("b"))
    head = world.records.head()
    world.put(instrument("i", name="D17"))
    assert {pid for _, _, pid in changed(world.records, head, 9)} == {"ill/instrument/i", "ill/dataset/a"}
    assert shown(world).instruments[0].name == "D17"
    head = world.records.head()
    world.put(instrument("i", name="D17", description="nobody shows this"))
    assert {pid for _, _, pid in changed(world.records, head, 9)} == {"ill/instrument/i"}


def test_a_dead_reference_is_no_longer_shown(world: World) -> None:
    world.put(instrument("i"), dataset("a", instruments=at_instrument("i")))
    head = world.records.head()
    world.harvest(Page(gone=((Kind.INSTRUMENT, "i"),)))
    assert (head + 2, D, "ill/dataset/a") in changed(world.records, head, 9)
    assert (shown(world).instruments[0].name, shown(world).instruments[0].id) == (None, "i")


def test_an_instrument_that_is_only_named_is_the_one_of_that_name_for_as_long_as_there_is_exactly_one(
    world: World,
) -> None:
    def pids() -> list[str | None]:
        return [shown(world, f"ill/dataset/{each}").instruments[0].pid for each in "ab"]

    named = (InstrumentPart(name="surf"),)
    world.put(dataset("a", instruments=named))
    world.put(instrument("i", name="SURF"), dataset("b", instruments=named), dataset("c"))
    assert pids() == ["ill/instrument/i"] * 2
    assert shown(world).instruments[0].name == "SURF"
    head = world.records.head()
    world.put(instrument("j", name="Surf"))
    assert pids() == [None, None]
    assert {pid for _, _, pid in changed(world.records, head, 9)} >= {"ill/dataset/a", "ill/dataset/b"}
    world.put(instrument("i", name="D17"))
    assert pids() == ["ill/instrument/j"] * 2
    world.harvest(Page(gone=((Kind.INSTRUMENT, "j"),)))
    assert (pids(), shown(world).instruments[0].name) == ([None, None], "surf")
    head = world.records.head()
    world.put(instrument("i", name="D18"))
    assert {pid for _, _, pid in changed(world.records, head, 9)} == {"ill/instrument/i"}


def test_an_instrument_that_readers_may_not_see_neither_gives_its_name_nor_makes_another_ambiguous(
    world: World,
) -> None:
    hidden = Visibility(public=False, groups=("ill:g",))
    world.put(instrument("i", name="SURF", visibility=hidden), dataset("a", instruments=(InstrumentPart(name="SURF"),)))
    assert shown(world).instruments == (InstrumentPart(name="SURF"),)
    world.put(instrument("j", name="SURF"))
    assert shown(world).instruments[0].pid == "ill/instrument/j"


def test_a_publication_adds_to_its_datasets_and_takes_it_back(world: World) -> None:
    world.put(dataset("a"), dataset("b"))
    world.put(publication("p", "a", license="CC-BY-4.0", keywords=("neutrons",)))
    assert (shown(world).license, shown(world).keywords, shown(world).doi) == ("CC-BY-4.0", ("neutrons",), None)
    assert [(link.identifier, link.relation) for link in shown(world).related] == [("10.5291/p", "IsPartOf")]
    head = world.records.head()
    world.put(publication("p", "b", license="CC-BY-4.0", keywords=("neutrons",)))
    assert shown(world).license is None
    assert shown(world, "ill/dataset/b").license == "CC-BY-4.0"
    assert len(changed(world.records, head, 9)) == 3


def test_many_touches_are_owed_and_worked_off_in_small_transactions(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(links, "AT_ONCE", 10)
    world.put(instrument("i"), *(dataset(str(n), instruments=at_instrument("i")) for n in range(35)))
    head = world.records.head()
    world.put(instrument("i", name="D17"))
    assert len(changed(world.records, head, 99)) == 1, "nothing but the instrument yet"
    assert world.records.ripen(10) == 10
    world.put(instrument("i", name="D18"))
    world.ripen()
    assert {pid for _, _, pid in changed(world.records, head, 99)} == {
        "ill/instrument/i",
        *(f"ill/dataset/{n}" for n in range(35)),
    }
    assert shown(world, "ill/dataset/34").instruments[0].name == "D18"
    assert world.records.ripen() == 0


def test_many_datasets_of_one_publication_are_touched_even_when_it_dies(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(links, "AT_ONCE", 10)
    names = [str(n) for n in range(35)]
    world.put(*(dataset(name) for name in names))
    world.put(publication("p", *names, license="CC0"))
    world.ripen()
    head = world.records.head()
    world.harvest(Page(gone=((Kind.PUBLICATION, "p"),)))
    world.ripen()
    assert len(changed(world.records, head, 99)) == 36
    assert {document.record.license for document in world.records.walk(D)} == {None}  # type: ignore[union-attr]


def test_the_order_of_sources_makes_the_canonical_record_and_the_next_takes_over(world: World) -> None:
    world.put(dataset("s", pid="10.5291/x", title="SciCat's"))
    world.put(dataset("i", source="ill/icat", pid="10.5291/x", title="ICAT's"))
    document = found(world, "10.5291/x")
    assert document.record.source == "ill/icat"
    assert [(way.source, way.primary) for way in document.provenance] == [("ill/icat", True), ("ill/scicat", False)]
    assert world.records.count() == 1
    world.harvest(Page(gone=((D, "i"),)), source="ill/icat")
    document = found(world, "10.5291/x")
    assert (document.record.source, document.version) == ("ill/scicat", 3)
    assert [way.source for way in document.provenance] == ["ill/scicat"]


def test_another_order_of_sources_is_put_into_force_at_the_next_start(world: World, tmp_path: Path) -> None:
    world.put(dataset("s", pid="10.5291/x"), dataset("other"))
    world.put(dataset("i", source="ill/icat", pid="10.5291/x"))
    turned = World(tmp_path / "truth.db", order={"ill": ["ill/scicat", "ill/icat"]})
    head = turned.records.head()
    assert turned.records.realign() == 1
    assert changed(turned.records, head, 9) == [(head + 1, D, "10.5291/x")]
    assert turned.records.realign() == 0


def test_a_changed_pid_leaves_the_old_one(world: World) -> None:
    world.put(dataset("a"))
    world.put(dataset("a", pid="10.5291/a"))
    assert world.records.documents(D, ["ill/dataset/a"]) == {}
    assert found(world, "10.5291/a").version in (2, 3)
    assert world.records.count() == 1
    assert {pid for _, _, pid in changed(world.records, 1, 9)} == {"ill/dataset/a", "10.5291/a"}


def test_hidden_records_take_no_public_numbers(world: World) -> None:
    world.put(dataset("h", visibility=Visibility(public=False, groups=("ill:x",))), dataset("p"))
    assert (world.records.head(), world.records.public_head()) == (2, 1)
    hidden = found(world, "ill/dataset/h")
    assert (hidden.public_number, hidden.public_time) == (None, None)
    world.put(dataset("h", visibility=Visibility(public=False, groups=("ill:y",))))
    assert (world.records.head(), world.records.public_head()) == (3, 1)
    world.put(dataset("p", visibility=Visibility(public=False)))
    assert world.records.public_changed(1, 9) == [(2, D, "ill/dataset/p", False)]


def test_who_may_see_a_public_record_is_no_public_news(world: World) -> None:
    world.put(dataset("p", visibility=Visibility(public=True, groups=("ill:x",))))
    world.put(dataset("p", visibility=Visibility(public=True, groups=("ill:y",))))
    assert (world.records.head(), world.records.public_head()) == (2, 1)


def test_a_public_dataset_shows_nothing_of_a_hidden_investigation(world: World) -> None:
    secret = Visibility(public=False, groups=("ill:team",))
    world.put(investigation("i", title="Secret", visibility=secret))
    world.put(
        dataset("open", investigation=in_investigation("i")),
        dataset("team", investigation=in_investigation("i"), visibility=secret),
        dataset("more", investigation=in_investigation("i"), visibility=Visibility(public=False, groups=("ill:z",))),
    )
    titles = {
        name: shown(world, f"ill/dataset/{name}").investigation.title  # type: ignore[union-attr]
        for name in ("open", "team", "more")
    }
    assert titles == {"open": None, "team": "Secret", "more": None}
    public = world.records.public_head()
    world.put(investigation("i", title="Another secret", visibility=secret))
    assert world.records.public_head() == public


def test_a_hidden_alternate_is_not_named_beside_a_public_record(world: World) -> None:
    world.put(dataset("i", source="ill/icat", pid="10.5291/x"))
    public = world.records.public_head()
    world.put(dataset("s", pid="10.5291/x", visibility=Visibility(public=False, groups=("ill:x",))))
    assert [way.source for way in found(world, "10.5291/x").provenance] == ["ill/icat"]
    assert world.records.public_head() == public


def test_an_embargo_that_ends_moves_the_record_and_what_shows_it(world: World) -> None:
    ends = world.clock() + timedelta(days=1)
    later = Visibility(public=False, groups=("ill:x",), public_from=ends)
    world.put(investigation("i", visibility=later), dataset("a", investigation=in_investigation("i")))
    assert world.records.ripen() == 0
    assert (world.records.head(), world.records.public_head()) == (2, 1)
    world.clock.forward(days=1)
    world.ripen()
    assert (world.records.head(), world.records.public_head()) == (4, 3)
    assert found(world, "ill/investigation/i", Kind.INVESTIGATION).public_number is not None
    assert shown(world).investigation.title == "Investigation i"  # type: ignore[union-attr]
    assert world.records.ripen() == 0


def test_a_record_whose_embargo_is_over_when_it_comes_is_public_at_once(world: World) -> None:
    world.put(dataset("a", visibility=Visibility(public=False, public_from=world.clock())))
    assert found(world).public_number == 1


def test_data_under_embargo_open_by_themselves_when_their_release_comes(world: World) -> None:
    release = world.clock() + timedelta(days=1)
    world.put(dataset("a", access=Access.EMBARGOED, release=release))
    assert shown(world).access is Access.EMBARGOED
    before = world.records.public_head()
    world.clock.forward(days=1)
    world.ripen()
    assert shown(world).access is Access.OPEN
    assert world.records.public_head() == before + 1
    assert world.records.ripen() == 0


def test_data_whose_release_is_past_when_they_come_are_open_at_once(world: World) -> None:
    world.put(dataset("a", access=Access.EMBARGOED, release=world.clock() - timedelta(days=1)))
    assert shown(world).access is Access.OPEN
    assert world.records.ripen() == 0


def test_a_record_that_shows_before_its_data_open_turns_twice(world: World) -> None:
    shows, opens = world.clock() + timedelta(days=1), world.clock() + timedelta(days=2)
    hidden = Visibility(public=False, groups=("ill:x",), public_from=shows)
    world.put(dataset("a", access=Access.EMBARGOED, release=opens, visibility=hidden))
    seen = []
    for _ in range(3):
        world.ripen()
        seen.append((found(world).public_number is not None, shown(world).access))
        world.clock.forward(days=1)
    assert seen == [(False, Access.EMBARGOED), (True, Access.EMBARGOED), (True, Access.OPEN)]


def test_an_embargo_taken_back_before_it_ends_never_fires(world: World) -> None:
    world.put(dataset("a", visibility=Visibility(public=False, public_from=world.clock() + timedelta(days=1))))
    world.put(dataset("a", visibility=Visibility(public=False)))
    world.clock.forward(days=2)
    assert world.records.ripen() == 0
    assert found(world).public_number is None


def test_a_walk_gives_every_live_document_once_in_a_steady_order(world: World) -> None:
    world.harvest(*(Page(records=tuple(dataset(f"{page}{n:03}") for n in range(400))) for page in range(3)))
    world.put(instrument("i"))
    world.harvest(Page(gone=((D, "0000"),)))
    names = [(document.record.kind.value, document.record.pid) for document in world.records.walk()]
    assert names == sorted(names)
    assert len(set(names)) == len(names) == world.records.count() == 1_200
    assert len(list(world.records.walk(Kind.INSTRUMENT))) == 1


def test_an_entry_makes_the_document_as_it_was_when_it_was_read(world: World) -> None:
    world.put(instrument("7", name="D17"), dataset("a", title="Old", instruments=at_instrument("7")), dataset("b"))
    read = {entry.pid: entry for entry in world.records.news(0, 10)}
    walked = {entry.pid: entry for entry in world.records.entries()}
    world.put(instrument("7", name="D22"), dataset("a", title="New", instruments=at_instrument("7")))
    world.harvest(Page(gone=((D, "b"),)))
    for entries in (read, walked):
        for _ in range(2):
            old = made(entries["ill/dataset/a"])
            assert (old.title, old.instruments[0].name) == ("Old", "D17")
        assert made(entries["ill/dataset/b"]).id == "b"
    after = max(entry.version for entry in read.values())
    now = {entry.pid: entry for entry in world.records.news(after, 10)}
    new = made(now["ill/dataset/a"])
    assert (new.title, new.instruments[0].name) == ("New", "D22")
    assert (now["ill/dataset/b"].make, now["ill/dataset/b"].public) == (None, False)


def made(entry: Entry) -> Dataset:
    """The dataset of an entry."""
    assert entry.make is not None
    record = entry.make().record
    assert isinstance(record, Dataset)
    return record


def test_provenance_tells_when_the_content_came_not_when_it_was_last_seen(world: World) -> None:
    world.put(dataset("a"))
    came = world.clock()
    world.clock.forward(days=1)
    world.put(dataset("a"))
    assert found(world).provenance[0].harvested == came


def test_what_was_numbered_from_memory_is_what_the_database_gives_back(world: World) -> None:
    """A page's documents are put together from the records as they came, later ones from the rows: they must not differ."""
    world.put(instrument("i", name="D17"), investigation("n", proposal="EXP-1"))
    full = dataset(
        "a",
        instruments=at_instrument("i"),
        investigation=in_investigation("n"),
        keywords=("α-Fe2O3", '"quoted" \\ text'),
        revision="2024-01-01T00:00:00.5Z",
        parameters=(Parameter("T", "T", 1e-7, unit="K", si_value=-0.0, si_unit="K", dimension="temperature"),),
    )
    world.put(full, dataset("b", access=Access.EMBARGOED, release=world.clock() + timedelta(days=1)))
    with world.database.write("again") as connection:
        numbers = Numbers(connection, CHANGES, PUBLIC)
        keys = [(D, "ill/dataset/a"), (D, "ill/dataset/b"), (Kind.INSTRUMENT, "ill/instrument/i")]
        assert number(connection, numbers, [], keys, world.clock(), Order({})) == 0
