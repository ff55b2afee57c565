"""This file is the connection to an Elasticsearch cluster: its settings, one request, and what a failed one means to us.

What is asked is decided elsewhere, as plain `Request` values that generators yield (`Steps`): `run` answers them one
after the other; `arun` of elastic_async does the same with `await`. A `Pause` among them is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
from elastic_transport import ApiError as TransportApiError
from elastic_transport import ConnectionError as NotReached
from elastic_transport import (
    ConnectionTimeout,
    JsonSerializer,
    NdjsonSerializer,
    SerializationError,
    TlsError,
    TransportError,
)
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from schema.errors import Misconfigured, Unavailable

T = TypeVar("T")
OLDEST, NEWEST = 8, 9  # major versions of the server that we speak to
LONGEST = 60.0  # longer than so many seconds nobody has us wait
FAILURES = (ApiError, TransportApiError, UnsupportedProductError, TransportError, SerializationError)
UNUSABLE = (ValueError, TypeError, OSError)
_AWAY = frozenset(  # what a 503 calls it that a shard is being started, moved or dropped (seen at 8.19 and 9.2)
    ("no_shard_available_action_exception", "illegal_index_shard_state_exception", "search_phase_execution_exception")
)
_JSON = "application/json"
_NDJSON = "application/x-ndjson"


class Connection(msgspec.Struct, frozen=True):
    """How a cluster is reached: `url` (several may be given, parted by commas), and one of API key or user and password.

    `ca_file` is the certificate authority of an https server whose certificate no public one has signed. `timeout` is how many
    seconds a search may take; what writes or makes indexes may take `patience` seconds.
    """

    url: str
    api_key: str = ""
    user: str = ""
    password: str = ""
    ca_file: Path | None = None
    timeout: float = 10.0
    patience: float = 90.0

    def __repr__(self) -> str:
        return f"Connection({self.url!r})"


class Request(NamedTuple):
    """One call: JSON values as body, or ready bytes of a bulk. `patient`: it may take long."""

    method: str
    path: str
    body: Mapping[str, Any] | bytes | None = None
    params: Mapping[str, str] = {}
    patient: bool = False


class Pause(NamedTuple):
    """So many seconds in which nothing is asked."""

    seconds: float


Steps = Generator[Request | Pause, Any, T]


class Absent(Exception):
    """The server has no such index, document or point in time: look again what there is."""


class Refused(Exception):
    """The server understood and will not: `kind` and `reason` are its words. Nothing is gained by asking again."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.status = status
        self.kind = kind
        self.reason = reason


class Busy(Unavailable):
    """The server asks to be left alone for a moment (429, 503), or for so many seconds `after` which to ask again."""

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class Unassigned(Busy):
    """No copy of a shard can answer just now: its index is being made or dropped, or its node is away."""


class Unsure(Unavailable):
    """The server did not answer in time or the connection broke: whether it did what was asked is not known."""


class _Json(JsonSerializer):
    """JSON by msgspec."""

    mimetype = "application/vnd.elasticsearch+json"

    def json_dumps(self, data: Any) -> bytes:
        return msgspec.json.encode(data)

    def json_loads(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class _Lines(NdjsonSerializer):
    """The lines of a bulk as they are: the client's own copies them twice, and they are long."""

    mimetype = "application/vnd.elasticsearch+x-ndjson"

    def dumps(self, data: Any) -> bytes:
        return data if isinstance(data, bytes) else super().dumps(data)


class Cluster:
    """An open connection; safe for several threads."""

    def __init__(self, connection: Connection) -> None:
        self.where = connection.url
        try:
            self._client = Elasticsearch(hosts=addresses(connection), **options(connection))
            self._patient = self._client.options(request_timeout=connection.patience)
        except UNUSABLE as error:
            raise unusable(error) from None

    def send(self, request: Request) -> Any:
        """The decoded answer. Raises Absent, Refused, Busy, Unsure, Unavailable, Misconfigured."""
        try:
            client = self._patient if request.patient else self._client
            return client.perform_request(
                request.method,
                request.path,
                params=request.params or None,
                headers=headers(request),
                body=request.body,
            ).body
        except FAILURES as error:
            raise told(error, self.where) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class Sender(Protocol):
    """What answers one request; as Cluster."""

    def send(self, request: Request) -> Any:
        """The decoded answer. Raises as Cluster.send."""


def run(cluster: Sender, steps: Steps[T], pause: Callable[[float], object] = time.sleep) -> T:
    """Answer each request of the steps; errors are raised in them where the request was made."""
    try:
        step = next(steps)
        while True:
            try:
                answer = pause(step.seconds) if isinstance(step, Pause) else cluster.send(step)
            except (Absent, Refused, Unavailable, Misconfigured) as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        value: T = end.value
        return value


def check(cluster: Cluster) -> list[str]:
    """The versions of the cluster's nodes. Raises Misconfigured when we do not speak to them, Unavailable.

    There is no `GET /` in every distribution, so the nodes are asked. A key that may not ask (403) is let pass.
    """
    try:
        nodes = cluster.send(Request("GET", "/_nodes/_all/none"))["nodes"]
    except Misconfigured as error:
        if "403" in error.message:
            return []
        raise
    except (Absent, Refused, KeyError, TypeError):
        raise Misconfigured(f"What answers at {cluster.where} is not Elasticsearch. Correct the address.") from None
    versions = sorted({str(node["version"]) for node in nodes.values()})
    for version in versions:
        if not OLDEST <= int(version.split(".")[0]) <= NEWEST:
            raise Misconfigured(
                f"Elasticsearch at {cluster.where} is version {version}; pangate speaks to {OLDEST} and {NEWEST}. "
                "Use a server of these versions."
            )
    return versions


def addresses(connection: Connection) -> list[str]:
    """The addresses of the cluster, each once."""
    parts = (part.strip() for part in connection.url.split(","))
    return list(dict.fromkeys(part for part in parts if part))


def options(connection: Connection) -> dict[str, Any]:
    """What either client of Elasticsearch is made with, beside the addresses. Raises Misconfigured."""
    if connection.api_key and connection.user:
        raise Misconfigured("Give an API key of Elasticsearch or a user, not both.")
    made: dict[str, Any] = {
        "request_timeout": connection.timeout,
        "max_retries": 0,
        "retry_on_timeout": False,
        "serializers": {each.mimetype: each for each in (_Json(), _Lines())},
    }
    if connection.api_key:
        made["api_key"] = connection.api_key
    if connection.user:
        made["basic_auth"] = (connection.user, connection.password)
    if connection.ca_file is not None:
        if not connection.ca_file.is_file():
            raise Misconfigured("The CA file of Elasticsearch is not there. Name a file of PEM certificates.")
        made["ca_certs"] = str(connection.ca_file)
    return made


def headers(request: Request) -> dict[str, str]:
    """What goes with a request."""
    kind = _NDJSON if isinstance(request.body, bytes) else _JSON
    return {"accept": _JSON} | ({"content-type": kind} if request.body is not None else {})


def unusable(error: Exception) -> Misconfigured:
    """What the settings of a connection are told that no client can be made with."""
    return Misconfigured(f"The address or login of Elasticsearch cannot be used: {_plain(error)}")


def refusal(error: Refused) -> Unavailable:
    """What somebody is told who asked for what the server will not do."""
    return Unavailable(f"Elasticsearch refused what we asked ({error.kind}).")


def told(error: Exception, where: str) -> Exception:
    """What a failed call means to us: Absent, Refused, Busy, Unsure, Unavailable or Misconfigured."""
    match error:
        case ApiError() | TransportApiError():
            return _answered(error)
        case UnsupportedProductError():
            return Misconfigured(f"What answers at {where} is not Elasticsearch. Correct the address.")
        case TlsError():
            return _untrusted(str(error.message), where)
        case NotReached() | ConnectionTimeout():
            return Unsure(
                f"Elasticsearch at {where} does not answer ({type(error).__name__}). See that it runs, or correct the address."
            )
        case _:
            return Unavailable(f"Elasticsearch at {where} failed ({type(error).__name__}).")


def _untrusted(told: str, where: str) -> Misconfigured:
    """What is wrong with the TLS of a server; what the clients tell of it is OpenSSL's text, and Python's."""
    if "certificate has expired" in told or "not yet valid" in told:
        return Misconfigured(
            f"The certificate of {where} has run out. Give the server a new one (and mind the clocks)."
        )
    if "mismatch" in told or "doesn't match" in told:
        return Misconfigured(
            f"The certificate of {where} is for another host. Use the name it is for, or have it made for this one."
        )
    if "CERTIFICATE_VERIFY_FAILED" in told:
        return Misconfigured(
            f"The certificate of {where} is not trusted. Name the authority that has signed it as the CA file (PANGATE_INDEX_CA)."
        )
    if "NO_CERTIFICATE_OR_CRL_FOUND" in told or "PEM lib" in told:
        return Misconfigured("The CA file of Elasticsearch holds no certificate. Name a file of PEM certificates.")
    return Misconfigured(
        f"What answers at {where} does not speak TLS. Correct the address, or the server. ({told:.200})"
    )


def _answered(error: ApiError | TransportApiError) -> Exception:
    status = int(error.meta.status)
    kind, reason = cause(error.body)
    if status in (401, 403):
        return Misconfigured(
            f"Elasticsearch refuses our login ({status}, {kind}). Correct the API key or password, or its privileges."
        )
    if status == 404 or kind == "index_not_found_exception":  # 503 where it went while its shards were searched
        return Absent(f"{kind}: {reason}")
    if status in (429, 503):
        asked = str(error.meta.headers.get("retry-after", ""))  # RFC 9110, 10.2.3; a date is left aside
        after = min(float(asked), LONGEST) if asked.isascii() and asked.isdecimal() else 0.0
        if status == 503 and kind in _AWAY and not after:
            return Unassigned(f"Elasticsearch has no shard that answers just now ({kind}).")
        return Busy(f"Elasticsearch is busy ({status}, {kind}).", after=after)
    if status in (502, 504):
        return Unsure(f"Elasticsearch failed ({status}).")
    return Refused(status, kind, reason) if status < 500 else Unavailable(f"Elasticsearch failed ({status}, {kind}).")


def looked(documents: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The documents of an `_mget`, found or not. Raises Absent and Unassigned: it answers 200 when the index or a shard is away."""
    failed = [str(one["error"].get("type", "")) for one in documents if "error" in one]
    if "index_not_found_exception" in failed:
        raise Absent(failed[0])
    if failed:
        raise Unassigned(f"Elasticsearch could not look for all documents ({failed[0]}).")
    return documents


def cause(body: object) -> tuple[str, str]:
    """Type and reason of an error as the server tells it."""
    told = body.get("error") if isinstance(body, dict) else None
    if not isinstance(told, dict):
        return "unknown", str(told or "")[:500]
    roots = told.get("root_cause") or []
    root = roots[0] if roots and isinstance(roots[0], dict) else told
    return str(root.get("type", "unknown")), str(root.get("reason", ""))[:500]


def _plain(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:200]
