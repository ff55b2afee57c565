"""The dashboard and the page about the second profile name figures that processes really tell, with the labels they have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, Gauge

import gateway.app
import pangate.figures
import pangate.tally

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "docs" / "operations"
ROOMS = (gateway.app, pangate.figures, pangate.tally)  # whose import registers their figures


def told() -> set[str]:
    """Every name a process of ours writes at /metrics."""
    return {name for name in REGISTRY._names_to_collectors if name.startswith("pangate_")}


def expressions() -> list[str]:
    board = json.loads((OPERATIONS / "dashboard.json").read_text("utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_every_panel_asks_for_figures_that_exist() -> None:
    asked = {name for expression in expressions() for name in re.findall(r"pangate_\w+", expression)}
    assert len(asked) >= 12
    assert asked <= told(), asked - told()


@pytest.mark.parametrize("expression", expressions())
def test_a_panel_groups_by_labels_that_the_figure_has(expression: str) -> None:
    for labels in re.findall(r"by \(([^)]*)\)", expression):
        for name in re.findall(r"pangate_\w+", expression):
            collector = REGISTRY._names_to_collectors[name]
            wanted = {label.strip() for label in labels.split(",")} - {"le"}
            assert wanted <= set(collector._labelnames), (name, wanted)  # type: ignore[attr-defined]


@pytest.mark.parametrize("expression", expressions())
def test_a_gauge_that_one_process_measures_is_shown_as_that_one_tells_it(expression: str) -> None:
    """Every other process tells 0 of it, as it tells a gauge without labels from its start."""
    for name in re.findall(r"pangate_\w+", expression):
        if isinstance(REGISTRY._names_to_collectors[name], Gauge):
            assert re.match(r"max(?: by \([^)]*\) )?\(", expression), expression


def test_the_page_names_figures_that_exist() -> None:
    page = (OPERATIONS / "second-profile.md").read_text("utf-8")
    assert set(re.findall(r"`(pangate_\w+)", page)) <= told()


def test_no_label_can_grow_without_bound() -> None:
    bounded = {
        "source",
        "state",
        "queue",
        "kind",
        "outcome",
        "loop",
        "method",
        "route",
        "status",
        "operation",
        "code",
        "reason",
        "why",
    }
    for name in told():
        collector = REGISTRY._names_to_collectors[name]
        assert set(getattr(collector, "_labelnames", ())) <= bounded, name
