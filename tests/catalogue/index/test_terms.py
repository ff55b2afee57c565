"""Whatever is remembered of what documents have in common, a document's terms are those of its own mentions, in their order."""

from __future__ import annotations

from msgspec.structs import replace

from catalogue.index import mentions as kept
from catalogue.index.mentions import Label
from catalogue.index.terms import terms
from catalogue.query import Field
from schema.records import Dataset, Document, Parameter, Person, Technique
from schema.techniques import default

_IRI = "http://purl.org/pan-science/PaNET/PaNET01309"


def _document(dataset: Dataset) -> Document:
    return Document(dataset, (), 1, 1)


def _dataset(people: int) -> Dataset:
    named = tuple(Person(name=f"Ada Example {number % 90}") for number in range(people))
    measured = tuple(Parameter(name=f"n {one.name}", source_name=f"s {one.name}", value=1.0) for one in named)
    return Dataset(
        source="a/b", id="1", pid="a/dataset/1", facility="a", title="One", people=named, parameters=measured,
        techniques=(Technique(name="Mine"), Technique(name="other words", pid=_IRI)), keywords=("Ice", "ice", "Snow"),
    )  # fmt: skip


def test_a_value_told_twice_is_listed_once_and_shown_as_it_was_told_first() -> None:
    found = terms(_document(_dataset(0)), default(), public=True)
    assert found.values[Field.KEYWORD] == ("ice", "snow")
    assert Label(Field.KEYWORD, "ice", "Ice") in found.labels
    assert len({(label.field, label.value) for label in found.labels}) == len(found.labels)
    assert found.values[Field.TECHNIQUE_EXACT] == ("mine", _IRI)
    assert set(found.values[Field.TECHNIQUE]) > {"mine", _IRI}


def test_a_crowd_that_is_not_remembered_gives_what_a_few_give() -> None:
    for count in (kept._CROWD, kept._CROWD + 1, 200):
        found = terms(_document(_dataset(count)), default(), public=True)
        named = list(dict.fromkeys(f"ada example {number % 90}" for number in range(count)))
        assert found.values[Field.PERSON] == tuple(named)
        assert found.values[Field.PARAMETER_NAME] == tuple(f"n {name}" for name in named)
        assert found.also[Field.PARAMETER_NAME] == tuple(f"{sort} {name}" for name in named for sort in "ns")


def test_documents_that_share_something_do_not_change_each_other() -> None:
    one = _dataset(3)
    before = terms(_document(one), default(), public=True)
    other = replace(one, pid="a/dataset/2", keywords=(*one.keywords, "Fog"), people=one.people[:2])
    assert terms(_document(other), default(), public=True).values[Field.KEYWORD] == ("ice", "snow", "fog")
    after = terms(_document(one), default(), public=True)
    assert [(sort.values, sort.also, sort.labels, sort.completions) for sort in after.mentioned] == [
        (sort.values, sort.also, sort.labels, sort.completions) for sort in before.mentioned
    ]
    assert terms(_document(one), default(), public=False).completions == ()
