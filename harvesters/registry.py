"""This file is every kind of source that can be harvested, one line each."""

from __future__ import annotations

from harvesters.icat import Icat
from harvesters.ports import Opener
from harvesters.scicat import SciCat

KINDS: dict[str, Opener] = {
    "scicat": SciCat,
    "icat": Icat,
}
