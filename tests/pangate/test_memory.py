"""Memory as a process of pangate has it; looked at in a process of its own, since it is a setting of the interpreter."""

from __future__ import annotations

import subprocess
import sys

import msgspec
from parted_house import ROOT

ASKED = """
import gc, msgspec, sys
from pangate import cli, memory
sys.argv = ["pangate", "--help"]
try:
    cli.main()
except SystemExit:
    pass
class Loop:
    pass
def loop():
    one = Loop()
    one.itself = one
before, frozen = gc.get_stats()[0]["collections"], gc.get_freeze_count()
for _ in range(20_000):
    loop()
between = gc.get_stats()[0]["collections"] - before
for _ in range(200_000):
    loop()
left = sum(isinstance(one, Loop) for one in gc.get_objects())
sys.stderr.write(msgspec.json.encode({"frozen": frozen, "between": between, "left": left}).decode())
"""


def test_cycles_are_looked_for_seldom_but_are_found_and_never_among_what_was_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    told = msgspec.json.decode(done.stderr)
    assert told["frozen"] > 100_000
    assert told["between"] == 0
    assert told["left"] < 60_000, "what is in a cycle and unused does not stay for ever"
