"""This file is which search engine stands behind the index: the embedded one in a folder, or an Elasticsearch cluster at an address."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from catalogue.database import At, nothing
from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_async import AsyncElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout
from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Index
from pangate.settings import Environment, Settings
from pangate.tally import INDEX_REFUSED, INDEX_RETRIES
from schema.errors import DiskFailed, Unavailable
from schema.records import Reject
from schema.techniques import Vocabulary

log = structlog.get_logger("pangate.engines")


@dataclass(frozen=True)
class Wish:
    """How the index is opened: to `write` to it; to `repair` it, so that one of another mapping is let in. `report` keeps the
    records that the engine cannot take; `at` is called with the name of each point at which a crash must do no harm."""

    write: bool
    repair: bool
    report: Callable[[Reject], None]
    at: At = nothing


def open_index(settings: Settings, environment: Environment, vocabulary: Vocabulary, wish: Wish) -> tuple[Index, bool]:
    """The index, and whether this process may write to it: an embedded one if no other does, a shared one under the projector's lease.

    Raises DiskFailed; Misconfigured for a server that is none, refuses us, is of a wrong version, or holds an index of another mapping.
    """
    if settings.index_url is not None:
        return _cluster(settings, environment, vocabulary, wish), wish.write
    if wish.write:
        try:
            return EmbeddedIndex(settings.index_folder, writable=True, at=wish.at, techniques=vocabulary), True
        except DiskFailed:
            raise
        except Unavailable:  # another process projects
            pass
    return EmbeddedIndex(settings.index_folder, writable=False, techniques=vocabulary), False


def _cluster(settings: Settings, environment: Environment, vocabulary: Vocabulary, wish: Wish) -> ElasticIndex:
    def refused(reject: Reject) -> None:
        INDEX_REFUSED.inc()
        log.warning("index_refused", source=reject.source, kind=reject.kind, id=reject.id, reason=reject.message)
        wish.report(reject)

    connection, layout = _place(settings, environment)
    index = ElasticIndex(
        connection, layout, writable=wish.write, techniques=vocabulary, report=refused, retried=_retried
    )
    try:
        if not wish.repair:
            index.check()
    except Unavailable as error:  # it may come later; until then readiness says so
        log.warning("index_unavailable", reason=error.message)
    except BaseException:
        index.close()
        raise
    return index


def _retried(why: str) -> None:
    INDEX_RETRIES.labels(why).inc()


def open_reading(settings: Settings, environment: Environment, vocabulary: Vocabulary) -> AsyncElasticIndex | None:
    """What an event loop reads of an index in a cluster; None for an embedded one. Nothing is asked before the first call."""
    if settings.index_url is None:
        return None
    connection, layout = _place(settings, environment)
    return AsyncElasticIndex(connection, layout, techniques=vocabulary, calls=settings.index_calls)


def open_looking(
    settings: Settings, environment: Environment, vocabulary: Vocabulary, seconds: float
) -> ElasticIndex | None:
    """What looks whether an index in a cluster answers, each call for so many seconds; None for an embedded one. Its connection is its own:
    reading by the projector's waits until what was written is seen."""
    if settings.index_url is None:
        return None
    connection, layout = _place(settings, environment)
    return ElasticIndex(
        msgspec.structs.replace(connection, timeout=seconds), layout, writable=False, techniques=vocabulary
    )


def _place(settings: Settings, environment: Environment) -> tuple[Connection, Layout]:
    """Where the cluster is, and what the indexes are called there."""
    logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)  # who cannot be reached we tell ourselves
    connection = Connection(
        settings.index_url or "",
        api_key=environment.optional("PANGATE_INDEX_API_KEY"),
        user=environment.optional("PANGATE_INDEX_USER"),
        password=environment.optional("PANGATE_INDEX_PASSWORD"),
        ca_file=settings.index_ca,
    )
    return connection, Layout(settings.index_prefix, settings.index_shards, settings.index_replicas)
