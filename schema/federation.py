"""This file is the shape of federation.yaml: facilities, their sources and triggers. Pure: text in, frozen values or errors out.

Unknown keys are errors, so that a typing mistake is told and not ignored. Names: design section 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from schema.errors import Misconfigured

_KEY = r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"
_DURATION = re.compile(r"^(\d+)\s*(s|min|h|d)$")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    """A duration as people write it: 30 s, 15 min, 6 h, 7 d."""
    if isinstance(value, str):
        found = _DURATION.match(value.strip())
        if found is None:
            raise ValueError("a duration is a number and s, min, h or d, such as 15 min")
        return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    return value


def _http_url(value: str) -> str:
    if not re.match(r"^https?://[^\s/@]+(/\S*)?$", value):
        raise ValueError("an address begins with https:// (or http://), names a host and holds no user name or blank")
    return value.rstrip("/")


Key = Annotated[str, Field(pattern=_KEY)]
Duration = Annotated[
    timedelta, BeforeValidator(_duration), PlainSerializer(lambda value: f"{int(value.total_seconds())} s")
]
HttpUrl = Annotated[str, AfterValidator(_http_url)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordRule(StrEnum):
    """Who sees a facility's records (design section 3): as the source says, everybody, or everybody from the release date on."""

    SOURCE = "source"
    PUBLIC = "public"
    BY_RELEASE = "by-release"


class Login(_Strict):
    """Names of the secrets of a login; the values live in the environment (`NAME` or `NAME_FILE`).

    `plugin` is ICAT's authenticator; `method` is SciCat's login route (local or ldap). A bare `token` secret is sent as bearer.
    """

    username: str | None = None
    password: str | None = Field(default=None, description="name of the environment variable that holds the password")
    token: str | None = Field(default=None, description="name of the environment variable that holds the token")
    plugin: str | None = None
    method: Literal["local", "ldap"] = "local"


class GroupRule(_Strict):
    """How a token's claim becomes a facility's group: `pattern` is matched whole, `group` may use its groups (\\1)."""

    claim: str
    pattern: str
    group: str

    @model_validator(mode="after")
    def _compiles(self) -> GroupRule:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}") from None
        return self


class ParameterName(_Strict):
    """A facility's parameter name and the federation's standard name for it."""

    name: str
    standard: str


class Source(_Strict):
    """One catalogue endpoint of a facility."""

    id: Key
    kind: str
    url: HttpUrl
    login: Login | None = None
    interval: Duration = timedelta(hours=6)
    full: Duration = Field(default=timedelta(days=7), description="how often everything is walked and swept")
    rate: float | None = Field(default=2.0, gt=0, description="requests a second; null: unlimited")
    overlap: Duration | None = Field(
        default=None, description="how far an incremental harvest looks back; the kind's own default"
    )
    allowPrivateAddress: bool = False
    pageSize: int | None = Field(default=None, ge=1, le=10_000)
    parameters: dict[str, str] = Field(
        default_factory=dict, description="the facility's parameter name to a standard name"
    )
    enabled: bool = True


class Choice(_Strict):
    """A procedure or an environment on offer."""

    id: Key
    name: str
    description: str | None = None
    default: bool = False
    value: str | None = Field(default=None, description="what the platform calls it; the id without it")


class PathRule(_Strict):
    """How a dataset's location at the source becomes a path inside a session: the prefix `from_` is replaced by `to`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    from_: str = Field(alias="from")
    to: str


class Limits(_Strict):
    """What we allow ourselves on a platform."""

    lifetime: Duration = timedelta(hours=8)
    start: Duration = Field(default=timedelta(minutes=10), description="how long a start may take before it has failed")
    open: int = Field(default=5, ge=1, description="launches of one person that may be alive at once")
    daily: int = Field(default=20, ge=1)
    concurrent: int = Field(default=20, ge=1, description="starts in flight at this platform")


class Delegation(StrEnum):
    """In whose name the platform is asked: A service on behalf, B the user's OAuth token there, C token exchange, D link only."""

    SERVICE = "service"
    USER = "user"
    EXCHANGE = "exchange"
    NONE = "none"


class Trigger(_Strict):
    """One analysis platform of a facility."""

    id: Key
    kind: str
    name: str | None = None
    url: HttpUrl
    apiUrl: HttpUrl | None = None
    login: Login | None = None
    delegation: Delegation = Delegation.SERVICE
    user: str = Field(default="preferred_username", description="the claim that names the person at the platform")
    options: dict[str, str] = Field(
        default_factory=dict, description="allow-list: option name to a pattern its value must match whole"
    )
    procedures: tuple[Choice, ...] = ()
    environments: tuple[Choice, ...] = ()
    paths: tuple[PathRule, ...] = ()
    limits: Limits = Limits()
    allowPrivateAddress: bool = False
    enabled: bool = True


class Facility(_Strict):
    """One facility of the federation."""

    id: Key
    name: str
    shortName: str | None = None
    url: HttpUrl | None = None
    ror: str | None = None
    prefixes: tuple[str, ...] = ()
    records: RecordRule = RecordRule.SOURCE
    enabled: bool = True
    groups: tuple[GroupRule, ...] = ()
    sources: tuple[Source, ...] = ()
    triggers: tuple[Trigger, ...] = ()

    @model_validator(mode="after")
    def _names_once(self) -> Facility:
        for what, names in (("source", [s.id for s in self.sources]), ("trigger", [t.id for t in self.triggers])):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"two {what}s are called {name}; give each its own id")
        return self


class Federation(_Strict):
    """The whole file."""

    facilities: tuple[Facility, ...] = ()

    @model_validator(mode="after")
    def _ids_once(self) -> Federation:
        ids = [facility.id for facility in self.facilities]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"two facilities are called {name}; give each its own id")
        return self

    def facility(self, key: str) -> Facility | None:
        """The facility of that id."""
        return next((facility for facility in self.facilities if facility.id == key), None)

    def sources(self) -> dict[str, tuple[Facility, Source]]:
        """Every enabled source of an enabled facility, by its "facility/source" name, in the file's order."""
        return {
            f"{facility.id}/{source.id}": (facility, source)
            for facility in self.facilities
            if facility.enabled
            for source in facility.sources
            if source.enabled
        }

    def triggers(self) -> dict[str, tuple[Facility, Trigger]]:
        """Every enabled trigger of an enabled facility, by its "facility/trigger" name, in the file's order."""
        return {
            f"{facility.id}/{trigger.id}": (facility, trigger)
            for facility in self.facilities
            if facility.enabled
            for trigger in facility.triggers
            if trigger.enabled
        }


def read_federation(text: str, name: str = "federation.yaml") -> Federation:
    """The federation that a YAML text describes.

    Raises Misconfigured with one sentence a fault, each with line, path and remedy.
    """
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{name}, line {mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or "is not YAML"
        raise Misconfigured(
            f"this is not readable as YAML: {problem}. Mend the indentation or quoting there.", where=line
        ) from None
    if not isinstance(data, dict):
        raise Misconfigured("the file must hold `facilities:` with a list below it.", where=f"{name}, line 1")
    if twice := list(_twice(tree, name)):
        raise Misconfigured("\n".join(twice))
    try:
        return Federation.model_validate(data)
    except ValidationError as error:
        faults = [_fault(fault, tree, name) for fault in error.errors(include_url=False)]
        raise Misconfigured("\n".join(faults)) from None


def _twice(tree: Any, name: str) -> Iterator[str]:
    """A sentence for every key that one mapping has twice: YAML would silently keep the last."""
    nodes, met = [tree], set[int]()
    while nodes:
        node = nodes.pop()
        if id(node) in met or not isinstance(node, yaml.CollectionNode):
            continue
        met.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += node.value
            continue
        keys = [str(key.value) for key, _ in node.value]
        for at, (key, value) in enumerate(node.value):
            nodes.append(value)
            if keys[at] in keys[:at]:
                yield f"{name}, line {key.start_mark.line + 1}: {keys[at]}: this key is written twice here; keep one."


def _fault(fault: Any, tree: Any, name: str) -> str:
    place = tuple(part for part in fault["loc"] if part not in ("function-before", "function-after"))
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".") or "the file"
    remedy = {
        "extra_forbidden": "this key is not known here; check its spelling",
        "missing": "this key is missing; add it",
    }.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return f"{name}, line {_line(tree, place)}: {path}: {remedy}."


def _line(node: Any, place: tuple[str | int, ...]) -> int:
    """The line (from 1) of the deepest node of `place` that is in the file."""
    line = int(node.start_mark.line) + 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = int(found[0].start_mark.line) + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = int(node.start_mark.line) + 1
        else:
            return line
    return line
