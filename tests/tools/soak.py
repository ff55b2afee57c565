"""How much the suites do: the short form that CI has time for, the long one of `make soak`, or a piece as long as the environment says.

PANGATE_SOAK=1 chooses the long form, PANGATE_SEED what is made up (2026); the variable that names how many is each suite's own
(docs/soak.md has them all). PANGATE_ALONE=1 says that nobody else works on this machine: then what must be quick is held to the clock,
and not to the processor's time. PANGATE_EVIDENCE names the folder that gets what was run and seen (reliability reference, section 9).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

SOAK = bool(os.environ.get("PANGATE_SOAK"))
ALONE = bool(os.environ.get("PANGATE_ALONE"))
SEED = int(os.environ.get("PANGATE_SEED") or 2026)


def how_many(name: str, short: int, long: int) -> int:
    """So many as that variable of the environment says, else as the form that was chosen has."""
    return int(os.environ.get(name) or (long if SOAK else short))


def keep(name: str, told: Mapping[str, object]) -> None:
    """Write what a run showed, where somebody wants to have it."""
    if folder := os.environ.get("PANGATE_EVIDENCE"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.json").write_text(json.dumps({"seed": SEED, **told}, indent=1) + "\n")
