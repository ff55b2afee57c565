"""How tests make records that foreign bytes could have made: hostile names, texts, links and numbers in every field that goes out."""

from datetime import UTC, datetime

from hypothesis import strategies as st
from strategies import datasets, document

from schema.records import Dataset, Document, FileTotals, Parameter, Person, Related, Technique

TEXTS = st.one_of(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "a\u0000b\u0001\u001f\r\nc\u2028d",
            "\ud800 lone",
            "\ufffe\uffff",
            "'''\"\"\"\\",
            "]]>&amp;<!--",
            "@prefix : <x> .",
            "\u202eevil",
            "</script><svg/onload=alert(1)>",
            "{{ 7 * 7 }}",
            " ",
            "",
        ]
    ),
    st.text(st.characters(), max_size=40),
)
LINKS = st.one_of(
    st.sampled_from(
        [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://a b/c",
            "http://a/<b>",
            'http://a/"b"',
            "http://a/{x}|^`",
            "http://a/\nb",
            "http://[::1",
            "http://a/%zz",
            "https://user@evil.example/",
            "http://",
            "//evil.example",
            "http://ex.org/ok",
            "http://ex.org/é",
            "http://ex.org/\ud800",
            "http://ex.org/\U000e0001",
            "http://ex.org/#a#b",
            "urn:x:y",
            "10.5442/a<b>",
            "https://doi.org/10.1/x y",
        ]
    ),
    TEXTS,
)
PIDS = st.one_of(
    st.sampled_from(
        ['10.5442/a<b>"c', "10.5442/a{b}#?x", "north/dataset/~00~0A", "10.5442/ä%zz", "20.500.1/x\\y", "10.5442/a;b&c"]
    ),
    st.integers(1, 99).map(lambda number: f"north/dataset/{number}"),
)
_DAYS = st.sampled_from([datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)])


@st.composite
def hostile_datasets(draw: st.DrawFn) -> Document:
    """A dataset whose every outgoing field may be hostile."""
    plain = draw(datasets())
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    numbers = st.sampled_from([float("inf"), float("nan"), 1e308, 5e-324, -0.0])
    parameter = Parameter(
        draw(TEXTS), draw(TEXTS), draw(numbers), draw(TEXTS), unit=draw(TEXTS), si_value=1.0, si_unit=draw(TEXTS)
    )
    record = Dataset(
        **{
            **fields,
            "pid": draw(PIDS),
            "title": draw(TEXTS),
            "description": draw(st.none() | TEXTS),
            "type": draw(st.none() | TEXTS),
            "license": draw(st.none() | LINKS),
            "source_url": draw(st.none() | LINKS),
            "keywords": (draw(TEXTS),),
            "techniques": (Technique(draw(TEXTS), draw(LINKS)),),
            "people": (Person(draw(TEXTS), draw(LINKS), draw(TEXTS), draw(TEXTS)),),
            "related": (Related(draw(LINKS), draw(TEXTS), draw(TEXTS), draw(TEXTS)),),
            "parameters": (*plain.parameters, parameter),
            "files": FileTotals(
                draw(st.none() | st.integers(0, 2**70)), draw(st.none() | st.integers(0, 2**70)), (draw(TEXTS), "nxs")
            ),
            "end": draw(st.none() | _DAYS),
        }
    )
    return document(record, 7)
