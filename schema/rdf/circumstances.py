"""This file is how a dataset came to be, in PROV terms: the activity with instrument, technique, sample; and its parameters."""

from __future__ import annotations

from collections.abc import Iterable

from schema.rdf.place import Place
from schema.rdf.terms import Pair, Term, iri, moment, named, number, say, words
from schema.records import Dataset, Parameter


def activity(record: Dataset, place: Place, made_by: Term, used: Iterable[Term]) -> str:
    """The measurement (or simulation, …) that made the dataset, as far as the record tells."""
    part = record.investigation
    pairs: list[Pair] = [
        ("rdf:type", "prov:Activity"),
        ("prov:startedAtTime", moment(record.start)),
        ("prov:endedAtTime", moment(record.end)),
        ("prov:wasAssociatedWith", place.agent(record.facility)),
    ]
    if part is not None:
        pairs.append(("rdfs:label", words(part.title or part.proposal)))
        pairs.append(("dct:identifier", words(part.proposal or part.id)))
    pairs += [("dct:type", iri(each.pid)) for each in record.techniques]
    pairs += [("prov:used", each) for each in used]
    return say(made_by, dict.fromkeys(pairs))


def parameter(value: Term, each: Parameter) -> str:
    """A parameter as a schema.org property value: as given, with the unit as given; the SI value beside it."""
    return say(
        value,
        (
            ("rdf:type", "schema:PropertyValue"),
            ("schema:name", named(each.name)),
            ("schema:alternateName", words(each.source_name) if each.source_name != each.name else None),
            ("schema:value", number(each.value) if each.value is not None else words(each.text)),
            ("schema:minValue", number(each.min)),
            ("schema:maxValue", number(each.max)),
            ("schema:unitText", words(each.unit)),
            ("schema:description", words(_in_si(each))),
        ),
    )


def _in_si(each: Parameter) -> str | None:
    if each.si_value is None or not each.si_unit or each.si_unit == each.unit:
        return None
    return f"{each.si_value!r} {each.si_unit}"
