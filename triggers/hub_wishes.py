"""This file is what a launch tells a JupyterHub: the person's name there, the allow-listed options, the page to open. Pure.

Options are stored and told again by the hub: identifiers only, never data, never a credential (trigger-targets reference, 1.7).
"""

from __future__ import annotations

import re

from schema.activities import Failure, FailureCode, LaunchRequest
from schema.federation import Choice, Trigger
from triggers.hub_refusals import Site, bad_option
from triggers.ports import Refused

RESERVED = frozenset({"dataset", "path", "procedure", "environment", "launch"})

_USER = re.compile(r"[^\x00-\x20\x7f/\\]{1,255}")
_VALUE = re.compile(r"[^\x00-\x1f\x7f]{1,2000}")
_PAGE = re.compile(
    r"(?:lab|tree|notebooks|doc|files|git-pull|voila|retro|desktop|rstudio)(?:[/?][^\x00-\x20\x7f\\#]*)?"
)


def user_name(request: LaunchRequest, site: Site) -> str:
    """The person's name at the hub. Raises Refused when it cannot be one."""
    if _USER.fullmatch(request.user) is None or request.user in (".", ".."):
        raise Refused(
            Failure(
                code=FailureCode.FORBIDDEN,
                message=f"Your sign-in gives a user name that {site.name} cannot use.",
                next_step="Ask the facility which account is yours there.",
            )
        )
    return request.user


def value_of(choices: tuple[Choice, ...], id: str | None) -> str | None:
    """What the platform calls a choice."""
    found = next((choice for choice in choices if choice.id == id), None)
    return id if found is None else (found.value or found.id)


def user_options(launch: str, request: LaunchRequest, trigger: Trigger) -> dict[str, str]:
    """The options of a start. Raises Refused when one is not on the trigger's allow-list or does not fit its pattern."""
    told = {
        "dataset": request.dataset,
        "path": request.path,
        "procedure": value_of(trigger.procedures, request.procedure),
        "environment": value_of(trigger.environments, request.environment),
        "launch": launch,
        **_extras(request, trigger),
    }
    options = {key: value for key, value in told.items() if value}
    unfit = [key for key, value in options.items() if _VALUE.fullmatch(value) is None]
    if unfit:
        raise Refused(
            bad_option(Site(trigger.name or trigger.id, trigger.url), f"a strange value of {', '.join(unfit)}")
        )
    return options


def page_of(request: LaunchRequest, trigger: Trigger) -> str:
    """The page below the session's address that is opened: the procedure's value where that is a page, else the session's own."""
    value = value_of(trigger.procedures, request.procedure) or ""
    return value if _PAGE.fullmatch(value) and ".." not in value.partition("?")[0].split("/") else ""


def _extras(request: LaunchRequest, trigger: Trigger) -> dict[str, str]:
    wanted = {**({"title": request.dataset_title} if "title" in trigger.options else {}), **request.options}
    kept = {}
    for key, value in wanted.items():
        pattern = trigger.options.get(key)
        fits = pattern is not None and key not in RESERVED and re.fullmatch(pattern, value) is not None
        if fits:
            kept[key] = value
        elif key != "title":  # a title is told where it fits, and is nobody's wish
            raise Refused(bad_option(Site(trigger.name or trigger.id, trigger.url), f"the option {key[:40]}"))
    return kept
