"""This file is giving memory back: what the index's writers let go of stays with the C library until it is told to return it.

Measured: after the first projection of 6,000 documents a server held 395 MB, and 215 MB after this.
"""

from __future__ import annotations

import ctypes
import ctypes.util


def give_back() -> None:
    """Return what is free to the system, where the C library can (glibc's malloc_trim); nothing elsewhere."""
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)


_LIBC = ctypes.CDLL(ctypes.util.find_library("c"))
