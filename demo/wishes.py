"""What may be asked of a demo session: this file is the hub's allow-list of options, pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

PROCEDURES = ("inspect", "plot")
ENVIRONMENTS = ("python", "python-minimal")

_PID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:;()<>/+~-]{0,254}")
_PATH = re.compile(r"/[^\x00-\x1f\x7f]{0,1023}")
_LAUNCH = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_TITLE = re.compile(r"[^\x00-\x1f\x7f]{1,1000}")


class Refused(ValueError):
    """An option that is not on the list, or a value that does not fit; the text is for people."""


@dataclass(frozen=True)
class Wishes:
    """What a session is started for. Never bulk data and never a credential: the hub stores options and tells them."""

    dataset: str | None = None
    title: str | None = None
    path: str | None = None
    procedure: str = PROCEDURES[0]
    environment: str = ENVIRONMENTS[0]
    launch: str | None = None

    def variables(self) -> dict[str, str]:
        """The environment variables of the session."""
        named = {
            "DATASET_PID": self.dataset,
            "DATASET_TITLE": self.title,
            "DATASET_PATH": self.path,
            "PROCEDURE": self.procedure,
            "ENVIRONMENT_REF": self.environment,
            "LAUNCH_ID": self.launch,
        }
        return {name: value for name, value in named.items() if value is not None}

    def descriptor(self) -> dict[str, str | None]:
        """What dataset.json in the session's folder says."""
        return {"pid": self.dataset, **{name: value for name, value in asdict(self).items() if name != "dataset"}}


def _steps_up(path: str) -> bool:
    return ".." in path.split("/")


_RULES: Mapping[str, Callable[[str], bool]] = {
    "dataset": lambda value: _PID.fullmatch(value) is not None and not _steps_up(value),
    "title": lambda value: _TITLE.fullmatch(value) is not None,
    "path": lambda value: _PATH.fullmatch(value) is not None and not _steps_up(value),
    "procedure": PROCEDURES.__contains__,
    "environment": ENVIRONMENTS.__contains__,
    "launch": lambda value: _LAUNCH.fullmatch(value) is not None,
}


def read_wishes(options: Mapping[str, Any]) -> Wishes:
    """The wishes in a hub's user options; values come typed (API) or as lists of one string (query of a link).

    Raises Refused, naming the option.
    """
    chosen = {}
    for key, value in options.items():
        rule = _RULES.get(key)
        if rule is None:
            raise Refused(f"the option {str(key)[:40]!r} is not on this hub's list: {', '.join(_RULES)}")
        single = value[0] if isinstance(value, list) and len(value) == 1 else value
        if not isinstance(single, str) or not rule(single):
            raise Refused(f"the option {key!r} has a value that this hub does not take")
        chosen[key] = single
    return Wishes(**chosen)
