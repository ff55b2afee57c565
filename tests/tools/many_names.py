"""Records that bring many names of parameters, and what must become of the names beyond what a facility may have; for each database."""

from truths import World, dataset

from catalogue.names import LIMIT
from catalogue.ports import Page
from schema.access import PUBLIC, Visibility
from schema.records import Dataset, Detail, Kind, Parameter

HIDDEN = Visibility(public=False, groups=("ill:g",))
AT_ONCE = 500


def measured(name: str, value: float = 1.5) -> Parameter:
    return Parameter(name=name, source_name=name, value=value, unit="K")


def bringing(first: int, count: int, visibility: Visibility = PUBLIC) -> list[Dataset]:
    """Datasets with so many different names of parameters, a few hundred each."""
    numbers = [*range(first, first + count)]
    return [
        dataset(
            f"n{numbers[at]:05}",
            visibility=visibility,
            parameters=tuple(measured(f"motor {number}") for number in numbers[at : at + AT_ONCE]),
        )
        for at in range(0, count, AT_ONCE)
    ]


def kept(world: World, id: str, facility: str = "ill") -> Dataset:
    found = world.records.record(f"{facility}/scicat", Kind.DATASET, id)
    assert isinstance(found, Dataset)
    return found


def indexed(world: World, id: str, facility: str = "ill") -> list[str]:
    """The names of parameters that are searched by value."""
    return [each.source_name for each in kept(world, id, facility).parameters]


def has_room_for(world: World, count: int) -> None:
    """A facility that has brought one name less than `count` brings one more; again and again with the same result."""
    run = world.harvest(*(Page((each,)) for each in bringing(0, count - 1)))
    assert run.figures.left_out == 0
    page = dataset("last", parameters=(measured("motor 1", 7), measured("the last one", 0.25)))
    for figures in ((1, 0, 0), (0, 0, 1), (0, 0, 1)):
        done = world.put(page).figures
        assert (done.added, done.changed, done.unchanged) == figures
        assert done.left_out == (count > LIMIT)
    last = kept(world, "last")
    if count <= LIMIT:
        assert last == page
        return
    assert last.parameters == page.parameters[:1]
    assert last.details == (Detail("the last one", "0.25 K"),)
    again = world.harvest(*(Page((each,)) for each in bringing(0, count - 1)))
    assert (again.figures.unchanged, again.figures.left_out) == (len(bringing(0, count - 1)), 0)
