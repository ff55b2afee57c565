"""Names of records: every spelling of one name comes to the same, and any foreign id becomes a name that survives."""

from urllib.parse import quote, unquote, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pids import (
    LOCAL_LENGTH,
    is_doi,
    normal,
    normal_doi,
    normal_handle,
    normal_orcid,
    normal_ror,
    pid_of,
    prefix_of,
)

ANY = st.text(st.characters(codec=None), max_size=100)
NASTY = st.text(st.sampled_from(list("ab/.%~\\ \x00?#:&+é\ud800\u202e2F\n")), max_size=30)
SPELLING = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(
            ["", "doi:", "DOI: ", "https://doi.org/", "http://dx.doi.org/", "hdl:", "https://hdl.handle.net/"]
        ),
        st.sampled_from(["10.5442", "10.5442.1", "20.500.12269", "21.t11148", "11148", "2024"]),
        st.sampled_from(["/", "%2F", "%2f", "%252F"]),
        st.sampled_from(["nd000001", "ND(1)", "a%20b", "a/b", "x)", "é", "%", "..", "<a>"]) | NASTY,
        st.sampled_from(["", ".", ")", " ", "?a=b", "#c", "/"]),
    ),
)
TEXTS = ANY | NASTY | SPELLING


@pytest.mark.parametrize(
    "spelling",
    [
        "10.5442/nd000001",
        "10.5442/ND000001",
        "doi:10.5442/nd000001",
        "DOI:10.5442/ND000001",
        "DOI 10.5442/ND000001",
        "doi: https://doi.org/10.5442/nd000001",
        "https://doi.org/10.5442/nd000001",
        "http://dx.doi.org/10.5442/nd000001",
        "https://www.doi.org/10.5442/nd000001?locatt=mode:legacy",
        "https://doi.org/10.5442%2Fnd000001#top",
        "https://doi.org/10.5442%252Fnd000001",
        "10.5442%2FND000001",
        "doi.org/10.5442/nd000001",
        "//doi.org/10.5442/nd000001",
        "info:doi/10.5442/nd000001",
        "urn:doi:10.5442/nd000001",
        "hdl:10.5442/nd000001",
        "https://hdl.handle.net/10.5442/nd000001",
        "https://doi.esrf.fr/10.5442/nd000001",
        "(10.5442/nd000001).",
        " <https://doi.org/10.5442/nd000001>, ",
        "https://doi.org/10.5442/nd000001/",
    ],
)
def test_every_spelling_of_a_doi_is_the_same_doi(spelling: str) -> None:
    assert normal_doi(spelling) == "10.5442/nd000001"
    assert normal(spelling) == "10.5442/nd000001"
    assert pid_of("hzb", "dataset", "7", ["", "nonsense", spelling]) == "10.5442/nd000001"


@pytest.mark.parametrize(
    "text",
    ["", "10.5442", "10.5442/", "10.54/x", "11.5442/x", "10.5442/a b", "10.5442/a\x00", "a10.5442/x", "https://x.org/10.5442/a",
     "10.٥٤٤٢/x", "10.5442/" + "a" * 5_000, "https://doi.org/10.5442/a%00b", "20.500.12269/x", "10.5442/a\ud800"],
)  # fmt: skip
def test_what_only_looks_like_a_doi_is_none(text: str) -> None:
    assert normal_doi(text) is None


def test_brackets_that_belong_to_a_doi_stay() -> None:
    assert normal_doi("(see 10.1016/s0022(98)80040-0)".removeprefix("(see ")) == "10.1016/s0022(98)80040-0"
    assert normal_doi("https://doi.org/10.1002/(SICI)1096%3C1::AID-X%3E3.0") == "10.1002/(sici)1096<1::aid-x>3.0"


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("20.500.12269/Abc-1", "20.500.12269/Abc-1"),
        ("hdl:20.500.12269/Abc-1", "20.500.12269/Abc-1"),
        ("https://hdl.handle.net/20.500.12269/Abc-1?noredirect", "20.500.12269/Abc-1"),
        ("21.t11148/x", "21.T11148/x"),
        ("hdl:11148/x", "hdl:11148/x"),
        ("http://hdl.handle.net/11148/x", "hdl:11148/x"),
        ("2024/run7", None),
        ("11148/x", None),
        ("10.5442/nd000001", None),
        ("20.500.12269", None),
        ("PID.SAMPLE.PREFIX/desy_ds1", None),
    ],
)
def test_handles_are_told_from_paths_that_look_like_them(text: str, handle: str | None) -> None:
    assert normal_handle(text) == handle


def test_a_doi_is_preferred_to_a_handle_and_a_handle_to_a_local_name() -> None:
    assert pid_of("ess", "dataset", "x", ["20.500.12269/a", "doi:10.17199/B"]) == "10.17199/b"
    assert pid_of("ess", "dataset", "x", ["20.500.12269/a"]) == "20.500.12269/a"
    assert pid_of("ess", "dataset", "x", []) == "ess/dataset/x"


@pytest.mark.parametrize(
    ("id_", "pid"),
    [
        ("123456789", "f/dataset/123456789"),
        ("PID.SAMPLE.PREFIX/desy_ds1", "f/dataset/PID.SAMPLE.PREFIX/desy_ds1"),
        ("/PSI/SLS/TOMCAT", "f/dataset/~/PSI/SLS/TOMCAT"),
        ("a b%2Fc?d#e~", "f/dataset/a~20b~252Fc~3Fd~23e~7E"),
        ("../../etc", "f/dataset/~2E./~2E./etc"),
        ("a//b/", "f/dataset/a/~/b/~"),
        ("", "f/dataset/~"),
        ("\x00\n", "f/dataset/~00~0A"),
        ("é", "f/dataset/~C3~A9"),
        ("IGSN:TPF0A", "f/dataset/IGSN:TPF0A"),
    ],
)
def test_a_local_name_keeps_what_is_harmless_and_escapes_the_rest(id_: str, pid: str) -> None:
    assert pid_of("f", "dataset", id_, []) == pid


@given(TEXTS)
def test_a_local_name_survives_a_url_path_and_a_browser(id_: str) -> None:
    pid = pid_of("f", "dataset", id_, [])
    url = urljoin("https://gate.example/", "/dataset/" + quote(pid, safe="/"))
    assert unquote(url.removeprefix("https://gate.example/dataset/")) == pid
    assert pid.isascii()
    assert pid.isprintable()
    assert not {"", ".", ".."} & set(pid.split("/"))


@given(TEXTS, TEXTS)
def test_different_ids_have_different_names(one: str, other: str) -> None:
    assert (pid_of("f", "d", one, []) == pid_of("f", "d", other, [])) == (one == other)


@pytest.mark.parametrize("end", ["a", "é", "/", ".", "~"])
def test_a_very_long_id_becomes_a_bounded_name_of_its_own(end: str) -> None:
    names = {pid_of("f", "d", end * size, []) for size in (251, 252, 253, 254, 255, 256, 257, 511, 513, 4_096, 4_097)}
    assert len(names) == 11
    assert max(map(len, names)) <= LOCAL_LENGTH + 4
    assert all(normal(name) == name for name in names)


def test_a_local_name_never_passes_for_a_doi() -> None:
    assert not is_doi(pid_of("10.5442", "nd", "x", []))
    assert normal_doi(pid_of("10.5442", "nd", "x", [])) is None


@given(TEXTS, TEXTS)
def test_the_pid_of_a_record_is_its_own_normal_form(candidate: str, id_: str) -> None:
    pid = pid_of("esrf", "dataset", id_, [candidate])
    assert normal(pid) == pid
    assert prefix_of(pid) is None or prefix_of(pid) in pid


@given(TEXTS)
def test_normal_forms_are_normal(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    for spelling in (normal_doi, normal_handle, normal_orcid, normal_ror):
        found = spelling(text)
        assert found is None or spelling(found) == found


@given(SPELLING)
def test_a_text_is_never_both_doi_and_handle(text: str) -> None:
    assert normal_doi(text) is None or normal_handle(text) is None


def test_the_prefix_of_a_pid_is_its_registrants() -> None:
    assert prefix_of("10.5442/nd000001") == "10.5442"
    assert prefix_of("20.500.12269/x") == "20.500.12269"
    assert prefix_of("hdl:11148/x") == "11148"
    assert prefix_of("esrf/dataset/10") is None


@pytest.mark.parametrize(
    "spelling",
    ["0000-0002-1825-0097", "0000000218250097", "https://orcid.org/0000-0002-1825-0097", "orcid.org/0000-0002-1825-0097/",
     "http://www.orcid.org/0000-0002-1825-0097", "ORCID:0000-0002-1825-0097", " orcid 0000-0002-1825-0097 "],
)  # fmt: skip
def test_every_spelling_of_an_orcid_is_the_same(spelling: str) -> None:
    assert normal_orcid(spelling) == "0000-0002-1825-0097"


def test_an_orcid_may_end_in_x_and_its_check_digit_is_checked() -> None:
    assert normal_orcid("0000-0002-1694-233x") == "0000-0002-1694-233X"
    assert normal_orcid("0000-0002-1825-0098") is None
    assert normal_orcid("0000-0002-1825-00") is None
    assert normal_orcid("٠٠٠٠-0002-1825-0097") is None


@pytest.mark.parametrize("spelling", ["02aj13c28", "https://ror.org/02AJ13C28", "ror.org/02aj13c28/", "ROR:02aj13c28"])
def test_every_spelling_of_a_ror_is_the_same(spelling: str) -> None:
    assert normal_ror(spelling) == "https://ror.org/02aj13c28"


@pytest.mark.parametrize("text", ["", "02aj13c29", "12aj13c28", "02aj13c2", "02ai13c28", "https://grid.ac/02aj13c28"])
def test_what_is_no_ror_is_none(text: str) -> None:
    assert normal_ror(text) is None
