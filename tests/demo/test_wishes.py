"""The hub's allow-list and what a session finds in its folder."""

import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.notebooks import measurement, notebook
from demo.sessions import furnish
from demo.wishes import ENVIRONMENTS, PROCEDURES, Refused, Wishes, read_wishes

GOOD = {
    "dataset": "10.82001/ds-0042",
    "title": "Magnetism of α-Fe2O3",
    "path": "/data/freya/2026/p-2026-014/raw",
    "procedure": "plot",
    "environment": "python-minimal",
    "launch": "akq3xd7m2",
}
KEYS = [*GOOD, "image", "prologue", "cmd"]


def test_good_options_become_the_sessions_variables() -> None:
    assert read_wishes(GOOD).variables() == {
        "DATASET_PID": GOOD["dataset"],
        "DATASET_TITLE": GOOD["title"],
        "DATASET_PATH": GOOD["path"],
        "PROCEDURE": "plot",
        "ENVIRONMENT_REF": "python-minimal",
        "LAUNCH_ID": GOOD["launch"],
    }


def test_values_from_a_links_query_are_lists_and_mean_the_same() -> None:
    assert read_wishes({key: [value] for key, value in GOOD.items()}) == read_wishes(GOOD)


def test_nothing_asked_is_an_inspection_of_nothing() -> None:
    assert read_wishes({}) == Wishes()
    assert "DATASET_PID" not in Wishes().variables()


@pytest.mark.parametrize(
    "options",
    [
        {"image": "evil"},
        {"procedure": "format-disk"},
        {"environment": "../../etc"},
        {"dataset": "10.1/../../x"},
        {"dataset": "a b"},
        {"dataset": "x" * 300},
        {"dataset": ["a", "b"]},
        {"dataset": []},
        {"dataset": 7},
        {"dataset": None},
        {"path": "relative"},
        {"path": "/data/../etc/shadow"},
        {"path": "/data\n/x"},
        {"launch": "A b"},
        {"title": "two\nlines"},
        {"title": ""},
    ],
)
def test_what_is_not_on_the_list_is_refused_by_name(options: dict[str, object]) -> None:
    with pytest.raises(Refused, match=next(iter(options))):
        read_wishes(options)


values = st.one_of(
    st.text(max_size=40), st.lists(st.text(max_size=10), max_size=2), st.integers(), st.none(), st.binary(max_size=4)
)


@given(st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), values, max_size=6))
def test_any_options_end_as_wishes_or_as_a_refusal(options: dict[str, object]) -> None:
    try:
        wishes = read_wishes(options)
    except Refused:
        return
    for value in wishes.variables().values():
        assert not set(value) & set(map(chr, range(32)))
    assert wishes.procedure in PROCEDURES
    assert wishes.environment in ENVIRONMENTS
    assert read_wishes({key: value for key, value in options.items() if value}) == wishes


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_every_cell_of_a_starter_notebook_runs(
    procedure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = Wishes(dataset="10.82001/ds-0042", path="/nowhere/at/all", procedure=procedure)
    furnish(tmp_path, wishes)
    monkeypatch.chdir(tmp_path)
    for name, value in wishes.variables().items():
        monkeypatch.setenv(name, value)
    written = nbformat.reads((tmp_path / f"{procedure}.ipynb").read_text(), as_version=4)
    nbformat.validate(written)
    scope: dict[str, object] = {}
    code = [cell.source for cell in written.cells if cell.cell_type == "code"]
    exec(code[0], scope)
    assert capsys.readouterr().out == "10.82001/ds-0042\n"
    for source in code[1:]:
        exec(source, scope)


def test_the_descriptor_says_what_the_session_is_for(tmp_path: Path) -> None:
    furnish(tmp_path, read_wishes(GOOD))
    said = json.loads((tmp_path / "dataset.json").read_text())
    assert said == {**{key: value for key, value in GOOD.items() if key != "dataset"}, "pid": GOOD["dataset"]}


def test_work_in_a_session_folder_survives_the_next_start(tmp_path: Path) -> None:
    furnish(tmp_path, read_wishes(GOOD))
    (tmp_path / "plot.ipynb").write_text("mine")
    furnish(tmp_path, read_wishes(GOOD))
    assert (tmp_path / "plot.ipynb").read_text() == "mine"


def test_a_session_without_a_dataset_gets_an_empty_folder(tmp_path: Path) -> None:
    furnish(tmp_path / "new", Wishes())
    assert list((tmp_path / "new").iterdir()) == []


@given(st.text(min_size=1, max_size=30))
def test_a_pid_always_has_the_same_measurement_without_negative_counts(pid: str) -> None:
    assert measurement(pid) == measurement(pid)
    counts = [float(line.split(",")[1]) for line in measurement(pid).splitlines()[1:]]
    assert len(counts) == 700
    assert min(counts) >= 0


def test_titles_stay_text_in_the_notebook() -> None:
    title = 'quotes " and \\ and </script> and ü'
    cells = nbformat.reads(notebook(Wishes(dataset="10.1/x", title=title)), as_version=4).cells
    assert title in cells[0].source
