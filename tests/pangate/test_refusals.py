"""Settings of the second profile that cannot work are refused in a sentence that names the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from catalogue.database import open_database
from pangate.house import utc_now
from pangate.parted import queues, shared
from pangate.settings import Environment, Settings, broker_url, truth_url, with_password
from pangate.tasks import celery_app
from schema.errors import Misconfigured


@pytest.mark.parametrize("broker", ["http://host", "redis", "amqp://", "memory://", "kafka://host:1"])
def test_a_broker_that_is_none_is_refused(broker: str) -> None:
    with pytest.raises(Misconfigured, match="PANGATE_BROKER is no broker's URL; write redis://"):
        celery_app(Settings(broker=broker))


def test_workers_without_a_broker_or_with_a_file_of_one_machine_are_refused() -> None:
    with pytest.raises(Misconfigured, match="PANGATE_BROKER is not set"):
        shared(Settings())
    with pytest.raises(Misconfigured, match="PANGATE_DATABASE must be postgresql://"):
        shared(Settings(broker="redis://localhost"))
    shared(Settings(broker="redis://localhost", database="postgresql://localhost/x"))


@pytest.mark.parametrize(("told", "known"), [("harvest", "harvest"), ("", "named"), ("launches,x", "x")])
def test_a_queue_that_is_none_is_refused(told: str, known: str) -> None:
    with pytest.raises(Misconfigured, match=f"there is no queue {known}; there are: harvests, launches, maintenance"):
        queues(told)


def test_queues_are_taken_in_the_order_told_once_each() -> None:
    assert queues(" launches, harvests,launches") == ("launches", "harvests")


def test_a_password_kept_apart_is_put_into_the_address_and_only_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss/word?\n")
    environment = Environment({"PANGATE_DATABASE_PASSWORD_FILE": str(tmp_path / "secret")})
    settings = Settings(database="postgresql://me@host:5432/name", broker="redis://host/0")
    assert truth_url(settings, environment) == "postgresql://me:p%40ss%2Fword%3F@host:5432/name"
    assert broker_url(settings, environment) == "redis://host/0"
    with pytest.raises(Misconfigured, match="without a password"):
        with_password("postgresql://me:other@host/name", "secret", "PANGATE_DATABASE")
    with pytest.raises(Misconfigured, match="cannot be read"):
        truth_url(settings, Environment({"PANGATE_DATABASE_PASSWORD_FILE": str(tmp_path / "nothing")}))


def test_a_database_that_is_not_there_or_of_a_newer_pangate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be opened"):
        open_database("postgresql://me:hidden@127.0.0.1:1/x", clock=utc_now)
    place = f"sqlite:///{tmp_path / 'newer.sqlite'}"
    open_database(place, clock=utc_now).close()
    with create_engine(place).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="migrated by a newer pangate"):
        open_database(place, clock=utc_now)
