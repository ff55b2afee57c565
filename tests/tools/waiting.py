"""This file is how tests wait for what somebody else does: for the thing itself, and never a time that should be enough."""

import time
from collections.abc import Callable
from typing import Any


def until(happened: Callable[[], Any], seconds: float = 120, about: Callable[[], str] = str) -> Any:
    """Wait for a condition and give its value; `about` tells what may be the reason when it does not come. The time is no promise of
    anybody's: it is long, since it passes only where something is wrong, or the machine is busy with others."""
    end = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < end, f"it did not happen in {seconds:.0f} s. {about()[-4000:]}"
        time.sleep(0.1)
    return value
