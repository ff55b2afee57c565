"""Set-ups that are broken as set-ups break: the doctor names what is wrong in plain words, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from pangate.doctor import Finding, _unknown, examine

GOOD = """facilities:
  - id: ess
    name: ESS
    sources:
      - {id: scicat, kind: scicat, url: "http://127.0.0.1:9/api/v3", allowPrivateAddress: true, rate: null}
"""
LOGIN = "allowPrivateAddress: true, login: {username: u, password: ESS_PASS}"
HUB = """    triggers:
      - {id: hub, kind: jupyterhub, url: "http://127.0.0.1:9", allowPrivateAddress: true, login: {token: HUB_TOKEN}}
"""


class Case(NamedTuple):
    """A set-up and what is said of it: where, and words of the trouble and of the remedy."""

    file: str | None
    what: str
    words: tuple[str, ...]
    environment: dict[str, str] = {}  # noqa: RUF012  never changed
    ask: bool = False


CASES = {
    "no file": Case(None, "federation file", ("cannot be read", "No such file", "set PANGATE_FEDERATION")),
    "no YAML": Case(GOOD + "   x", "federation file", ("line 6", "not readable as YAML", "Mend the indentation")),
    "a key that is not known": Case(
        GOOD.replace("name:", "nmae:"), "federation file", ("line 3", "nmae", "check its spelling")
    ),
    "a key that is missing": Case(GOOD.replace("    name: ESS\n", ""), "federation file", ("name", "missing; add it")),
    "a kind that is not there": Case(GOOD.replace("kind: scicat", "kind: scikat"), "ess/scicat", ("scikat", "scicat, icat")),
    "a secret that is not set": Case(
        GOOD.replace("allowPrivateAddress: true", LOGIN), "ess/scicat", ("ESS_PASS", "put it into the environment")
    ),
    "a source that is down": Case(
        GOOD, "ess/scicat", ("did not answer", "See that it runs", "correct its url"), ask=True
    ),
    "a private address": Case(
        GOOD.replace("http://127.0.0.1:9", "https://localhost:9").replace(", allowPrivateAddress: true", ""),
        "ess/scicat",
        ("private address", "set allowPrivateAddress"),
        ask=True,
    ),
    "a hub that is down": Case(
        GOOD + HUB, "ess/hub", ("does not answer", "correct its apiUrl (or url)"), {"HUB_TOKEN": "x"}, ask=True
    ),
    "a port that is none": Case(GOOD, "settings", ("PANGATE_PORT", "whole number"), {"PANGATE_PORT": "80a"}),
    "a public address without https": Case(
        GOOD, "settings", ("PANGATE_URL must be https",), {"PANGATE_URL": "http://pan.example.org"}
    ),
    "sign-in without a client": Case(
        GOOD,
        "settings",
        ("PANGATE_OIDC_CLIENT_ID must be set too",),
        {"PANGATE_OIDC_ISSUER": "https://id.example.org"},
    ),
    "an identity provider that is down": Case(
        GOOD.replace("name: ESS", "name: ESS\n    enabled: false"),
        "sign-in",
        ("identity provider",),
        {
            "PANGATE_OIDC_ISSUER": "http://127.0.0.1:9",
            "PANGATE_OIDC_CLIENT_ID": "x",
            "PANGATE_OIDC_CLIENT_SECRET": "x",
        },
        ask=True,
    ),
    "a database that is a letter": Case(
        GOOD, "stores", ("not a database", "correct PANGATE_DATABASE"), {"PANGATE_DATABASE": "sqlite:///{letter}"}
    ),
    "a database server that is down": Case(
        GOOD,
        "stores",
        ("refused", "See that it is there", "correct PANGATE_DATABASE"),
        {"PANGATE_DATABASE": "postgresql://u@127.0.0.1:9/x"},
    ),
    "Elasticsearch that is down": Case(
        GOOD, "stores", ("does not answer", "See that it runs"), {"PANGATE_INDEX": "http://127.0.0.1:9"}
    ),
    "a broker on one machine": Case(
        GOOD, "broker", ("PANGATE_DATABASE must be postgresql",), {"PANGATE_BROKER": "redis://127.0.0.1:9"}
    ),
    "an ontology that is not there": Case(
        GOOD, "stores", ("PANGATE_VOCABULARY", "No such file"), {"PANGATE_VOCABULARY": "/nowhere/panet.owl"}
    ),
}  # fmt: skip


def test_every_setting_that_is_documented_is_known_to_the_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operator.md").read_text("utf-8")
    names = set(re.findall(r"`(PANGATE_\w+)`", page))
    secrets = {name for name in names if name.endswith(("PASSWORD", "SECRET", "API_KEY"))}
    assert len(secrets) >= 6
    for name in (*names, *(f"{secret}_FILE" for secret in secrets)):
        monkeypatch.setenv(name, "x")
    assert list(_unknown()) == []


def examined(
    case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str] | None = None
) -> list[Finding]:
    file, letter = folder / "federation.yaml", folder / "letter.txt"
    letter.write_text("This is a letter, not a database, and it is long enough to be read as one. " * 9)
    if case.file is not None:
        file.write_text(case.file)
    set_up = {"PANGATE_FEDERATION": str(file), "PANGATE_DATA": str(folder / "data"), **case.environment}
    for name, value in {**set_up, **(environment or {})}.items():
        monkeypatch.setenv(name, value.replace("{letter}", str(letter)))
    return list(examine(case.ask))


@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_is_named_with_its_remedy(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    found = examined(case, tmp_path, monkeypatch)
    faults = [each for each in found if each.grade == "fault"]
    assert any(each.what == case.what and all(word in each.message for word in case.words) for each in faults), faults
    for each in found:
        assert "\n" not in each.message
        assert not any(word in each.message for word in ("Traceback", "Errno", "Error(", "object at 0x", "Exception"))


def test_a_sound_set_up_has_no_fault_and_a_setting_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"PANGATE_INDX": "x", "PANGATE_INDEX_PASSWORD": "y"}
    found = examined(Case(GOOD, "", ()), tmp_path, monkeypatch, environment)
    assert [each for each in found if each.grade == "fault"] == []
    told = [each.message for each in found if each.what == "settings" and each.grade == "warning"]
    assert told == ["PANGATE_INDX is set, and there is no such setting. Is PANGATE_INDEX meant?"]
    assert "1 facility is switched on (ess), 0 are not." in [each.message for each in found]
