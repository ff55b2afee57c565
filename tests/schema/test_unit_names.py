"""The names for which pint is asked are those that the installed pint knows: the list saves time, and changes no answer."""

import pint
import pytest

from schema import units
from schema.unit_names import FULL_NAMES, may_be_known

REGISTRY = pint.UnitRegistry()
KNOWN = {
    definition.name.replace("_", "")
    for definition in REGISTRY._units.values()
    if definition.name.replace("_", "").isalpha() and definition.name.isascii() and definition.name.islower()
}


def asked(word: str) -> bool:
    """Whether pint, asked about every word as it was before there was a list, gives a unit."""
    try:
        units._by_pint(word)
    except (
        units._NotUnderstood,
        pint.errors.OffsetUnitCalculusError,
    ):  # the latter for a prefix before a scale (kilocelsius)
        return False
    return True


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "may_be_known", lambda _word: True)


@pytest.mark.usefixtures("unguarded")
def test_what_pint_can_convert_is_in_the_list_and_nothing_is_there_that_it_does_not_know() -> None:
    assert {name for name in KNOWN if asked(name)} <= FULL_NAMES <= KNOWN


@pytest.mark.parametrize("prefix", ["", "kilo", "micro", "kibi", "quetta"])
@pytest.mark.parametrize("ending", ["", "s", "es"])
def test_whatever_pint_understands_is_asked_of_it(prefix: str, ending: str, unguarded: None) -> None:
    for name in KNOWN:
        word = f"{prefix}{name}{ending}"
        assert may_be_known(word) or not asked(word)


@pytest.mark.parametrize("word", ["ring", "blank", "frames", "monitor", "kilodegreecelsius", "kilodelisle"])
def test_words_that_are_no_unit_never_have_pint_read(word: str) -> None:
    before = units._registry.cache_info()
    with pytest.raises(units._NotUnderstood):
        units._by_pint(word)
    assert units._registry.cache_info() == before
