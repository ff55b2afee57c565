"""This file is how a dataset came to be, in PROV terms: the activity with instrument, technique, sample; and its parameters."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, Triple

from schema.rdf.names import name
from schema.rdf.place import Place
from schema.rdf.terms import digest, iri, moment, number, own, say, words
from schema.records import Dataset, InstrumentPart, Parameter, SamplePart

_NAMED = "schema:name"


def activity(record: Dataset, place: Place, node: NamedNode) -> Iterator[Triple]:
    """The measurement (or simulation, …) that made the dataset, as far as the record tells."""
    made_by = own(place.url, "activity", record.pid)
    yield Triple(node, name("prov:wasGeneratedBy"), made_by)
    part = record.investigation
    yield from say(
        made_by,
        (
            ("rdf:type", name("prov:Activity")),
            ("prov:startedAtTime", moment(record.start)),
            ("prov:endedAtTime", moment(record.end)),
            ("prov:wasAssociatedWith", place.agent(record.facility)),
            ("rdfs:label", words((part.title or part.proposal) if part else None)),
            ("dct:identifier", words(part.proposal or part.id) if part else None),
            *(("dct:type", iri(each.pid)) for each in record.techniques),
        ),
    )
    for instrument in record.instruments:
        yield from _instrument(instrument, record, place, made_by)
    for sample in record.samples:
        yield from _sample(sample, record, place, made_by)


def _instrument(part: InstrumentPart, record: Dataset, place: Place, made_by: NamedNode) -> Iterator[Triple]:
    if not (part.pid or part.name):
        return
    device = own(place.url, "instrument", part.pid or digest(record.facility, part.name or ""))
    yield Triple(made_by, name("prov:used"), device)
    yield from say(
        device,
        (("rdf:type", name("prov:Entity")), (_NAMED, words(part.name)), ("dct:identifier", words(part.pid))),
    )


def _sample(part: SamplePart, record: Dataset, place: Place, made_by: NamedNode) -> Iterator[Triple]:
    shown = part.name or part.formula
    if not (part.pid or shown):
        return
    entity = own(place.url, "sample", part.pid or digest(record.facility, shown or ""))
    yield Triple(made_by, name("prov:used"), entity)
    yield from say(
        entity,
        (
            ("rdf:type", name("prov:Entity")),
            (_NAMED, words(shown)),
            ("schema:molecularFormula", words(part.formula)),
            ("schema:additionalType", words(part.type)),
            ("dct:identifier", words(part.pid)),
        ),
    )


def parameters(record: Dataset, place: Place, node: NamedNode) -> Iterator[Triple]:
    """Parameters as schema.org property values: as given, with the unit as given; the SI value beside it."""
    for at, each in enumerate(record.parameters, 1):
        value = own(place.url, "parameter", f"{record.pid}-{at}")
        yield Triple(node, name("schema:variableMeasured"), value)
        yield from say(
            value,
            (
                ("rdf:type", name("schema:PropertyValue")),
                (_NAMED, words(each.name) or Literal("?")),
                ("schema:alternateName", words(each.source_name) if each.source_name != each.name else None),
                ("schema:value", _value(each)),
                ("schema:minValue", number(each.min)),
                ("schema:maxValue", number(each.max)),
                ("schema:unitText", words(each.unit)),
                ("schema:description", words(_in_si(each))),
            ),
        )


def _value(each: Parameter) -> Literal | None:
    return number(each.value) if each.value is not None else words(each.text)


def _in_si(each: Parameter) -> str | None:
    if each.si_value is None or not each.si_unit or each.si_unit == each.unit:
        return None
    return f"{each.si_value!r} {each.si_unit}"
