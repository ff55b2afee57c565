"""Each kind of test runs alone by its marker: every marker is used, and those that outsiders rely on are there."""

from __future__ import annotations

import re
import tomllib

from house.houses import ROOT

PROMISED = {
    *("elasticsearch", "postgresql", "redis", "rabbitmq", "jupyterhub", "browser", "oidc", "crash", "two_worlds"),
}


def test_every_marker_marks_something_and_the_promised_ones_are_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    declared = {line.partition(":")[0] for line in settings["markers"]}
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    used = set(re.findall(r"pytest\.mark\.(\w+)", text))
    assert declared >= PROMISED
    assert declared <= used, f"nothing is marked {sorted(declared - used)}"
