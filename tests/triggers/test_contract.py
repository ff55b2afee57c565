"""Every adapter passes the contract of triggers: the JupyterHub one on the double, in both dialects, and the tests' own platform."""

from collections.abc import Callable

import pytest
from contracts.trigger import Stage, TriggerContract
from doubles.jupyterhub import Hub
from fakes.north import TOKEN, request
from fakes.platform import AWAY, FakePlatform

from schema.activities import LaunchState
from triggers.jupyterhub import JupyterHub
from triggers.ports import Observation


class TestJupyterHub(TriggerContract):
    @pytest.fixture
    def stage(self, make_hub: Callable[..., Hub], make_adapter: Callable[..., JupyterHub]) -> Stage:
        hub = make_hub(spawn_takes=0.1)

        def cut_off() -> None:
            hub.faults.no_model = True

        return Stage(make_adapter(hub), request(), hub.url, TOKEN, cut_off, hub.kill)


class TestThePlatformInMemory(TriggerContract):
    @pytest.fixture
    def stage(self) -> Stage:
        platform = FakePlatform(seen=Observation(LaunchState.READY, "ready", evidence="memory"))

        def cut_off() -> None:
            platform.trouble = dict.fromkeys(("probe", "stop", "answer", "owned"), AWAY)

        return Stage(platform, request(), "https://hub.north.example/", TOKEN, cut_off, platform.sessions.clear)
