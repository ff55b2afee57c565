"""This file is parameters end to end: facilities' names mapped to standard ones by the federation file, values in any unit.

A raw SciCat record goes through the crosswalk into the embedded index, and is asked for through GraphQL in another unit: what is
found is what plain arithmetic says, with factors written here and not taken from the code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from graphql_world import World, document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from portal_world import IndexReader
from strategies import written

from catalogue.index.embedded import EmbeddedIndex
from schema.crosswalks import scicat
from schema.crosswalks.place import Place
from schema.federation import read_federation
from schema.records import Dataset
from schema.techniques import default
from schema.text import fold

FILE = """
facilities:
  - id: north
    name: North Light Source
    sources:
      - id: scicat
        kind: scicat
        url: https://scicat.north.example.org
        parameters: {mono_en: photon energy, Tsample: temperature, wl: wavelength, "det dist": sample detector distance}
"""
EV, KELVIN = Fraction("1.602176634e-19"), Fraction(1)
# Unit → (factor, offset) to SI, exact by definition (SI brochure, 9th edition; angstrom 1e-10 m).
UNITS: dict[str, dict[str, tuple[Fraction, Fraction]]] = {
    "mono_en": {
        "eV": (EV, Fraction(0)),
        "keV": (EV * 1000, Fraction(0)),
        "meV": (EV / 1000, Fraction(0)),
        "MeV": (EV * 10**6, Fraction(0)),
        "J": (Fraction(1), Fraction(0)),
    },
    "Tsample": {
        "K": (Fraction(1), Fraction(0)),
        "mK": (Fraction(1, 1000), Fraction(0)),
        "degC": (Fraction(1), Fraction("273.15")),
        "°C": (Fraction(1), Fraction("273.15")),
    },
    "wl": {
        "Å": (Fraction(1, 10**10), Fraction(0)),
        "angstrom": (Fraction(1, 10**10), Fraction(0)),
        "nm": (Fraction(1, 10**9), Fraction(0)),
        "pm": (Fraction(1, 10**12), Fraction(0)),
        "m": (Fraction(1), Fraction(0)),
    },
    "det dist": {
        "mm": (Fraction(1, 1000), Fraction(0)),
        "cm": (Fraction(1, 100), Fraction(0)),
        "m": (Fraction(1), Fraction(0)),
        "um": (Fraction(1, 10**6), Fraction(0)),
        "µm": (Fraction(1, 10**6), Fraction(0)),
    },
}
STANDARD = {
    "mono_en": "photon energy",
    "Tsample": "temperature",
    "wl": "wavelength",
    "det dist": "sample detector distance",
}
NUMBERS = [0.0, 0.5, 1.0, 1.2398, 8.979, 12.4, 77.0, 273.15, 300.0, 1500.0, 25000.0]


def in_si(name: str, value: float, unit: str) -> Fraction:
    factor, offset = UNITS[name][unit]
    return Fraction(str(value)) * factor + offset


def place() -> Place:
    """What the harvester makes of the federation file."""
    (facility,) = read_federation(FILE, "federation.yaml").facilities
    (source,) = facility.sources
    names = {fold(name): standard for name, standard in source.parameters.items()}
    return Place("north", "north/scicat", default(), authenticated=True, parameters=names)


def raw(number: int, taken: list[tuple[str, float, str]]) -> dict[str, Any]:
    metadata = {name: {"value": value, "unit": unit} for name, value, unit in taken}
    return {
        "pid": f"10.5442/nd{number:06}",
        "datasetName": f"Run {number}",
        "type": "raw",
        "isPublished": True,
        "scientificMetadata": metadata,
    }


CORPUS = [
    [(name, value, unit)]
    for name in sorted(UNITS)
    for at, value in enumerate(NUMBERS)
    for unit in [sorted(UNITS[name])[at % len(UNITS[name])], sorted(UNITS[name])[(at + 2) % len(UNITS[name])]]
] + [[("mono_en", 8.979, "keV"), ("Tsample", 20.0, "degC"), ("wl", 1.0, "nm")], []]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    documents = []
    for number, taken in enumerate(CORPUS):
        made = scicat.dataset(place(), raw(number, taken))
        assert isinstance(made, Dataset), made
        assert len(made.parameters) == len(taken)
        documents.append(document(made, number + 1))
    index = EmbeddedIndex(tmp_path_factory.mktemp("index"), techniques=default())
    index.apply([written(each) for each in documents], len(documents))
    made_world = World(documents=documents)
    made_world.reader = IndexReader(index, len(documents))  # type: ignore[assignment]
    yield made_world
    index.close()


async def found(world: World, **asked: Any) -> set[int]:
    query = "query($p:[ParameterFilter!]){datasets(filter:{parameters:$p},first:100){totalCount nodes{pid}}}"
    nodes = (await world.ask(query, p=[asked]))["datasets"]["nodes"]
    return {int(each["pid"][-6:]) for each in nodes}


def expected(name: str, low: Fraction | None, high: Fraction | None) -> set[int]:
    """By arithmetic."""
    values = [(number, in_si(*each)) for number, taken in enumerate(CORPUS) for each in taken if each[0] == name]
    return {number for number, value in values if (low is None or value >= low) and (high is None or value <= high)}


@st.composite
def asked_for(draw: st.DrawFn) -> tuple[str, str, float]:
    """A name, a unit, and a bound in it that lies a little beside the value of some record in its own unit."""
    name = draw(st.sampled_from(sorted(UNITS)))
    unit = draw(st.sampled_from(sorted(UNITS[name])))
    values = sorted({in_si(*each) for taken in CORPUS for each in taken if each[0] == name})
    factor, offset = UNITS[name][unit]
    beside = draw(
        st.sampled_from([Fraction("0.9995"), Fraction("0.9999999"), 1, Fraction("1.0000001"), Fraction("1.0005"), 3])
    )
    return name, unit, float((draw(st.sampled_from(values)) * beside - offset) / factor)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked_for(), st.sampled_from(["min", "max", "both"]), st.floats(1, 2), st.integers(0, 3))
async def test_a_range_in_any_unit_finds_what_arithmetic_says(
    world: World, one: tuple[str, str, float], ends: str, width: float, spelling: int
) -> None:
    name, unit, bound = one
    other = bound * width if bound > 0 else bound / width
    bounds = {"min": bound} if ends == "min" else {"max": bound} if ends == "max" else {"min": bound, "max": other}
    si = [in_si(name, bounds[key], unit) if key in bounds else None for key in ("min", "max")]
    spelt = [name, STANDARD[name], name.upper(), STANDARD[name].title()][spelling]
    told = await found(world, name=spelt, unit=unit, **bounds)
    wrong = told ^ expected(name, *si)
    assert {number for number in wrong if not _at_an_end(number, name, si)} == set()


def _at_an_end(number: int, name: str, ends: list[Fraction | None]) -> bool:
    """Whether a record lies at an end of the range but for the rounding of doubles."""
    values = [in_si(*each) for each in CORPUS[number] if each[0] == name]
    return any(math.isclose(value, end, rel_tol=1e-12) for value in values for end in ends if end is not None)


@pytest.mark.parametrize("taken", CORPUS[:-1:3], ids=str)
async def test_a_value_is_found_at_itself_in_its_own_unit(world: World, taken: list[tuple[str, float, str]]) -> None:
    name, value, unit = taken[0]
    number = CORPUS.index(taken)
    assert number in await found(world, name=STANDARD[name], min=value, max=value, unit=unit)


@pytest.mark.parametrize("name", sorted(UNITS))
async def test_the_facilitys_name_and_the_standard_name_find_the_same(world: World, name: str) -> None:
    everything = {number for number, taken in enumerate(CORPUS) if any(each[0] == name for each in taken)}
    assert await found(world, name=name) == await found(world, name=STANDARD[name]) == everything


@pytest.mark.parametrize(("name", "unit"), [("photon energy", "K"), ("temperature", "keV"), ("wavelength", "s")])
async def test_a_unit_of_another_dimension_is_refused_with_the_right_one(world: World, name: str, unit: str) -> None:
    query = "query($p:[ParameterFilter!]){datasets(filter:{parameters:$p}){totalCount}}"
    code, message = await world.refused(query, p=[{"name": name, "min": 1, "unit": unit}])
    assert code == "BAD_INPUT"
    assert name in message
    assert "SI unit" in message


async def test_a_record_tells_the_standard_name_the_facilitys_and_the_value_as_given(world: World) -> None:
    pid = f"10.5442/nd{len(CORPUS) - 2:06}"
    query = f'{{dataset(pid:"{pid}"){{parameters{{name sourceName value unit}}}}}}'
    told = (await world.ask(query))["dataset"]["parameters"]
    assert {(each["name"], each["sourceName"], each["value"], each["unit"]) for each in told} == {
        ("photon energy", "mono_en", 8.979, "keV"),
        ("temperature", "Tsample", 20.0, "degC"),
        ("wavelength", "wl", 1.0, "nm"),
    }
