"""The federation files of the repository hold, and a wrong one is told with line, path and what to do."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from string import Template

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import Misconfigured
from schema.federation import Delegation, Federation, RecordRule, read_federation
from schema.pids import normal_ror

ROOT = Path(__file__).resolve().parents[2]
SEEDS = read_federation((ROOT / "federation.yaml").read_text(encoding="utf-8"))

GOOD = """\
facilities:
  - id: north
    name: North
    prefixes: ["10.5555"]
    records: by-release
    groups:
      - { claim: groups, pattern: 'north-(.+)', group: '\\1' }
    sources:
      - id: main
        kind: scicat
        url: https://scicat.north.example/api/v3/
        interval: 90 min
    triggers:
      - id: hub
        kind: jupyterhub
        url: https://hub.north.example
        login: { token: NORTH_TOKEN }
        options: { title: '.+' }
        procedures:
          - { id: plot, name: Plot }
        paths:
          - { from: /store/, to: /data/ }
        limits: { lifetime: 4 h }
"""


def faults(text: str, name: str = "federation.yaml") -> list[str]:
    """What is said about a wrong file, one sentence a fault."""
    with pytest.raises(Misconfigured) as told:
        read_federation(text, name)
    return str(told.value).splitlines()


def changed(line: str, to: str) -> str:
    """GOOD with one line replaced; the line must be there."""
    assert GOOD.count(line) == 1, line
    return GOOD.replace(line, to)


def line_of(text: str, piece: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if piece in line)


def test_the_seed_federation_names_six_facilities_and_switches_all_of_them_off() -> None:
    assert [each.shortName for each in SEEDS.facilities] == ["CERIC-ERIC", "ELI", "ESS", "ESRF", "ILL", "European XFEL"]
    assert not any(each.enabled for each in SEEDS.facilities)
    assert SEEDS.sources() == {}
    assert SEEDS.triggers() == {}


def test_every_seed_facility_has_a_catalogue_reached_by_https_only() -> None:
    for facility in SEEDS.facilities:
        assert facility.sources, facility.id
        for place in (*facility.sources, *facility.triggers):
            assert place.url.startswith("https://"), place
            assert not place.allowPrivateAddress


def test_a_ror_in_the_seed_federation_has_a_sound_checksum() -> None:
    rors = [each.ror for each in SEEDS.facilities if each.ror is not None]
    assert len(rors) >= 4
    assert [normal_ror(each) for each in rors] == rors


def test_no_seed_holds_the_value_of_a_secret() -> None:
    for facility in SEEDS.facilities:
        for place in (*facility.sources, *facility.triggers):
            for name in (place.login.password, place.login.token) if place.login else ():
                assert name is None or re.fullmatch(r"[A-Z][A-Z0-9_]+", name), "the name of a variable, never a value"


def test_the_demos_federation_holds_once_its_ports_are_filled_in() -> None:
    text = (ROOT / "demo" / "federation.yaml").read_text(encoding="utf-8")
    ports = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "8123")
    demo = read_federation(Template(text).substitute(ports))
    assert set(demo.sources()) == {"freya/scicat", "skadi/icat"}
    assert set(demo.triggers()) == {"freya/hub", "skadi/hub"}


def test_what_is_left_out_has_the_documented_value() -> None:
    facility = read_federation(
        "facilities: [{id: a, name: A, sources: [{id: b, kind: icat, url: 'https://x.example'}]}]"
    )
    (source,) = facility.facilities[0].sources
    assert (source.interval, source.full, source.rate) == (timedelta(hours=6), timedelta(days=7), 2.0)
    assert facility.facilities[0].records is RecordRule.SOURCE
    assert facility.facilities[0].enabled
    assert not source.allowPrivateAddress


def test_a_good_file_is_read_as_it_is_written() -> None:
    (facility,) = read_federation(GOOD).facilities
    assert facility.records is RecordRule.BY_RELEASE
    assert facility.sources[0].url == "https://scicat.north.example/api/v3"
    assert facility.sources[0].interval == timedelta(minutes=90)
    assert facility.triggers[0].delegation is Delegation.SERVICE
    assert (facility.triggers[0].paths[0].from_, facility.triggers[0].paths[0].to) == ("/store/", "/data/")
    assert facility.triggers[0].limits.lifetime == timedelta(hours=4)


def test_what_is_switched_off_is_not_among_sources_and_triggers() -> None:
    off = changed("        interval: 90 min", "        enabled: false")
    assert read_federation(off).sources() == {}
    assert set(read_federation(off).triggers()) == {"north/hub"}
    all_off = changed("    name: North", "    name: North\n    enabled: false")
    assert read_federation(all_off).triggers() == {}
    assert read_federation(all_off).facility("north") is not None


def test_a_kind_that_nobody_knows_yet_is_no_fault_of_the_file() -> None:
    assert read_federation(changed("kind: scicat", "kind: oaipmh")).sources()["north/main"][1].kind == "oaipmh"


WRONG = [
    ("    name: North", "    title: North", "facilities[0].name", "missing"),
    ("    name: North", "    name: North\n    colour: red", "facilities[0].colour", "check its spelling"),
    ("  - id: north", "  - id: North_1", "facilities[0].id", "pattern"),
    ("    records: by-release", "    records: everybody", "facilities[0].records", "'source', 'public' or 'by-release'"),
    ("    prefixes: [\"10.5555\"]", "    prefixes: 10.5555", "facilities[0].prefixes", "valid tuple"),
    ("        kind: scicat", "        king: scicat", "facilities[0].sources[0].kind", "missing"),
    ("        interval: 90 min", "        interval: sometimes", "facilities[0].sources[0].interval", "15 min"),
    ("        interval: 90 min", "        interval: 3 weeks", "facilities[0].sources[0].interval", "s, min, h or d"),
    ("        interval: 90 min", "        rate: 0", "facilities[0].sources[0].rate", "greater than 0"),
    ("        interval: 90 min", "        pageSize: 0", "facilities[0].sources[0].pageSize", "greater than or equal to 1"),
    ("        interval: 90 min", "        enabled: maybe", "facilities[0].sources[0].enabled", "boolean"),
    ("        interval: 90 min", "        login: { secret: x }", "facilities[0].sources[0].login.secret", "check its spelling"),
    ("        interval: 90 min", "        login: { method: msad }", "facilities[0].sources[0].login.method", "'local' or 'ldap'"),
    ("url: https://scicat.north.example/api/v3/", "url: scicat.north.example", "facilities[0].sources[0].url", "https://"),
    ("url: https://scicat.north.example/api/v3/", "url: ftp://north.example", "facilities[0].sources[0].url", "https://"),
    ("url: https://scicat.north.example/api/v3/", "url: https://me:pw@north.example", "facilities[0].sources[0].url", "no user name"),
    ("url: https://hub.north.example", "url: 'https://hub north.example'", "facilities[0].triggers[0].url", "blank"),
    ("pattern: 'north-(.+)'", "pattern: 'north-('", "facilities[0].groups[0]", "no regular expression"),
    ("        login: { token: NORTH_TOKEN }", "        delegation: B", "facilities[0].triggers[0].delegation", "'exchange' or 'none'"),
    ("          - { id: plot, name: Plot }", "          - { id: plot }", "facilities[0].triggers[0].procedures[0].name", "missing"),
    ("          - { from: /store/, to: /data/ }", "          - { to: /data/ }", "facilities[0].triggers[0].paths[0].from", "missing"),
    ("        limits: { lifetime: 4 h }", "        limits: { open: 0 }", "facilities[0].triggers[0].limits.open", "greater than or equal"),
    ("        limits: { lifetime: 4 h }", "        limits: { lifetime: -4 h }", "facilities[0].triggers[0].limits.lifetime", "15 min"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "to", "path", "remedy"), WRONG, ids=[f"{path}: {to.strip()}" for _, to, path, _ in WRONG]
)
def test_a_wrong_value_is_told_with_line_path_and_remedy(line: str, to: str, path: str, remedy: str) -> None:
    text = changed(line, to)
    told = next((fault for fault in faults(text) if f": {path}:" in fault), None)
    assert told is not None, faults(text)
    assert remedy in told
    found = re.match(r"federation\.yaml, line (\d+): ", told)
    assert found is not None
    first = line_of(text, to.splitlines()[-1].strip())
    parents = range(1, first + 1)
    assert int(found[1]) in parents
    if "missing" not in told and "regular" not in told:
        assert int(found[1]) == first, told


def test_a_missing_key_is_told_at_the_entry_that_lacks_it() -> None:
    text = changed("        kind: scicat\n", "")
    assert faults(text) == [
        f"federation.yaml, line {line_of(text, 'id: main')}: facilities[0].sources[0].kind: this key is missing; add it."
    ]


def test_all_faults_are_told_at_once() -> None:
    text = changed("    name: North", "    title: North").replace("kind: scicat", "kinds: scicat")
    assert len(faults(text)) == 4


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("", 1, "must hold `facilities:`"),
        ("- a\n- b\n", 1, "must hold `facilities:`"),
        ("just words", 1, "must hold `facilities:`"),
        ("facilities:\n  - id: [\n", 3, "Mend the indentation or quoting"),
        ("facilities:\n\t- id: a\n", 2, "Mend the indentation or quoting"),
        ("facilities: {a: 1}\n", 1, "facilities"),
        ("facilities:\n  - north\n", 2, "facilities[0]"),
    ],
)
def test_what_is_no_federation_at_all_is_told_in_words(text: str, line: int, remedy: str) -> None:
    (told,) = faults(text)
    assert f"line {line}" in told
    assert remedy in told


def test_two_of_one_name_are_told() -> None:
    twice = GOOD + GOOD.removeprefix("facilities:\n")
    assert "two facilities are called north; give each its own id" in faults(twice)[0]
    source = "      - id: main\n        kind: scicat\n        url: https://a.example\n"
    again = changed("    triggers:\n", source + "    triggers:\n")
    assert "two sources are called main" in faults(again)[0]


def test_a_key_written_twice_is_told_instead_of_half_ignored() -> None:
    text = changed("        interval: 90 min\n", "        interval: 90 min\n        interval: 6 h\n")
    line = line_of(text, "interval: 6 h")
    assert faults(text) == [f"federation.yaml, line {line}: interval: this key is written twice here; keep one."]


def test_the_files_own_name_is_in_the_message() -> None:
    assert faults("", "/etc/pangate/ours.yaml")[0].startswith("/etc/pangate/ours.yaml, line 1: ")


def test_yaml_that_would_make_objects_is_refused() -> None:
    assert "Mend" in faults("facilities: !!python/object/apply:os.system ['true']\n")[0]


@given(st.text(max_size=200) | st.recursive(st.text(max_size=5), lambda each: st.lists(each), max_leaves=9).map(str))
def test_any_text_is_a_federation_or_a_told_fault(text: str) -> None:
    try:
        assert isinstance(read_federation(text), Federation)
    except Misconfigured as error:
        told = error.message
    else:
        return
    assert told.startswith("federation.yaml")
