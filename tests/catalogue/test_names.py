"""The names of parameters a facility may have indexed: so many, the same ones for ever, and what is hidden counted apart."""

from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from many_names import HIDDEN, bringing, has_room_for, indexed, kept, measured
from msgspec.structs import replace
from sqlalchemy import text
from truths import SOURCE, Death, World, dataset, investigation

from catalogue import names
from catalogue.names import LIMIT, readable
from catalogue.ports import Page
from schema.access import PUBLIC, Visibility
from schema.activities import HarvestMode
from schema.records import Dataset, Detail, Investigation, Kind, Parameter, Sample


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "truth.db")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of three."""
    monkeypatch.setattr(names, "LIMIT", 3)


def with_names(id: str, *named: str, **more: Any) -> Dataset:
    return dataset(id, parameters=tuple(map(measured, named)), **more)


def test_the_number_is_the_one_that_was_agreed() -> None:
    assert LIMIT == 5_000


@pytest.mark.parametrize("count", [4_999, 5_000, 5_001])
def test_a_facility_has_five_thousand_names(world: World, count: int) -> None:
    has_room_for(world, count)


@pytest.mark.parametrize("first", [HIDDEN, PUBLIC])
def test_what_is_hidden_takes_no_room_from_what_everybody_sees_nor_the_other_way(
    world: World, first: Visibility
) -> None:
    second = PUBLIC if first is HIDDEN else HIDDEN
    world.put(*bringing(0, LIMIT, first))
    assert world.put(dataset("same", visibility=first, parameters=(measured("new"),))).figures.left_out == 1
    assert world.put(dataset("other", visibility=second, parameters=(measured("new"),))).figures.left_out == 0
    assert (indexed(world, "same"), indexed(world, "other")) == ([], ["new"])


@pytest.mark.usefixtures("three")
def test_what_comes_out_of_an_embargo_is_counted_among_what_everybody_sees(world: World) -> None:
    later = Visibility(public=False, groups=("ill:g",), public_from=world.clock() + timedelta(hours=1))
    world.put(with_names("a", "one", "two", "three"))
    world.put(with_names("h", "four", visibility=later))
    assert indexed(world, "h") == ["four"]
    world.clock.forward(hours=2)
    assert world.put(with_names("h", "four", visibility=later)).figures.changed == 1
    assert world.put(with_names("h", "four", visibility=later)).figures.unchanged == 1
    assert indexed(world, "h") == []


@pytest.mark.usefixtures("three")
def test_a_name_is_compared_as_names_are_and_each_facility_has_its_own(world: World) -> None:
    world.put(with_names("a", "Temp\u00e9rature", "two", "TWO"), with_names("b", "temperature", "  two", "three"))
    assert world.put(with_names("c", "Three", "four")).figures.left_out == 1
    assert indexed(world, "c") == ["Three"]
    world.put(dataset("c", "hzb/scicat", parameters=(measured("four"),)))
    assert indexed(world, "c", "hzb") == ["four"]


@pytest.mark.usefixtures("three")
def test_what_the_federation_file_names_otherwise_is_always_in_and_takes_no_room(world: World) -> None:
    mapped = tuple(replace(measured(f"m{number}"), name="temperature") for number in range(5))
    world.put(dataset("a", parameters=(*mapped, *map(measured, ("one", "two", "three", "four")))))
    assert indexed(world, "a") == ["m0", "m1", "m2", "m3", "m4", "one", "two", "three"]
    assert world.put(dataset("b", parameters=mapped)).figures.left_out == 0


@pytest.mark.usefixtures("three")
def test_investigations_and_samples_have_names_too(world: World) -> None:
    world.put(with_names("a", "one", "two", "three"))
    more: dict[str, Any] = {"parameters": (measured("four"),), "details": (Detail("there", "already"),)}
    sample = Sample(source="ill/scicat", id="s", pid="ill/sample/s", facility="ill", name="S", **more)
    world.put(investigation("i", **more), sample)
    for kind, id in ((Kind.INVESTIGATION, "i"), (Kind.SAMPLE, "s")):
        found = world.records.record("ill/scicat", kind, id)
        assert isinstance(found, Investigation | Sample)
        assert found.parameters == ()
        assert found.details == (Detail("there", "already"), Detail("four", "1.5 K"))


@pytest.mark.usefixtures("three")
def test_what_was_undone_took_no_room(tmp_path: Path) -> None:
    death = Death()
    world = World(tmp_path / "truth.db", at=death)
    for death.point in ("page: records written", "page: before commit"):
        with pytest.raises(KeyboardInterrupt):
            world.put(with_names("a", "lost", "two", "three"))
    death.point = "page: after commit"
    with pytest.raises(KeyboardInterrupt):
        world.put(with_names("b", "one", "two"))
    death.point = ""
    world.put(with_names("c", "three", "lost", "two"))
    assert indexed(world, "c") == ["three", "two"]


@pytest.mark.usefixtures("three")
def test_what_another_process_has_brought_is_known(tmp_path: Path) -> None:
    one, other = World(tmp_path / "truth.db"), World(tmp_path / "truth.db")
    one.put(with_names("a", "one"))
    other.put(with_names("b", "two"))
    one.put(with_names("c", "two", "three"))
    assert other.put(with_names("d", "three", "four")).figures.left_out == 1
    assert one.put(with_names("d", "three", "four")).figures.unchanged == 1


@pytest.mark.usefixtures("three")
def test_names_stay_though_nobody_uses_them_any_more(world: World) -> None:
    world.put(with_names("a", "one", "two", "three"))
    world.harvest(Page(gone=((Kind.DATASET, "a"),)))
    world.put(with_names("b", "four"))
    assert indexed(world, "b") == []
    world.put(with_names("b", "four", "one"))
    assert indexed(world, "b") == ["one"]


@pytest.mark.usefixtures("three")
def test_names_of_any_length_and_signs_are_kept(world: World) -> None:
    long = "\U00020000" * 511
    world.put(with_names("a", long + "x", long + "y", "nul \0 and \u202e"))
    assert len(indexed(world, "a")) == 3
    assert world.put(with_names("b", long + "X", long + "z")).figures.left_out == 1


def test_a_database_from_before_knows_the_names_of_its_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path / "truth.db")
    mapped = replace(measured("m"), name="temperature")
    world.put(
        dataset("a", parameters=(measured("One"), measured("x" * 300), mapped)), with_names("h", "h", visibility=HIDDEN)
    )
    before = _names(world)
    assert len(before) == 3
    with world.database.write("back to revision 4") as connection:
        connection.execute(text("DROP TABLE parameter_names"))
        connection.execute(text("ALTER TABLE harvests DROP COLUMN left_out"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    world.database.close()
    again = World(tmp_path / "truth.db")
    assert _names(again) == before
    assert again.harvests.harvests(None, 9, None)[0].figures.left_out == 0
    monkeypatch.setattr(names, "LIMIT", 2)
    assert again.put(with_names("b", "one", "two")).figures.left_out == 1


def _names(world: World) -> list[object]:
    with world.database.read() as connection:
        return list(connection.execute(text("SELECT facility, public, name FROM parameter_names ORDER BY 1, 2, 3")))


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        (Parameter("a", "a", value=2.0, unit="mm"), "2 mm"),
        (Parameter("a", "a", value=1e-7), "1e-7"),
        (Parameter("a", "a", text="cold", value=4.25), "4.25 cold"),
        (Parameter("a", "a", min=1.0, max=2.5, unit="\u00c5"), "1 \u2026 2.5 \u00c5"),
        (Parameter("a", "a", min=1.0), "1 \u2026 "),
        (Parameter("a", "a", text="cold"), "cold"),
    ],
)
def test_what_is_not_indexed_can_be_read(parameter: Parameter, told: str) -> None:
    assert readable(parameter) == Detail("a", told)


NAMES = st.lists(st.sampled_from("abcdefg"), max_size=3, unique=True)
RECORDS = st.tuples(st.sampled_from("xyz"), NAMES, st.booleans())


@cache
def migrated() -> bytes:
    """An empty database, made once: migrating takes longer than all that is tried on it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "truth.db"
        World(path).database.close()
        return path.read_bytes()


@settings(max_examples=30, deadline=None)
@given(pages=st.lists(st.tuples(st.lists(RECORDS, max_size=3), st.booleans(), st.booleans()), max_size=6))
def test_a_name_is_always_in_or_never_and_what_comes_again_is_the_same(
    pages: list[tuple[list[tuple[str, list[str], bool]], bool, bool]],
) -> None:
    """Two processes, pages that are undone, against three names in a set."""
    death = Death()
    model: dict[bool, set[str]] = {True: set(), False: set()}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "LIMIT", 3)
        (Path(folder) / "truth.db").write_bytes(migrated())
        worlds = [World(Path(folder) / "truth.db", at=death) for _ in range(2)]
        lease = worlds[0].lease()
        run = worlds[0].harvests.begin(lease, SOURCE, HarvestMode.FULL)
        for page, undone, second in pages:
            world, death.point = worlds[second], "page: before commit" if undone else ""
            sent = [with_names(id, *named, visibility=PUBLIC if public else HIDDEN) for id, named, public in page]
            if undone:
                with pytest.raises(KeyboardInterrupt):
                    world.harvests.commit(lease, run, Page(tuple(sent)))
                continue
            before = world.harvests.commit(lease, run, Page(tuple(sent)))
            for _, named, public in page:
                for name in named:
                    if len(model[public]) < 3:
                        model[public].add(name)
            for id, named, public in {id: each for each in page for id in each[0]}.values():
                assert indexed(world, id) == [name for name in named if name in model[public]]
                assert {each.name for each in kept(world, id).details} == set(named) - model[public]
            run = worlds[not second].harvests.commit(lease, before, Page(tuple(sent)))
            assert run.figures.unchanged == before.figures.unchanged + len({id for id, _, _ in page})
        for world in worlds:
            world.database.close()
