"""A row says what the terms of its document say, however much of it was put into JSON before."""

from __future__ import annotations

import msgspec
import oracle
import strategies as made
from hypothesis import given
from hypothesis import strategies as st

from catalogue.index.elastic_mapping import PART, label_key, mappings, quoted, row, unquoted
from catalogue.index.terms import terms
from catalogue.query import Field
from schema.records import Dataset, Document, InvestigationPart, Person, decode_document

TREE = oracle.Tree()


@given(made.datasets(), st.booleans())
def test_a_row_holds_what_the_terms_hold_and_the_document_itself(record: Dataset, public: bool) -> None:
    document = Document(record, (), 7, 7 if public else None)
    told = msgspec.json.decode(row(document, TREE, public=public))
    found = terms(document, TREE, public=public)
    assert {field: tuple(told[field]) for field in Field if field in told} == found.values
    assert told.get("also", []) == [field + PART + name for field, names in found.also.items() for name in names]
    assert told.get("label", []) == [label_key(one.field, one.value) + one.text for one in found.labels]
    assert told.get("completion", []) == list(found.completions)
    assert decode_document(unquoted(told["raw"])) == document
    assert set(told) <= set(mappings()["properties"])
    assert ("completion" in told) <= public


def test_a_crowd_is_told_whole() -> None:
    people = tuple(Person(name=f"Ada Example {number}") for number in range(300))
    record = Dataset(
        source="a/b", id="1", pid="a/dataset/1", facility="a", title="One", people=people, investigation=InvestigationPart()
    )  # fmt: skip
    told = msgspec.json.decode(row(Document(record, (), 1, 1), TREE, public=True))
    assert len(told["person"]) == 300


@given(st.recursive(st.text() | st.integers(), st.lists))
def test_json_that_was_quoted_is_the_same_after_a_decoder_and_needs_no_escape_but_for_backslashes(
    value: object,
) -> None:
    content = msgspec.json.encode(value)
    told = quoted(content)
    assert unquoted(msgspec.json.decode(told)) == content
    assert len(told) == len(content) + 2 + content.count(b"\\") + content.count(b"\x7f")
