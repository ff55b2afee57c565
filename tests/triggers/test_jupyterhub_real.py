"""The JupyterHub adapter against a real hub: the demo's, with the authenticator that lets anybody in."""

import secrets
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from fakes.north import facility, hub_trigger, now, request
from servers import hub5

from catalogue.database import open_database
from catalogue.launches import Launches
from demo.hub import Hub, hub
from schema.activities import FailureCode, LaunchState, launch_id
from schema.federation import Choice
from triggers.jupyterhub import JupyterHub, open_jupyterhub
from triggers.launch import Line, advance, sweep
from triggers.ports import Handle, Observation, Refused
from triggers.registry import Platform

pytestmark = [pytest.mark.jupyterhub, pytest.mark.timeout(600)]


class Vault:
    """The demo hub's token."""

    def __init__(self, token: str) -> None:
        self.token = token

    def secret(self, name: str) -> str:
        return self.token


@pytest.fixture(scope="module", params=["6.1.1", "5.5.4"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Both majors: the one of this environment, and 5.5.4 in one of its own."""
    folder: Path = tmp_path_factory.mktemp("hub")
    python = sys.executable if request.param == "6.1.1" else hub5.python()
    with hub(Hub(folder, python=python)) as running:
        answer = requests.get(f"{running.api}", timeout=60)
        assert answer.json()["version"] == request.param
        yield running


@pytest.fixture
def adapter(real: Hub) -> Iterator[JupyterHub]:
    trigger = hub_trigger(
        real.url, apiUrl=real.api, environments=(Choice(id="python-minimal", name="Python"),), options={"title": ".+"}
    )
    made = open_jupyterhub(facility(trigger), trigger, Vault(real.token), now)
    yield made
    made.close()


def wish(**changed: str) -> object:
    return request(**{"environment": "python-minimal", "user": "ida", **changed})


def until(
    adapter: JupyterHub, handle: Handle, asked: object, *states: LaunchState, seconds: float = 180
) -> Observation:
    end = time.monotonic() + seconds
    while True:
        news = adapter.watch(handle, asked, 0.3)
        seen = adapter.probe(news.handle if news and news.handle else handle, asked)
        if seen.state in states or time.monotonic() > end:
            assert seen.state in states, seen
            return seen
        time.sleep(0.3)


def test_a_real_session_from_preflight_to_removal(adapter: JupyterHub, real: Hub) -> None:
    id, asked = launch_id(secrets.token_bytes(9), b""), wish()
    assert adapter.look().up
    adapter.preflight(asked)
    begun = adapter.start(id, asked)
    assert begun.state is LaunchState.STARTING
    assert begun.handle is not None
    assert adapter.start(id, asked).state in (LaunchState.STARTING, LaunchState.READY), "taken over, not started twice"
    seen = until(adapter, begun.handle, asked, LaunchState.READY)
    assert "public" in seen.evidence or "page" in seen.evidence
    assert [native.launch for native in adapter.owned()] == [id]
    opening = adapter.open(begun.handle, asked)
    anonymous = requests.get(opening.url, allow_redirects=False, timeout=60)
    assert anonymous.status_code == 302
    ours = requests.get(
        f"{real.url}/user/ida/{id}/api/contents", headers={"Authorization": f"token {real.token}"}, timeout=60
    )
    assert ours.status_code == 403, "the gateway's token may start a session and never open it"
    end = time.monotonic() + 120
    while not adapter.stop(begun.handle, asked):
        assert time.monotonic() < end
        time.sleep(0.3)
    assert adapter.owned() == []
    assert adapter.probe(Handle({"user": "ida", "server": id}), asked).state is LaunchState.LOST


def test_a_real_refusal_of_options_is_told_in_the_hubs_words(adapter: JupyterHub) -> None:
    id, asked = launch_id(secrets.token_bytes(9), b""), wish(path="../etc")
    try:
        seen = adapter.start(id, asked)
    except Refused as refused:
        failure = refused.failure
    else:
        assert seen.handle is not None
        failure = until(adapter, seen.handle, asked, LaunchState.FAILED).failure
    assert failure is not None
    assert failure.code is FailureCode.BAD_OPTION
    assert "path" in failure.message
    assert adapter.stop(Handle({"user": "ida", "server": id}), asked)


def test_a_real_start_is_called_off_while_it_is_pending(adapter: JupyterHub) -> None:
    id, asked = launch_id(secrets.token_bytes(9), b""), wish()
    handle = adapter.start(id, asked).handle
    assert handle is not None
    end = time.monotonic() + 120
    while not adapter.stop(handle, asked):
        assert time.monotonic() < end
        time.sleep(0.3)
    assert adapter.owned() == []


def test_the_line_brings_a_real_session_to_ready_and_to_its_end(adapter: JupyterHub, real: Hub, tmp_path: Path) -> None:
    trigger = hub_trigger(real.url, apiUrl=real.api)
    database = open_database(f"sqlite:///{tmp_path / 'launches.db'}", clock=now)
    ledger = Launches(database)
    platforms = {"north/hub": Platform("north/hub", facility(trigger), trigger, adapter)}
    line = Line(ledger, platforms, now, "worker")
    launch, _ = ledger.request(wish(), None, False, now() + timedelta(hours=1))

    def run_until(*states: LaunchState) -> None:
        end = time.monotonic() + 180
        while (found := ledger.launch(launch.id)) is not None and found.state not in states:
            assert time.monotonic() < end, ledger.events(launch.id)
            for id in sweep(line):
                advance(id, line)
            time.sleep(0.2)

    run_until(LaunchState.READY, LaunchState.FAILED)
    story = [event.state for event in ledger.events(launch.id)]
    assert story[:2] == [LaunchState.REQUESTED, LaunchState.CHECKED]
    assert story[-1] is LaunchState.READY
    ledger.want(launch.id, "stop")
    run_until(LaunchState.STOPPED, LaunchState.FAILED)
    assert adapter.owned() == []
    database.close()
