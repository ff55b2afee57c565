"""This file is a GraphQL request as any transport brings it: from bytes or parameters to one checked shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from gateway.limits import Limits, check_variables
from schema.errors import BadInput, LimitExceeded

_LIMITS = Limits()


@dataclass(frozen=True)
class Options:
    """How the endpoint is set. `url` is the public address: what a browser's Origin is compared with. `rated`: count points."""

    url: str = ""
    limits: Limits = _LIMITS
    rated: bool = True


class Request(msgspec.Struct, frozen=True):
    """What is asked: a document, which of its operations, and its variables."""

    query: str
    operation: str | None
    variables: dict[str, Any]


def from_json(body: bytes, limits: Limits) -> Request:
    """The request of a JSON body. Raises BadInput and LimitExceeded."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadInput("The body is not JSON.", remedy='Send {"query": "…"}.') from None
    if isinstance(data, list):
        raise BadInput("Batches are not taken.", remedy="Send one request at a time.")
    if not isinstance(data, dict):
        raise BadInput("The body is not a JSON object.", remedy='Send {"query": "…"}.')
    return from_parts(data, limits)


def from_parameters(parameters: Mapping[str, str], limits: Limits) -> Request:
    """The request of a URL's parameters (GraphQL over HTTP, GET). Raises BadInput and LimitExceeded."""
    parts: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if parts.get(name):
            try:
                parts[name] = orjson.loads(parts[name])
            except orjson.JSONDecodeError:
                raise BadInput(f"The parameter `{name}` is not JSON.", field=name) from None
        else:
            parts.pop(name, None)
    if parts.get("operationName") == "":
        parts.pop("operationName")
    return from_parts(parts, limits)


def from_parts(parts: Mapping[str, Any], limits: Limits) -> Request:
    """The request of the four known keys, others left aside. Raises BadInput and LimitExceeded."""
    query = parts.get("query")
    if not isinstance(query, str) or not query:
        raise BadInput("There is no `query` that is a string.", field="query")
    operation = parts.get("operationName")
    if operation is not None and not isinstance(operation, str):
        raise BadInput("`operationName` is a string.", field="operationName")
    for name in ("variables", "extensions"):
        if parts.get(name) is not None and not isinstance(parts[name], dict):
            raise BadInput(f"`{name}` is a JSON object.", field=name)
    variables = parts.get("variables") or {}
    check_variables(variables, len(orjson.dumps(variables)) if variables else 0, limits)
    length = len(query.encode("utf-8", "surrogatepass"))
    if length > limits.document:
        raise LimitExceeded(f"The document has {length} bytes; at most {limits.document} are taken.")
    return Request(query, operation, variables)
