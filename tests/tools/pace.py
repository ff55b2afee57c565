"""This file is how slow the processor is just now: what must not take too much of it is held to what the same work takes elsewhere."""

import time

from graphql import parse

_TEXT = "{" + "a " * 400 + "}"
_USUAL_S = 0.005


def slowness() -> float:
    """How many times as long as usual the processor takes just now (its other thread, another machine's guest, an older machine): a parse
    of 5 ms tells. At least 1."""
    before = time.thread_time()
    parse(_TEXT)
    return max(1.0, (time.thread_time() - before) / _USUAL_S)
