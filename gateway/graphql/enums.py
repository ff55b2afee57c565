"""This file is the enumerations of the API, each value with what it means."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Mapping

import graphene


def _enum(name: str, about: str, values: Mapping[str, str]) -> type[graphene.Enum]:
    """An enumeration whose values are their own names, described one by one."""

    def describe(value: object) -> str:
        return about if value is None else values[str(getattr(value, "name", value))]

    made: type[graphene.Enum] = graphene.Enum(name, [(each, each) for each in values], description=describe)
    return made


Scope = _enum(
    "Scope",
    "Two worlds that never mix in one list.",
    {"PUBLIC": "The same for everybody.", "MINE": "What is not public but open to this viewer."},
)
DatasetSort = _enum(
    "DatasetSort",
    "The order of datasets.",
    {
        "RELEVANCE": "The best match first; without a query: NEWEST.",
        "NEWEST": "By startDate, the latest first.",
        "OLDEST": "By startDate, the earliest first.",
        "RELEASED": "By releaseDate, the latest first.",
        "TITLE": "By title.",
    },
)
FacetField = _enum(
    "FacetField",
    "What can be counted.",
    {
        "FACILITY": "The facility; a bucket's value is its key.",
        "INSTRUMENT": "The instrument; a bucket's value is its pid.",
        "TECHNIQUE": "The technique with all broader ones; a bucket's value is the PaNET IRI.",
        "SAMPLE": "The sample; a bucket's value is its pid.",
        "KEYWORD": "The keyword.",
        "FILE_FORMAT": "The format of files.",
        "ACCESS": "What of the data is open.",
        "YEAR": "The year of startDate.",
        "PARAMETER_NAME": "The names of parameters.",
        "PARAMETER": "A histogram over the values of one parameter.",
    },
)
Freshness = _enum(
    "Freshness",
    "How well we know what a source holds at present.",
    {
        "FRESH": "Harvested within twice its interval.",
        "STALE": "Not harvested for longer than twice its interval.",
        "FAILING": "The last attempts failed; what is here is from before.",
        "NEVER": "Never harvested to the end yet.",
    },
)
Access = _enum(
    "Access",
    "What of the data is open. Who sees the record is another question.",
    {
        "OPEN": "The data are open.",
        "EMBARGOED": "The data will be open from the release date on.",
        "CLOSED": "The data are not open.",
        "METADATA_ONLY": "There is a description and no data to be had.",
    },
)
OpenKind = _enum(
    "OpenKind",
    "How a user gets into what was started.",
    {
        "REDIRECT": "The browser is sent there.",
        "DOWNLOAD": "A file is downloaded and opened with a program.",
        "FORM": "A form is sent there.",
        "COMMAND": "A command is to be typed.",
    },
)
LaunchState = _enum(
    "LaunchState",
    "The gateway's view of an analysis session.",
    {
        "REQUESTED": "Asked for and kept.",
        "CHECKED": "Allowed and possible; about to be started.",
        "AWAITING_USER": "The user must do something first; the message says what.",
        "PREPARING": "The environment is being made ready.",
        "QUEUED": "Waiting for a place at the site.",
        "STARTING": "The session is starting.",
        "READY": "The session answers; it can be opened.",
        "OPENED": "The session was opened.",
        "STOPPING": "Being ended.",
        "STOPPED": "Ended as asked.",
        "FAILED": "Ended by a failure; `failure` says which.",
        "EXPIRED": "Ended because its time was over.",
        "LOST": "Gone at the site without our doing.",
        "UNKNOWN": "The site does not answer; the last known state is in the events.",
        "HANDED_OFF": "The user was sent to the site; its life is not followed.",
    },
)
FailureCode = _enum(
    "FailureCode",
    "Why a launch failed, by what the user can do about it.",
    {
        "AUTH_REQUIRED": "Sign in at the site again.",
        "FORBIDDEN": "The site does not let this user.",
        "QUOTA": "The user has as much as the site allows.",
        "CAPACITY": "The site is full; try later.",
        "BAD_OPTION": "The site does not know the procedure or environment.",
        "BUILD_FAILED": "The environment could not be built.",
        "START_TIMEOUT": "The session did not become ready in time.",
        "DIED": "The session ended by itself.",
        "UPSTREAM_UNAVAILABLE": "The site does not answer.",
        "CONFLICT": "Something of the same name is in the way.",
        "UNSUPPORTED": "The site cannot do this.",
        "INTERNAL": "A fault on our side.",
    },
)
HarvestMode = _enum(
    "HarvestMode",
    "How a source is walked.",
    {"FULL": "Every record, and what was not seen is removed.", "INCREMENTAL": "What changed since the last harvest."},
)
HarvestState = _enum(
    "HarvestState",
    "How a harvest stands.",
    {
        "RUNNING": "Under way.",
        "DONE": "Finished.",
        "DEGRADED": "Finished with more rejects than tolerated.",
        "FAILED": "Broken off; goes on from its bookmark next time.",
        "HELD": "A removal of many records waits for a person.",
    },
)
