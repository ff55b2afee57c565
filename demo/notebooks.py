"""What a demo session begins with: this file is the starter notebook of each procedure and an invented measurement, pure."""

import json
from collections.abc import Sequence
from math import exp
from random import Random
from typing import Any

from demo.wishes import Wishes

_WHO = """import os

print(os.environ["DATASET_PID"])"""

_DESCRIPTOR = """import json
from pathlib import Path

dataset = json.loads(Path("dataset.json").read_text())
dataset"""

_FILES = """from pathlib import Path

place = Path(os.environ.get("DATASET_PATH", "measurement.csv"))
if place.is_dir():
    found = sorted(place.iterdir())
elif place.exists():
    found = [place]
else:
    print(f"{place} is not mounted in the demo; here is an invented measurement instead")
    found = [Path("measurement.csv")]
for file in found[:50]:
    print(f"{file.stat().st_size:>12,}  {file}")"""

_READ = """import csv

with open("measurement.csv") as file:
    rows = list(csv.DictReader(file))
angle = [float(row["angle_deg"]) for row in rows]
counts = [float(row["counts"]) for row in rows]
top = max(counts)
print(f"{len(rows)} points, at most {top:.0f} counts at {angle[counts.index(top)]:.1f} degrees")"""

_DRAW = """from IPython.display import SVG

width, height, left, foot = 720, 320, 60, 40
right, floor, middle = width - 20, height - foot, height / 2
across = [left + (right - left) * (x - angle[0]) / (angle[-1] - angle[0]) for x in angle]
up = [floor - (floor - 20) * y / top for y in counts]
line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up))
SVG(f'''<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"
  font-family="sans-serif" font-size="12" text-anchor="middle">
<polyline points="{left},20 {left},{floor} {right},{floor}" fill="none" stroke="gray"/>
<polyline points="{line}" fill="none" stroke="#0b6e99" stroke-width="1.5"/>
<text x="{width / 2}" y="{height - 8}">scattering angle (degrees)</text>
<text x="16" y="{middle}" transform="rotate(-90 16 {middle})">counts</text>
</svg>''')"""

_CELLS = {"inspect": (_WHO, _DESCRIPTOR, _FILES), "plot": (_WHO, _READ, _DRAW)}
_ABOUT = {"inspect": "What is in this dataset", "plot": "A first plot"}


def notebook(wishes: Wishes) -> str:
    """The starter notebook of a procedure as JSON (nbformat 4.5)."""
    title = wishes.title or wishes.dataset or "a dataset"
    text = f"# {_ABOUT[wishes.procedure]}\n\n{title}\n\nRun the cells with Shift-Enter. The demo has no data: measurement.csv is invented."
    about = _cell(0, "markdown", text)
    cells = [about, *(_cell(n, "code", text) for n, text in enumerate(_CELLS[wishes.procedure], 1))]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False)


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    code: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": f"start-{number}", "metadata": {}, "source": _lines(text), **code}


def _lines(text: str) -> Sequence[str]:
    return text.splitlines(keepends=True)


def measurement(pid: str) -> str:
    """A powder pattern that nobody measured, as CSV; always the same one for a PID."""
    chance = Random(pid)  # noqa: S311 science, not secrecy
    peaks = [(chance.uniform(15, 75), chance.uniform(200, 2_000), chance.uniform(0.15, 0.5)) for _ in range(7)]
    rows = ["angle_deg,counts"]
    for step in range(700):
        angle = 10 + step * 0.1
        height = 40 + sum(top * exp(-(((angle - at) / wide) ** 2)) for at, top, wide in peaks)
        rows.append(f"{angle:.1f},{max(0.0, chance.gauss(height, height**0.5)):.0f}")
    return "\n".join(rows) + "\n"
