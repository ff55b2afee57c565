"""This file is the mark before a sentence that pangate made itself, and how a sentence that comes back is known by it."""

from __future__ import annotations

import re

MARK = "[Sentence made by the catalogue; the source gives no description.]"
_MARKED = re.compile(r"\s+".join(map(re.escape, MARK.split())), re.IGNORECASE)


def unmarked(text: str) -> str | None:
    """The text up to the mark, since what follows it is ours: of a source that took our sentence for a description nothing is left."""
    if "[" not in text:
        return text
    found = _MARKED.search(text)
    return text if found is None else text[: found.start()].strip() or None
