"""This file is the mapping report: what the federation would make of a source, from a probe that changed nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from harvesters.ports import Probe
from schema.records import AnyRecord, Dataset, Instrument, Investigation, Parameter, Record, Sample, Technique
from schema.units import means_no_unit

_SHOWN = 50


class Filled(msgspec.Struct, frozen=True):
    """How many of the looked-at records of a kind say something in a field."""

    kind: str
    field: str
    filled: int
    of: int


class Report(msgspec.Struct, frozen=True):
    """What a look at a source found, for its operator to read.

    `counts`: records by kind, where the source tells; `looked_at`: how many of each kind were fetched and converted;
    `unknown_units` and `unresolved_techniques`: the source's spelling and how often it was met, commonest first;
    `rejects`: refused records by reason; `examples`: a message for each reason; `sample`: some converted records.
    """

    ok: bool
    message: str
    version: str = ""
    identity: str = ""
    counts: dict[str, int] = {}
    looked_at: dict[str, int] = {}
    fields: tuple[Filled, ...] = ()
    unknown_units: tuple[tuple[str, int], ...] = ()
    unresolved_techniques: tuple[tuple[str, int], ...] = ()
    rejects: dict[str, int] = {}
    examples: dict[str, str] = {}
    sample: tuple[AnyRecord, ...] = ()


def report(found: Probe, sample: int = 3) -> Report:
    """The report of a probe, with `sample` records of each kind."""
    units = Counter(each.unit for each in _parameters(found.sample) if each.unit and _is_unknown(each))
    names = Counter(each.name for each in _techniques(found.sample) if each.pid is None)
    kinds = Counter(each.kind.value for each in found.sample)
    shown = [each for kind in kinds for each in [one for one in found.sample if one.kind.value == kind][:sample]]
    return Report(
        ok=found.ok,
        message=found.message,
        version=found.version,
        identity=found.identity,
        counts=found.counts,
        looked_at=dict(kinds),
        fields=tuple(_fields(found.sample)),
        unknown_units=tuple(units.most_common(_SHOWN)),
        unresolved_techniques=tuple(names.most_common(_SHOWN)),
        rejects=dict(Counter(each.reason for each in found.rejects)),
        examples={each.reason: each.message for each in reversed(found.rejects)},
        sample=tuple(shown),
    )


def _fields(records: tuple[AnyRecord, ...]) -> Iterator[Filled]:
    """For each kind met, each of its own fields."""
    common = {field.name for field in msgspec.structs.fields(Record)}
    for kind in dict.fromkeys(type(each) for each in records):
        own = [each for each in records if type(each) is kind]
        for field in msgspec.structs.fields(kind):
            if field.name not in common:
                filled = sum(getattr(each, field.name) not in (None, (), field.default) for each in own)
                yield Filled(own[0].kind.value, field.name, filled, len(own))


def _is_unknown(parameter: Parameter) -> bool:
    numbers = (parameter.value, parameter.min, parameter.max)
    return any(each is not None for each in numbers) and parameter.si_unit is None and not means_no_unit(parameter.unit)


def _parameters(records: tuple[AnyRecord, ...]) -> Iterator[Parameter]:
    for each in records:
        if isinstance(each, Dataset | Investigation | Sample):
            yield from each.parameters


def _techniques(records: tuple[AnyRecord, ...]) -> Iterator[Technique]:
    for each in records:
        if isinstance(each, Dataset | Instrument):
            yield from each.techniques
