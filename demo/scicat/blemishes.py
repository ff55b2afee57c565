"""The bad data that real catalogues have, spread over invented datasets with a seeded hand."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

from demo.scicat.values import Doc
from demo.world import Dataset, Parameter, Technique

MIGRATED = "2025-03-01T02:00:00.000Z"
"""The night in which a bulk update gave hundreds of records one and the same updatedAt."""

_UNKNOWN_UNITS = ("arb. u.", "mA/ring", "steps", "µε", "kcps/mon", "???")
_SI = {
    "keV": (1.602176634e-16, "(kg m^2) / s^2"),
    "eV": (1.602176634e-19, "(kg m^2) / s^2"),
    "K": (1.0, "K"),
    "GPa": (1e9, "kg / (m s^2)"),
    "Å": (1e-10, "m"),
    "nm": (1e-9, "m"),
    "µm": (1e-6, "m"),
    "m": (1.0, "m"),
    "s": (1.0, "s"),
    "T": (1.0, "kg / (A s^2)"),
}


def techniques(rng: Random, found: tuple[Technique, ...]) -> list[Doc]:
    """The same technique as different facilities write it: code, PURL, another scheme, a UUID, dotted paths on several lines."""
    return [_technique(rng, one) for one in found]


def _technique(rng: Random, one: Technique) -> Doc:
    dice = rng.random()
    if dice < 0.45:
        return {"pid": one.code, "name": one.label}
    if dice < 0.70:
        return {"pid": one.iri, "name": one.label}
    if dice < 0.82:
        return {"pid": one.iri.replace("http:", "https:"), "name": one.label.upper()}
    if dice < 0.90:
        return {"pid": str(UUID(int=rng.getrandbits(128), version=4)), "name": one.label}
    leaf = one.label.replace(" ", "_")
    roots = (
        "defined_by_experimental_probe.photon_probe",
        "defined_by_experimental_physical_process",
        "defined_by_purpose",
    )
    return {"pid": one.code, "name": ";\n".join(f"photon_and_neutron_technique.{root}.{leaf}" for root in roots)}


def metadata(rng: Random, parameters: tuple[Parameter, ...]) -> Doc:
    """scientificMetadata in the forms that are met, most of them value, unit, valueSI, unitSI."""
    flat = {_key(rng, p.name): _form(rng, p) for p in parameters}
    if rng.random() < 0.2:
        flat = {"instrument": {"optics": {"settings": flat}}, "scan": {"command": "ascan th 0 10 100 1", "points": 101}}
    if rng.random() < 0.1:
        flat["ring.current"] = {"value": round(rng.uniform(180, 400), 2), "unit": rng.choice(("mA", *_UNKNOWN_UNITS))}
    if rng.random() < 0.05:
        flat["$detector/größe"] = {"value": [1030, 1065], "unit": "px"}
    if rng.random() < 0.05:
        flat["comments"] = ["beam lost at 03:12", "refilled", None]
    return flat


def _key(rng: Random, name: str) -> str:
    """snake_case mostly, camelCase or dotted paths elsewhere."""
    dice = rng.random()
    if dice < 0.6:
        return name
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest) if dice < 0.9 else ".".join((head, *rest))


def _form(rng: Random, parameter: Parameter) -> Any:
    value = list(parameter.value) if isinstance(parameter.value, tuple) else parameter.value
    unit = parameter.unit
    dice = rng.random()
    if isinstance(value, str):
        return value if dice < 0.5 else {"value": value, "unit": ""}
    if dice < 0.08:
        return {"v": value, "u": unit}
    if dice < 0.14:
        return value
    if dice < 0.20:
        return {
            "type": "measurement",
            "value": value,
            "unit": unit,
            "human_name": parameter.name.replace("_", " ").title(),
        }
    if dice < 0.22:
        return {"value": value, "unit": rng.choice(_UNKNOWN_UNITS)}
    return {"value": value, "unit": unit, **_si(value, unit)}


def _si(value: Any, unit: str) -> Doc:
    if unit not in _SI:
        return {"valueSI": value, "unitSI": unit} if unit else {}
    factor, name = _SI[unit]
    return {"valueSI": [one * factor for one in value] if isinstance(value, list) else value * factor, "unitSI": name}


def description(rng: Random, text: str) -> str:
    """Plain mostly; now and then pasted from a web page."""
    dice = rng.random()
    if dice < 0.03:
        pasted = "<script>alert('freya')</script><p>See <a href='https://example.org/log'>log</a> &amp; notes</p>"
        return f"<p>{text.replace(';', '<br/>')}</p>{pasted}"
    return f"  {text}\r\n\r\n" if dice < 0.05 else text


def owner(rng: Random, names: list[str]) -> str:
    """One name, or several in one field in three punctuations."""
    dice = rng.random()
    if dice < 0.7 or len(names) < 2:
        return names[0]
    return rng.choice(("; ", ", ", " and ")).join(names[:3])


def investigators(rng: Random, names: list[str], addresses: list[str]) -> list[Any]:
    """Names, e-mail addresses, or one null."""
    dice = rng.random()
    if dice < 0.03:
        return [None]
    return addresses[:1] if dice < 0.2 else names[:1]


def wrong(rng: Random, _dataset: Dataset) -> Doc:
    """One thing of a wrong kind; a harvester refuses some of these and mends others."""
    return rng.choice(_WRONG)()


_WRONG: tuple[Callable[[], Doc], ...] = (
    lambda: {"creationTime": "yesterday afternoon"},
    lambda: {"size": "12 GB"},
    lambda: {"techniques": "SAXS"},
    lambda: {"scientificMetadata": "see logbook"},
    lambda: {"datasetName": {"en": "overview scan", "de": "Übersicht"}},
    lambda: {"keywords": {"0": "steel"}},
    lambda: {"principalInvestigators": 17},
    lambda: {"creationTime": None, "datasetName": ""},
    lambda: {"startTime": "31.12.2024 23:59", "endTime": "1970-01-01T00:00:00.000Z"},
    lambda: {"proposalIds": "p-2024-020"},
    lambda: {"description": ["first line", "second line"]},
    lambda: {"numberOfFiles": -1, "size": -5},
)
