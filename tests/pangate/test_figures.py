"""The figures that alarms rest on have the values that the tables, the broker and the search engine tell."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import strategies as made
from contracts.index import dataset
from doubles.other_engines import engine, node
from prometheus_client import REGISTRY

from catalogue.index.elastic_mapping import FORMAT
from catalogue.index.vocabulary import NoTechniques
from pangate.engines import Wish, open_index
from pangate.figures import Figures, distance
from pangate.house import open_house, utc_now
from pangate.settings import Environment, Settings
from pangate.wake import Waker
from schema.activities import HarvestMode, HarvestState
from schema.records import Reject

SOURCE = "north/main"
FEDERATION = """facilities:
  - id: north
    name: North
    sources:
      - {id: main, kind: scicat, url: "http://127.0.0.1:9/api/v3", allowPrivateAddress: true, interval: 6 h, full: 7 d}
"""
INDEX = f"pangate-v{FORMAT}-20260101000000000000-00000000-public"
REFUSED = {"index": {"status": 400, "error": {"type": "document_parsing_exception", "reason": "not a number"}}}


def figure(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_lag_failing_owed_waiting_and_distance_are_those_of_the_tables_and_the_broker(tmp_path: Path) -> None:
    (tmp_path / "federation.yaml").write_text(FEDERATION, encoding="utf-8")
    settings = Settings(federation=tmp_path / "federation.yaml", data=tmp_path / "data")
    now = [utc_now()]
    with open_house(settings, write_index=False, clock=lambda: now[0]) as house:
        waker = Waker(settings)
        figures = Figures(house, waker.app)

        def harvest(state: HarvestState) -> None:
            lease = house.harvests.acquire(f"source:{SOURCE}", "test", 60)
            assert lease is not None
            run = house.harvests.begin(lease, SOURCE, HarvestMode.FULL)
            house.harvests.close(lease, run, state, "", None)
            house.harvests.release(lease)

        figures.take()
        assert figure("pangate_owed", kind="harvest") == 1, "it was never harvested"
        before = figure("pangate_queued", queue="launches") or 0.0
        harvest(HarvestState.DONE)
        now[0] += timedelta(seconds=100)
        harvest(HarvestState.FAILED)
        now[0] += timedelta(seconds=20)
        for _ in range(3):
            waker.launch(uuid4().hex)
        figures.take()
        assert figure("pangate_source_lag_seconds", source=SOURCE) == 120
        assert figure("pangate_source_failing_seconds", source=SOURCE) == 20
        assert figure("pangate_owed", kind="harvest") == 0, "it failed a moment ago"
        assert figure("pangate_queued", queue="launches") == before + 3
        assert figure("pangate_broker_up") == 1
        distance(house)
        assert figure("pangate_projector_distance") == house.truth.head() - house.index.mark()


def test_a_broker_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "federation.yaml").write_text(FEDERATION, encoding="utf-8")
    settings = Settings(federation=tmp_path / "federation.yaml", data=tmp_path / "data")
    with open_house(settings, write_index=False) as house:
        Figures(house, Waker(Settings(broker="redis://127.0.0.1:9/0")).app).take()
    assert figure("pangate_broker_up") == 0


def test_what_the_search_engine_cannot_take_is_counted_and_kept() -> None:
    told: list[Reject] = []
    answers: dict[str, Any] = {
        "/_nodes": node("8.19.9"),
        "/_alias/": (200, {INDEX: {"aliases": {"pangate-public": {}}}}),
        f"/{INDEX}.write/_bulk": (200, {"items": [REFUSED]}),
        f"/{INDEX.removesuffix('public')}restricted/_mget": (200, {"docs": []}),
    }
    before = figure("pangate_index_refused_total") or 0.0
    with engine(answers) as server:
        wish = Wish(write=True, repair=False, report=told.append)
        index, _ = open_index(Settings(index=server.url), Environment({}), NoTechniques(), wish)  # type: ignore[arg-type]
        index.apply([made.entry(dataset(1), 1)], 1)
        index.close()
    assert [(one.id, one.reason) for one in told] == [("1", "index.refused")]
    assert figure("pangate_index_refused_total") == before + 1
