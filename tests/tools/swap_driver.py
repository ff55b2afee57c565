"""The process that builds an index anew again and again: this file follows the truth between, and dies where it is told to.

It is `pangate rebuild` and the projector of `pangate serve` in one, without their clocks: the same lease, the same line. Each life is a
fork of a process that has imported everything: a line on standard input (swaps, point, visit) begins one, its process id is told, then
its end.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path

from pangate.house import open_house
from pangate.projection import Projection
from pangate.settings import Settings

SWAP = "rebuild: after swap"


def live(swaps: int, kill: str, visit: int, told: Path) -> None:
    """Swap so many times and tell each one; or die at the visit-th time at the point `kill`."""
    seen: Counter[str] = Counter()

    def at(name: str) -> None:
        seen[name] += 1
        if name == SWAP:
            with told.open("a", encoding="ascii") as out:
                out.write("swapped\n")
        if (name, seen[name]) == (kill, visit):
            os.kill(os.getpid(), signal.SIGKILL)

    with open_house(Settings(), write_index=True, repair=True, at=at) as house:
        projection = Projection(house)
        assert projection.take(), "the lease of a killed process is free at once"
        projection.follow()
        for _ in range(swaps):
            projection.renew()
            projection.follow()
        projection.leave()


def tell(number: int) -> None:
    """A line on standard output."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _life(line: str, told: Path) -> int:
    """The life that a line asks for, in a fork; how it ended, as of waitpid."""
    swaps, kill, visit = line.rstrip("\n").split("|")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(2, 1)  # where it tells its log; the numbers are for the test
            live(int(swaps), kill, int(visit), told)
            code = 0
        except BaseException:  # noqa: BLE001 - told, and the parent sees the code
            traceback.print_exc()
        finally:
            os._exit(code)
    tell(child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for asked in sys.stdin:
        tell(_life(asked, Path(sys.argv[1])))
