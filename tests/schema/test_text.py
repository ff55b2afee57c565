"""What a word is: examples from the field, and laws that hold for any text."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import text as rule
from schema.errors import BadInput
from schema.text import MARK_END, MARK_START, Asked, clean, fold, highlight, parse, prefix, words

ANY = st.text(st.characters(codec=None), max_size=200)
SCIENCE = st.lists(
    st.sampled_from(
        [
            "small-angle",
            "X-ray",
            "La1.85Sr0.15CuO4",
            "α-Fe2O3",
            "ID01",
            "10.5442/nd000001",
            "8.979",
            "P21/c",
            "the",
            "of",
            "Bragg's",
            "nanoparticles",
            "Å",
            "µm",
            "ﬁbres",
            "中子散射",
            "Fe(OH)3",
            "e\u0301tude",
            "SAXS",
            "\ue000x\ue001",
        ]
    ),
    max_size=12,
).map(" ".join)


def found_by(query: str, text: str) -> bool:
    """Whether an engine that splits at blanks finds the text: all words, every phrase, nothing excluded."""
    terms, asked = words(text), parse(query)

    def holds(phrase: tuple[str, ...]) -> bool:
        return any(tuple(terms[at : at + len(phrase)]) == phrase for at in range(len(terms)))

    unwanted = [part if isinstance(part, tuple) else (part,) for part in asked.excluded]
    return all(map(holds, [(word,) for word in asked.words] + list(asked.phrases))) and not any(map(holds, unwanted))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("La1.85Sr0.15CuO4", ["la1.85sr0.15cuo4"]),
        ("La₁.₈₅Sr₀.₁₅CuO₄", ["la1.85sr0.15cuo4"]),
        ("α-Fe2O3", ["α", "fe2o3"]),
        ("ID01", ["id01"]),
        ("10.5442/nd000001", ["10.5442", "nd000001"]),
        ("8.979 keV.", ["8.979", "kev"]),
        ("small-angle X-rays", ["small", "angl", "x", "ray"]),
        ("P21/c", ["p21", "c"]),
        ("Straße Łódź ﬁbre naïve", ["strass", "lodz", "fibr", "naiv"]),
        ("10 cm² at 5 µm", ["10", "cm2", "at", "5", "μm"]),
        ("Bragg’s law", ["bragg", "law"]),
        ("SAXS and WAXS, SANS, GaAs", ["saxs", "and", "waxs", "sans", "gaas"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("中子", ["中", "子"]),
        ("हिन्दी", ["हिन्दी"]),
        ("a\x00b\ud800c", ["a", "b", "c"]),
        ("hi\ue000gh\ue001er", ["higher"]),
        ("run_0042.h5", ["run", "0042", "h5"]),
        ("... --- '", []),
    ],
)
def test_what_science_writes_becomes_these_terms(text: str, terms: list[str]) -> None:
    assert words(text) == [fold(term) if not term.isascii() else term for term in terms]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("small angle", "small-angle scattering", True),
        ("small-angle", "small angle scattering", True),
        ("small-angle", "a small sample at an angle", False),
        ('"angle scattering"', "small-angle scattering", True),
        ('"small scattering"', "small-angle scattering", False),
        ("X-ray", "X-RAYS", True),
        ("fe2o3", "α-Fe2O3 nanoparticles", True),
        ("α-Fe2O3", "γ-Fe2O3", False),
        ("nacl", "NaCl", True),
        ("10.5442/ND000001", "see https://doi.org/10.5442/nd000001", True),
        ("https://doi.org/10.5442/nd000001", "10.5442/nd000001", False),
        ("scattered", "scattering", True),
        ("wax", "WAXS of polymers", False),
        ("-neutron scattering", "neutron scattering", False),
        ("-x-ray scattering", "x and ray scattering", True),
        ('-"neutron scattering"', "scattering of neutrons", True),
        ("Fe(OH)3", "Fe(OH)3 gel", True),
        ("Å", "5 Å", True),
        ("μm", "5 µm", True),
        ("", "anything", True),
    ],
)
def test_a_query_finds_what_a_reader_expects(query: str, text: str, found: bool) -> None:
    assert found_by(query, text) is found


def test_a_search_box_is_read_into_words_phrases_and_exclusions() -> None:
    assert parse('cats “small angle” -dog -"red fox" x-ray cat -p-q "open end') == Asked(
        words=("cat",),
        phrases=(("small", "angl"), ("x", "ray"), ("open", "end")),
        excluded=("dog", ("red", "fox"), ("p", "q")),
    )


@pytest.mark.parametrize("query", ["", "  ", "...", "-", '""', '-""', "\u200b", "\ue000"])
def test_a_query_without_words_asks_for_nothing(query: str) -> None:
    assert parse(query) == Asked()


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        (lambda n: "a" * n, 256),
        (lambda n: " ".join(f"w{i}" for i in range(n)), 32),
        (lambda n: "-".join("a" * n), 32),
        (lambda n: " ".join(["-a"] * n), 5),
        (lambda n: " ".join(['"a b"'] * n), 5),
    ],
)
def test_a_query_is_refused_just_beyond_each_limit(kind, limit) -> None:  # type: ignore[no-untyped-def]
    parse(kind(limit - 1))
    parse(kind(limit))
    with pytest.raises(BadInput) as refusal:
        parse(kind(limit + 1))
    assert str(limit) in str(refusal.value)
    assert refusal.value.field == "query"


@given(ANY | SCIENCE)
def test_no_term_holds_a_blank_or_control_character_or_is_too_long(text: str) -> None:
    terms = words(text)
    assert " ".join(terms).split() == terms
    assert all(0 < len(term) <= 64 for term in terms)
    assert {unicodedata.category(sign) for term in terms for sign in term}.isdisjoint(
        {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}
    )
    " ".join(terms).encode()  # no lone surrogates


@given(ANY | SCIENCE)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert prefix(prefix(text)) == prefix(text)


@given(ANY | SCIENCE)
def test_what_is_not_ascii_is_folded_alone_as_it_is_in_the_whole_text(text: str) -> None:
    for some in (text, "".join(f"{sign}e" for sign in text), text.replace(" ", "\u0301")):
        assert rule._folded(some) == rule._folded_run(some)


@given(ANY | SCIENCE)
def test_a_text_of_ascii_has_the_terms_of_the_general_rule(text: str) -> None:
    folded = rule._tidy(fold(text))
    assert rule._terms(folded) == [term[: rule.TERM_LENGTH] for term in rule._TERM.findall(rule._tidy(folded))]


def test_folding_twice_changes_nothing_for_any_single_character() -> None:
    assert [
        code for code in (*range(0x30000), *range(0xE0000, 0xE0200)) if fold(fold(chr(code))) != fold(chr(code))
    ] == []


@given(ANY | SCIENCE)
def test_case_never_decides_what_is_found(text: str) -> None:
    ascii_only = text.encode("ascii", "ignore").decode()
    assert words(ascii_only.upper()) == words(ascii_only.lower()) == words(ascii_only)


@given(ANY | SCIENCE, ANY | SCIENCE)
def test_texts_beside_each_other_have_the_words_of_both(one: str, other: str) -> None:
    assert words(f"{one} \n {other}") == words(one) + words(other)


@given(st.lists(st.from_regex(r"[a-z]{0,3}[0-9]{1,5}(\.[0-9]{1,3})?", fullmatch=True)))
def test_identifiers_and_numbers_stay_as_they_are(terms: list[str]) -> None:
    assert words(" ".join(terms)) == terms


@given(SCIENCE)
def test_a_text_is_found_by_each_of_its_own_chunks(text: str) -> None:
    for chunk in text.split():
        assert found_by(chunk, text) or '"' in chunk


@given(ANY, ANY | SCIENCE, st.integers(20, 200))
def test_a_highlight_without_marks_is_a_piece_of_the_cleaned_text(noise: str, text: str, width: int) -> None:
    whole = f"{text} {noise} {text}"
    asked = parse(" ".join(text.split()[:3])[:60].replace('"', "").replace("-", ""))
    shown = highlight(whole, asked, width)
    if shown is not None:
        bare = shown.replace(MARK_START, "").replace(MARK_END, "")
        assert bare in clean(whole)
        assert len(bare) <= width
        assert shown.count(MARK_START) == shown.count(MARK_END) > 0
        shown.encode()


@given(SCIENCE, SCIENCE)
def test_a_text_that_holds_an_asked_word_gets_a_highlight(before: str, after: str) -> None:
    asked = parse("sought-after P63/mmc")
    assert highlight(f"{before} {after}", asked) is None
    shown = highlight(f"{before} Sought After: {after} {before} P6₃/mmc", asked, 2_000)
    assert shown is not None
    assert f"{MARK_START}Sought After{MARK_END}" in shown
    assert f"{MARK_START}P6₃/mmc{MARK_END}" in shown


def test_a_highlight_marks_the_words_as_they_were_written() -> None:
    text = "Étude de SCATTERED light\nby \ue000La₁.₈₅Sr₀.₁₅CuO₄ and fibres"
    shown = highlight(text, parse("etude scattering La1.85Sr0.15CuO4"))
    assert shown == ("\ue000Étude\ue001 de \ue000SCATTERED\ue001 light by \ue000La₁.₈₅Sr₀.₁₅CuO₄\ue001 and fibres")


def test_a_highlight_is_taken_where_most_words_stand_together() -> None:
    text = "neutron " + "filler " * 100 + "neutron spin echo " + "filler " * 100
    shown = highlight(text, parse("neutron spin echo"), 40)
    assert shown is not None
    assert "\ue000neutron\ue001 \ue000spin\ue001 \ue000echo\ue001" in shown
    assert len(shown) <= 46


def test_excluded_words_are_not_marked() -> None:
    assert highlight("neutron spin", parse("-spin neutron")) == "\ue000neutron\ue001 spin"
    assert highlight("neutron spin", parse("-spin")) is None


def test_suggestions_are_compared_by_unstemmed_folded_words() -> None:
    assert prefix("  Small-Angle  X-ray Scattering ") == "small angle x ray scattering"
    assert prefix("small angle x ray scattering").startswith(prefix("SMALL angle X-ray sc"))


@pytest.mark.parametrize(
    "unit", ["a", "a-", "1.", "ﬃ", "'s", "e\u0301", "\u0301", "中", "\u1100\u1161", '"', "-", "\ufdfa", "\x00", " "]
)
def test_a_megabyte_of_anything_is_read_in_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(fold(unit) or unit))
        begin = time.process_time()
        words(text)
        highlight(text, parse("a 1 中 zzz"))
        return time.process_time() - begin

    seconds(10_000)
    assert seconds(1_000_000) < 100 * max(seconds(100_000), 0.05)
