"""A whole house in this process over folders of its own: this file commits pages to it as harvests do, projects, and asks its gateway as
anybody may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from small_federation import NOON, SECRETS, StillTime, federation_file
from starlette.applications import Starlette

from catalogue.ports import Page, Session
from gateway import app
from gateway.cookies import jar
from gateway.graphql.context import Context
from gateway.graphql.request import Options
from gateway.limits import Limits
from gateway.provider import Tokens
from gateway.vault import Vault, hashed
from pangate.crew import Crew
from pangate.house import House, open_house
from pangate.serve import app_of
from pangate.settings import Settings
from schema.access import Viewer
from schema.activities import HarvestMode, HarvestState
from schema.records import AnyRecord

URL = "http://127.0.0.1:8080"
PATIENT = Limits(search_s=120.0, execution_s=120.0)
"""What is compared must not differ because the machine stood still for two seconds while one of them was asked."""
NOWHERE = {"scicat": "http://127.0.0.1:9", "icat": "http://127.0.0.1:9/icat", "hub": "http://127.0.0.1:9"}


@dataclass
class Twin:
    """An opened house whose crew rests: what happens in it happens when a test says so."""

    house: House
    app: Starlette
    time: StillTime
    words: list[str] = field(default_factory=list)

    def commit(self, source: str, put: Sequence[AnyRecord] = (), gone: Sequence[tuple[Any, str]] = ()) -> None:
        """A harvest of one page."""
        ledger = self.house.harvests
        lease = ledger.acquire(f"source:{source}", "test", 60)
        assert lease is not None
        run = ledger.begin(lease, source, HarvestMode.INCREMENTAL)
        run = ledger.commit(lease, run, Page(records=tuple(put), gone=tuple(gone)))
        ledger.close(lease, run, HarvestState.DONE, "", None)
        ledger.release(lease)

    def sign_in(self, viewer: Viewer) -> dict[str, str]:
        """A session of that viewer, as a sign-in makes it; the browser's cookie."""
        id = f"cookie-of-{viewer.subject}"
        tokens = Vault(self.house.secret).seal(msgspec.json.encode(Tokens("access", None, "id", 0.0)), hashed(id))
        now = self.time()
        life = now + timedelta(hours=8)
        self.house.sessions.put(Session(hashed(id), viewer, "form-token", tokens, life, now))
        return {jar(URL).session: id}

    def project(self) -> None:
        """Bring the index to the head."""
        self.house.projector.project()

    def client(self, viewer: Viewer | None = None) -> httpx.AsyncClient:
        """Somebody who asks; signed in when a viewer is given."""
        transport = httpx.ASGITransport(app=self.app, client=("127.0.0.1", 5))
        cookies = {} if viewer is None else self.sign_in(viewer)
        return httpx.AsyncClient(transport=transport, base_url=URL, cookies=cookies, headers={"Origin": URL})


@contextmanager
def twin(folder: Path, addresses: dict[str, str] | None = None, **settings: Any) -> Iterator[Twin]:
    """A house in the folder. PANGATE_… secrets must be in the environment (`SECRETS`)."""
    folder.mkdir(parents=True, exist_ok=True)
    file = federation_file(folder, addresses or NOWHERE)
    chosen = Settings(federation=file, data=folder / "data", url=URL, **{"rate_limit": False, **settings})
    time = StillTime(NOON)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(app, "Options", partial(Options, limits=PATIENT))
        patch.setattr(app, "Context", partial(Context, limits=PATIENT))
        house = stack.enter_context(open_house(chosen, write_index=True, clock=time))
        assert house.projecting
        yield Twin(house, app_of(house, Crew(house)), time)


def plain(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of an answer without what is different each time: the correlation id."""
    id = answer.headers.get("x-correlation-id", "-")
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "x-correlation-id")
    return answer.status_code, headers, answer.content.replace(id.encode(), b"<correlation>")


__all__ = ["SECRETS", "URL", "Twin", "plain", "twin"]
