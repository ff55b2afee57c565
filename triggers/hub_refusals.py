"""This file is what a JupyterHub's refusals mean for the person who launched: answers and failed starts as failures. Pure.

Answers observed: trigger-targets reference, 1.3 and 1.8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from schema.activities import Failure, FailureCode
from schema.errors import RetryLater
from triggers.ports import Full, Refused
from triggers.progress import Event, clean, explanation
from triggers.session import Answer, retry_after

_LIMIT = re.compile(r"named servers?|maximum|limit", re.IGNORECASE)
_TIMEOUT = re.compile(r"time[sd]?.?out|did not respond|failed to (respond|start) in|taking too long", re.IGNORECASE)
_OPTION = re.compile(r"\b(image|profile|option|choice|partition)s?\b", re.IGNORECASE)
_QUOTA = re.compile(r"quota|exceeded", re.IGNORECASE)
_SCOPE = re.compile(r"scopes?|permission", re.IGNORECASE)


class Site(msgspec.Struct, frozen=True):
    """How a platform is called in sentences, and its page for people."""

    name: str
    url: str


def words(answer: Answer) -> str:
    """The hub's own sentence in an error answer, cleaned; empty when there is none."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        return ""
    return clean(body.get("message")) if isinstance(body, dict) else ""


def check(site: Site, answer: Answer, now: datetime) -> None:
    """Nothing, when the answer is one to read on (below 400, or 400, 404, 405, 409, which have a meaning of their own).
    Raises Refused for 401 and 403, Full for 429, RetryLater for the rest."""
    if answer.status < 400 or answer.status in (400, 404, 405, 409):
        return
    if answer.status in (401, 403):
        raise Refused(forbidden(site, answer))
    if answer.status == 429:
        pause = retry_after(answer.headers.get("retry-after", ""), now)
        raise Full(
            f"{site.name} has no room at present.",
            not_before=None if pause is None else now + timedelta(seconds=pause),
        )
    raise RetryLater(f"{site.name} answered {answer.status}.")


def forbidden(site: Site, answer: Answer) -> Failure:
    """What 401 and 403 mean: almost always our own rights there, and the user can do nothing about it."""
    said = words(answer)
    if answer.status == 403 and "credentials" in said.lower():
        return sign_in_once(site)
    if answer.status == 403 and said and not _SCOPE.search(said):
        return Failure(
            code=FailureCode.FORBIDDEN,
            message=f"{site.name} does not allow this: {said}",
            next_step="Ask the facility for access to its analysis service.",
            link=site.url,
        )
    return lacking(site, said)


def lacking(site: Site, what: str) -> Failure:
    """Our own account at the hub has not the rights it needs."""
    return Failure(
        code=FailureCode.INTERNAL,
        message=f"The gateway's own rights at {site.name} do not suffice{': ' + what if what else ''}.",
        next_step="This is for the operators of the gateway and of the facility to mend; your data and account are fine.",
    )


def sign_in_once(site: Site) -> Failure:
    """The hub does not know this person yet, and we may not introduce them."""
    return Failure(
        code=FailureCode.AUTH_REQUIRED,
        message=f"{site.name} does not know you yet.",
        next_step="Sign in there once, then start the analysis again.",
        retry=True,
        link=site.url,
    )


def bad_option(site: Site, said: str) -> Failure:
    """What was asked for is not taken there."""
    return Failure(
        code=FailureCode.BAD_OPTION,
        message=f"{site.name} does not take what was asked for{': ' + said if said else '.'}",
        next_step="Choose another procedure or environment. If there is none, tell the facility.",
    )


def refused_start(site: Site, answer: Answer) -> Failure:
    """What a 400 to a start means when no server of that name runs or starts."""
    said = words(answer)
    if _LIMIT.search(said) and "server" in said.lower():
        return Failure(
            code=FailureCode.QUOTA,
            message=f"You have as many sessions at {site.name} as it allows: {said}",
            next_step="End a session you no longer need, here or on the site's own page, then start again.",
            retry=True,
            link=f"{site.url}/hub/home",
        )
    return bad_option(site, said)


def failed_start(site: Site, events: Sequence[Event]) -> Failure:
    """What a failed event means; an empty reason is filled from what was said before it."""
    said = explanation(events)
    if _TIMEOUT.search(said):
        code, step = FailureCode.START_TIMEOUT, "Try again later, or choose a smaller environment."
    elif _QUOTA.search(said):
        code, step = FailureCode.QUOTA, "End sessions you no longer need, then start again."
    elif _OPTION.search(said):
        code, step = FailureCode.BAD_OPTION, "Choose another procedure or environment."
    else:
        code, step = FailureCode.DIED, "Try once more. If it fails again, tell the facility and quote this message."
    reason = said or "it gave no reason"
    return Failure(
        code=code, message=f"The session could not be started at {site.name}: {reason}", next_step=step, retry=True
    )
