"""This file is the counters of what a process itself has done. Labels are bounded: sources and platforms of the federation file, states."""

from __future__ import annotations

from prometheus_client import Counter

HARVESTS_ENDED = Counter(
    "pangate_harvests_ended", "Harvests that ended, by the state they ended in.", ["source", "state"]
)
LAUNCH_STEPS = Counter("pangate_launch_moves", "Moves of launches into a state, made by this process.", ["state"])
PROJECTED = Counter(
    "pangate_projected_documents", "Documents this process has written to the index or removed from it."
)
INDEX_REFUSED = Counter(
    "pangate_index_refused", "Documents that the search engine could not take; they are kept as rejects."
)
INDEX_RETRIES = Counter(
    "pangate_index_retries",
    "What the search engine was asked or sent again: it was busy (429, 503), silent, or put some documents of a bulk off.",
    ["why"],
)
REBUILDS_ENDED = Counter("pangate_rebuilds_ended", "Rebuilds of the index that ended.", ["outcome"])
LOOPS_FAILED = Counter("pangate_turns_failed", "Turns of this process's loops that failed.", ["loop"])
