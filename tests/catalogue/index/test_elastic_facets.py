"""What is read out of Elasticsearch's counts without asking again is never wrong."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from catalogue.index.elastic_facets import Split, checked, second
from catalogue.query import FacetWish, Field, Search

VALUES = "abcde"
keywords = st.lists(st.frozensets(st.sampled_from(VALUES), max_size=3), max_size=12)


@given(documents=keywords, size=st.integers(1, 4))
def test_no_second_call_is_made_only_where_the_counts_tell_how_many_are_beyond_the_list(
    documents: list[frozenset[str]], size: int
) -> None:
    counts = sorted(Counter(value for one in documents for value in one).items(), key=lambda pair: (-pair[1], pair[0]))
    shown = counts[:size]
    other = sum(count for _, count in counts[size:])
    answer = {
        "doc_count": len(documents),
        "missing": {"doc_count": sum(not one for one in documents)},
        "values": {
            "sum_other_doc_count": other,
            "buckets": [{"key": value, "doc_count": count} for value, count in shown],
        },
    }
    search = Search(facets=(FacetWish(Field.KEYWORD, size=size),))
    if not second(search, Split(search), {"facet0": answer}):
        assert other == sum(any(value not in dict(shown) for value in one) for one in documents)
    else:
        assert any(len(one) > 1 for one in documents)


@given(
    spelled=st.dictionaries(st.sampled_from(["Film", "film", "FILM"]), st.integers(1, 5)),
    guess=st.sampled_from(["Film", "film"]),
)
def test_a_guess_that_is_taken_is_the_most_frequent_spelling(spelled: dict[str, int], guess: str) -> None:
    counted = {"so0": spelled.get(guess, 0), "else0": sum(count for label, count in spelled.items() if label != guess)}
    told = {"labels": {"buckets": {name: {"doc_count": count} for name, count in counted.items()}}}
    found = checked({(Field.KEYWORD, "film"): guess}, told)
    most = min(spelled.items(), key=lambda pair: (-pair[1], pair[0]))[0] if spelled else "film"
    assert found in ({}, {(Field.KEYWORD, "film"): most})
    assert found or len(spelled) != 1 or guess not in spelled, "what all spell alike is taken"
