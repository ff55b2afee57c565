"""The mapping report: what is in it is what a look at the source found."""

from harvesters.ports import Probe
from harvesters.probe import report
from schema.records import Dataset, Parameter, Reject, Technique


def dataset(id: str, **more: object) -> Dataset:
    return Dataset(source="home/one", id=id, pid=f"home/dataset/{id}", facility="home", title=id, **more)  # type: ignore[arg-type]


def test_a_report_counts_fields_units_techniques_and_rejects() -> None:
    strange = Parameter(name="p", source_name="p", value=1.0, unit="mA/ring")
    known = Parameter(name="q", source_name="q", value=1.0, unit="keV", si_value=1.0, si_unit="J", dimension="energy")
    bare = Parameter(name="r", source_name="r", value=1.0, unit="N/A")
    records = (
        dataset("1", parameters=(strange, known, bare), techniques=(Technique(name="odd one"),), license="CC-BY-4.0"),
        dataset("2", parameters=(strange,), techniques=(Technique(name="x", pid="http://x"),)),
    )
    refused = tuple(Reject("home/one", "dataset", str(n), "no-id", f"Sentence {n}.", "{}") for n in range(2))
    made = report(Probe(True, "The source answers.", "6.2", "me", {"dataset": 9}, records, refused), sample=1)
    assert made.unknown_units == (("mA/ring", 2),)
    assert made.unresolved_techniques == (("odd one", 1),)
    assert made.rejects == {"no-id": 2}
    assert made.examples == {"no-id": "Sentence 0."}
    assert made.looked_at == {"dataset": 2}
    assert made.counts == {"dataset": 9}
    filled = {each.field: each.filled for each in made.fields}
    assert (filled["title"], filled["license"], filled.get("abstract", 0)) == (2, 1, 0)
    assert made.sample == records[:1]


def test_a_source_that_does_not_answer_has_a_report_too() -> None:
    made = report(Probe(False, "It does not answer."))
    assert (made.ok, made.message, made.sample) == (False, "It does not answer.", ())
