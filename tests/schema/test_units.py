"""Units as facilities write them, and the traps: nothing hangs, nothing raises, no value is invented."""

import json
import math
import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema.unit_table import NO_UNIT, SPELLINGS, SYMBOLS, WORDS
from schema.units import Quantity, convert, means_no_unit, si

EV = 1.602176634e-19
DEGREE = math.pi / 180


@pytest.mark.parametrize(
    ("unit", "value", "si_unit"),
    [
        ("m", 1, "m"), ("mm", 1e-3, "m"), ("um", 1e-6, "m"), ("µm", 1e-6, "m"), ("μm", 1e-6, "m"), ("㎛", 1e-6, "m"),
        ("micron", 1e-6, "m"), ("microns", 1e-6, "m"), ("Micrometers", 1e-6, "m"), ("nm", 1e-9, "m"), ("Å", 1e-10, "m"),
        ("\u212b", 1e-10, "m"), ("A\u030a", 1e-10, "m"), ("Angstrom", 1e-10, "m"), ("angstroms", 1e-10, "m"), ("Ang",
        1e-10, "m"),
        ("Å²", 1e-20, "m²"), ("nm³", 1e-27, "m³"), ("m3", 1, "m³"), ("m^3", 1, "m³"), ("m**3", 1, "m³"), ("cc", 1e-6,
        "m³"),
        ("Å^-1", 1e10, "1/m"), ("Å⁻¹", 1e10, "1/m"), ("1/Å", 1e10, "1/m"), ("angstrom^-1", 1e10, "1/m"), ("Å-1", 1e10,
        "1/m"),
        ("nm^(-1)", 1e9, "1/m"), ("cm-1", 100, "1/m"), ("1 / cm", 100, "1/m"), ("[mm]", 1e-3, "m"), ("inch", 0.0254,
        "m"),
        ("eV", EV, "J"), ("keV", 1.602176634e-16, "J"), ("KeV", 1.602176634e-16, "J"), ("kev", 1.602176634e-16, "J"),
        ("kiloelectronvolt", 1.602176634e-16, "J"), ("meV", 1.602176634e-22, "J"), ("MeV", 1.602176634e-13, "J"),
        ("GeV", 1.602176634e-10, "J"), ("J", 1, "J"), ("uJ", 1e-6, "J"), ("(kg m^2) / s^2", 1, "J"), ("kg.m2.s-2", 1,
        "J"),
        ("kg·m²/s²", 1, "J"), ("N m", 1, "J"), ("MW", 1e6, "W"), ("Megawatt", 1e6, "W"), ("W/mm2", 1e6, "W/m²"),
        ("K", 1, "K"), ("Kelvin", 1, "K"), ("degrees Kelvin", 1, "K"), ("mK", 1e-3, "K"), ("degK", 1, "K"),
        ("°C", 274.15, "K"), ("℃", 274.15, "K"), ("celsius", 274.15, "K"), ("Celsius", 274.15, "K"), ("degC", 274.15,
        "K"),
        ("deg C", 274.15, "K"), ("deg. C", 274.15, "K"), ("ºC", 274.15, "K"), ("Degrees Celsius", 274.15, "K"),
        ("degC/min", 1 / 60, "K/s"), ("°C/s", 1, "K/s"), ("K/min", 1 / 60, "K/s"),
        ("T", 1, "T"), ("Tesla", 1, "T"), ("mT", 1e-3, "T"), ("G", 1e-4, "T"), ("kG", 0.1, "T"), ("Gauss", 1e-4, "T"),
        ("s", 1, "s"), ("sec", 1, "s"), ("seconds", 1, "s"), ("ms", 1e-3, "s"), ("us", 1e-6, "s"), ("fs", 1e-15, "s"),
        ("min", 60, "s"), ("h", 3600, "s"), ("hours", 3600, "s"), ("days", 86400, "s"), ("Hz", 1, "Hz"), ("kHz", 1e3,
        "Hz"),
        ("MHz", 1e6, "Hz"), ("s⁻¹", 1, "Hz"), ("1/s", 1, "Hz"), ("mm/s", 1e-3, "m/s"), ("m s^-2", 1, "m/s²"),
        ("m/s/s", 1, "m/s²"),
        ("mbar", 100, "Pa"), ("mBar", 100, "Pa"), ("bar", 1e5, "Pa"), ("hPa", 100, "Pa"), ("GPa", 1e9, "Pa"), ("Torr",
        101325 / 760, "Pa"),
        ("A", 1, "A"), ("mA", 1e-3, "A"), ("uA", 1e-6, "A"), ("V", 1, "V"), ("kV", 1e3, "V"), ("Ohm", 1, "Ω"),
        ("kOhm", 1e3, "Ω"),
        ("nC", 1e-9, "s·A"), ("pC", 1e-12, "s·A"), ("deg", DEGREE, "rad"), ("°", DEGREE, "rad"), ("degrees",
        DEGREE, "rad"), ("mdeg", DEGREE / 1000, "rad"),
        ("mrad", 1e-3, "rad"), ("urad", 1e-6, "rad"), ("deg/s", DEGREE, "rad/s"), ("rpm", 2 * math.pi / 60, "rad/s"),
        ("nm·rad", 1e-9, "m·rad"),
        ("%", 0.01, "1"), ("percent", 0.01, "1"), ("ppm", 1e-6, "1"), ("dimensionless", 1, "1"), ("wt%", 0.01,
        "kg/kg"), ("at.%", 0.01, "mol/mol"),
        ("ph/s", 1, "photon/s"), ("photons/s", 1, "photon/s"), ("photons per second", 1, "photon/s"), ("counts", 1,
        "count"), ("cts", 1, "count"),
        ("cps", 1, "count/s"), ("electrons/Å²", 1e20, "electron/m²"), ("e-/Å^2", 1e20, "electron/m²"), ("pixel", 1,
        "pixel"),
        ("um/pixel", 1e-6, "m/pixel"), ("mJ/pulse", 1e-3, "kg·m²/(s²·pulse)"), ("fps", 1, "frame/s"),
        ("g/cm³", 1000, "kg/m³"), ("mg/ml", 1, "kg/m³"), ("kg", 1, "kg"), ("Kg", 1, "kg"), ("mg", 1e-6, "kg"), ("kDa",
        1.66053906892e-24, "kg"),
        ("mM", 1, "mol/m³"), ("mol/l", 1000, "mol/m³"), ("ml/min", 1e-6 / 60, "m³/s"), ("L", 1e-3, "m³"),
        ("Gy", 1, "J/kg"), ("kGy", 1000, "J/kg"), ("Gy/s", 1, "m²/s³"), ("Gy/mA/s", 1000, "m²/(s³·ampere)"), ("Bq", 1,
        "Bq"),
        ("W/(m2 K)", 1, "kg/(s³·K)"), ("W/m^2/K", 1, "kg/(s³·K)"), ("GB", 1e9, "byte"), ("GiB", 2**30, "byte"), ("pH",
        1, "pH"),
        ("furlong", 201.16840233680466, "m"), ("furlongs per fortnight", 201.16840233680466 / 1209600, "m/s"),
    ],
)  # fmt: skip
def test_what_facilities_write_is_understood(unit: str, value: float, si_unit: str) -> None:
    quantity = si(1.0, unit)
    assert quantity is not None
    assert quantity.unit == si_unit
    assert quantity.value == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "unit",
    [
        None,
        "",
        " ",
        "N/A",
        "n/a",
        "none",
        "None",
        "a.u.",
        "au",
        "arb. units",
        "arb.u.",
        "arbitrary units",
        "-",
        "unknown",
    ],
)
def test_words_that_mean_no_unit_give_no_quantity(unit: str | None) -> None:
    assert si(1.0, unit) is None
    assert means_no_unit(unit)


@pytest.mark.parametrize(
    "unit",
    ["C", "F", "M", "S", "H", "b", "A^-1", "1/A", "A-1", "e/A^3", "electrons/A^2", "A3", "mev", "mhz", "Mm", "ton",
    "C/min", "J/C",
     "W/m2 K", "W/m2*K", "kg/m s", "10^-3 m", "1e-3 m", "ph/s/0.1%bw", "V/Hz^0.5", "nV/sqrt(Hz)", "m^10", "m^9 m",
     "J^5", "m^0", "m/", "m//s",
     "(m", "m)", "()", "*m", "m*", "m 2", "2 m", "2", "0", "dB", "dBm", "sccm", "pico-hour", "degree C coulomb",
     "NX_LENGTH", "zzzz", "step_size",
     "((((((m))))))", "9**9**9", "9**9", "2**2**2**2", "m**9**9", "m^99999999", "1/0", "eval(1)", "__import__('os')",
     "m\x00", "\ud800", "m;m",
     "'", '"', "grains", "hand", "points_per_inch", "lambda", "speed_of_light", "electron_mass", "pi", "e", "x" * 33,
     "m" * 1_000_000, "(" * 32, "m/" * 16],
)  # fmt: skip
def test_what_is_unknown_ambiguous_or_hostile_is_none_at_once(unit: str) -> None:
    begin = time.process_time()
    assert si(1.0, unit) is None
    assert convert(1.0, unit, "m") is None
    assert convert(1.0, "m", unit) is None
    assert not means_no_unit(unit) or unit.casefold() in NO_UNIT
    assert time.process_time() - begin < 2.0  # pint's registry is read within the first


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, 1e308, 5e-324])
def test_a_value_beyond_numbers_is_none(value: float) -> None:
    assert si(value, "Pm" if value == 1e308 else "GW" if value > 1 else "zJ") is None


def test_the_length_of_a_unit_is_limited_to_32_characters() -> None:
    assert si(1.0, "m" + "/s" * 9 + " " * 40) is not None
    assert si(1.0, "m*m/s/s/s/s/s/s/kg/kg/kg/kg/kg/K") is not None  # 32
    assert si(1.0, "m*m/s/s/s/s/s/s/kg/kg/kg/kg/kg/mK") is None


def test_units_of_different_things_are_not_comparable() -> None:
    kinds = [
        "m",
        "1/m",
        "rad",
        "%",
        "Hz",
        "rad/s",
        "ph/s",
        "counts/s",
        "pixel",
        "wt%",
        "at%",
        "nm rad",
        "Bq",
        "byte",
        "pH",
        "K",
        "mA",
    ]
    dimensions = {quantity.dimension for kind in kinds if (quantity := si(1.0, kind))}
    assert len(dimensions) == len(kinds)
    assert convert(1.0, "deg", "%") is None
    assert convert(1.0, "ph/s", "Hz") is None


def test_conversions_are_exact_in_decimal() -> None:
    assert si(8.979, "keV") == si(8979, "eV")
    assert si(0.1, "nm") == si(1, "Å")
    assert si(25, "°C") == Quantity(298.15, "K", "[temperature]")
    assert si(-459.67, "°F") == Quantity(0.0, "K", "[temperature]")
    assert convert(77, "K", "degC") == -196.15
    assert convert(12.398, "keV", "eV") == 12398.0
    assert convert(1.5406, "Å", "nm") == 0.15406
    assert convert(90, "min", "h") == 1.5


@given(st.floats(allow_nan=True), st.text(st.characters(codec=None), max_size=40))
def test_any_text_is_a_quantity_or_none(value: float, unit: str) -> None:
    quantity = si(value, unit)
    assert quantity is None or math.isfinite(quantity.value)
    means_no_unit(unit)


ATOM = st.tuples(
    st.sampled_from(
        ["m", "mm", "s", "kg", "eV", "mA", "K", "°C", "rad", "photon", "mol", "%", "Å", "Pa", "wt%", "pixel", "T"]
    ),
    st.sampled_from(["", "2", "^2", "**3", "-1", "^-2", "²", "⁻³", "^(-1)", " ^ 2"]),
).map("".join)


@given(st.lists(ATOM, min_size=1, max_size=3), st.lists(ATOM, max_size=3), st.sampled_from([" ", "*", "·", " * ", "."]))
@example(["1"], ["mA"], "*")
def test_the_canonical_unit_means_the_quantity_again(above: list[str], below: list[str], times: str) -> None:
    quantity = si(2.5, times.join(above) + "".join(f"/{one}" for one in below))
    if quantity is not None and len(quantity.unit) <= 32:
        again = si(quantity.value, quantity.unit)
        assert again == quantity


@given(st.text(st.sampled_from(list("mskgKeVAJ°C%/*^()-·. 12359²⁻³µÅ")), max_size=36))
@example("9**9**9")
@example("m^(-2)/(s^(-2))")
def test_anything_that_looks_like_a_unit_is_answered(unit: str) -> None:
    quantity = si(1.0, unit)
    assert quantity is None or quantity.dimension


@pytest.mark.parametrize("unit", [*SPELLINGS, *WORDS, *(SPELLINGS.values()), *(WORDS.values()), *SYMBOLS])
def test_every_entry_of_the_table_leads_to_a_unit_that_is_read_back(unit: str) -> None:
    quantity = si(1.0, unit)
    if quantity is None:
        assert unit in {"C", "F", "M", "S", "H", "P", "t"}
    else:
        assert si(quantity.value, quantity.unit) == quantity


@given(
    st.decimals(-1_000_000, 1_000_000, places=6).map(float),
    st.sampled_from(
        [("keV", "J"), ("°C", "K"), ("Å", "nm"), ("mbar", "Torr"), ("deg", "mrad"), ("degF", "°C"), ("1/cm", "Å^-1")]
    ),
)
def test_converting_there_and_back_gives_the_value(value: float, units: tuple[str, str]) -> None:
    there = convert(value, *units)
    assert there is not None
    back = convert(there, *reversed(units))
    assert back == pytest.approx(value, rel=1e-12, abs=1e-9)


@given(st.decimals(-1_000, 1_000, places=3).map(float), st.decimals(-1_000, 1_000, places=3).map(float))
def test_order_is_kept(one: float, other: float) -> None:
    low, high = sorted((one, other))
    for unit in ("keV", "°C", "Å", "mrad", "%"):
        first, second = si(low, unit), si(high, unit)
        assert first is not None
        assert second is not None
        assert first.value <= second.value


def test_every_unit_of_the_esrf_definitions_is_understood(shared: Path) -> None:
    text = (shared / "data/wire/icat-plus/esrf-hdf5_cfg.xml").read_text(encoding="utf-8")
    units = set(re.findall(r'units="([^"$]*)"', text)) - {"", "a"}  # "a" is age in years, an are, or atto
    assert len(units) > 20
    assert [unit for unit in sorted(units) if si(1.0, unit) is None] == []


def test_the_si_values_that_scicat_computed_are_ours(shared: Path) -> None:
    documents = json.loads((shared / "data/scicat/scicatlive-Dataset.json").read_text(encoding="utf-8"))
    checked = 0
    for document in documents:
        for entry in (document.get("scientificMetadata") or {}).values():
            if isinstance(entry, dict) and entry.get("unit") and entry.get("unitSI"):
                ours, theirs = si(entry["value"], entry["unit"]), si(entry["valueSI"], entry["unitSI"])
                assert ours is not None
                assert theirs is not None
                assert ours.dimension == theirs.dimension
                assert ours.value == pytest.approx(theirs.value, rel=1e-6)
                checked += 1
    assert checked > 10
