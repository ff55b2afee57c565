"""This file is what the states of things are called on a page, in plain words: access, freshness, launches, relations."""

from __future__ import annotations

import msgspec

from gateway.portal.words import day
from schema.access import Access
from schema.activities import LaunchState
from schema.records import Dataset

ACCESS = {
    "OPEN": "Open",
    "EMBARGOED": "Under embargo",
    "CLOSED": "Closed",
    "METADATA_ONLY": "Description only",
}
FRESHNESS = {
    "FRESH": "up to date",
    "STALE": "not up to date",
    "FAILING": "not answering at present",
    "NEVER": "not harvested yet",
}
SORTS = {
    "RELEVANCE": "Best match",
    "NEWEST": "Newest first",
    "OLDEST": "Oldest first",
    "RELEASED": "Latest released",
    "TITLE": "Title",
}
RELATIONS = {
    "IsDerivedFrom": "Derived from",
    "IsSourceOf": "Source of",
    "IsCitedBy": "Cited by",
    "Cites": "Cites",
    "References": "Refers to",
    "IsReferencedBy": "Referred to by",
    "IsDocumentedBy": "Described in",
    "IsSupplementTo": "Supplement to",
    "IsPartOf": "Part of",
    "HasPart": "Has part",
    "IsVersionOf": "Version of",
    "IsNewVersionOf": "Newer version of",
    "IsPreviousVersionOf": "Earlier version of",
}


class Step(msgspec.Struct, frozen=True):
    """What a launch's state is called, how far along it is (0 to 4), and its colour (calm, good, bad)."""

    title: str
    place: int
    tone: str = "calm"


_S = LaunchState
STEPS = {
    _S.REQUESTED: Step("Asked for", 0),
    _S.CHECKED: Step("Checked", 1),
    _S.AWAITING_USER: Step("Waiting for you", 1),
    _S.PREPARING: Step("Preparing the environment", 2),
    _S.QUEUED: Step("Waiting for a free place", 2),
    _S.STARTING: Step("Starting", 3),
    _S.READY: Step("Ready", 4, "good"),
    _S.OPENED: Step("Running", 4, "good"),
    _S.STOPPING: Step("Being ended", 4),
    _S.STOPPED: Step("Ended", 4),
    _S.FAILED: Step("Failed", 4, "bad"),
    _S.EXPIRED: Step("Ended: its time was over", 4),
    _S.LOST: Step("Gone", 4, "bad"),
    _S.UNKNOWN: Step("The site does not answer at present", 3),
    _S.HANDED_OFF: Step("Handed to the site", 4, "good"),
}
STAGES = ("Asked for", "Checked", "Prepared", "Starting", "Ready")


def access_of(dataset: Dataset) -> str:
    """What of the data is open, in a sentence."""
    if dataset.access is Access.OPEN:
        return "The data are open to everybody."
    if dataset.access is Access.METADATA_ONLY:
        return "Only this description exists; there are no data to be had."
    if dataset.access is Access.EMBARGOED:
        until = f" until {day(dataset.release)}" if dataset.release else ""
        return f"The data are under embargo{until}; until then they are open to the experiment's team only."
    return "The data are closed: the home facility decides who may read them."
