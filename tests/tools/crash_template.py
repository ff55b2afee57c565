"""What a killed life begins from: this file is a process that has imported and warmed what a driver needs, and forks for each plan.

It reads a line for each plan (pickle, in hexadecimal) and answers with the number of the process, then with its exit code, a line each.
One life at a time; no threads, since a fork would not have them.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys

import crash_driver

from schema.units import si


def serve() -> None:
    """Answer until nobody asks any more."""
    si(1.0, "furlong")  # pint reads its table of units at the first unit that is not ours: half a second of each life
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        plan = pickle.loads(bytes.fromhex(line))
        child = os.fork()
        if child == 0:
            crash_driver.main(plan)
        print(child, file=answers, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    serve()
