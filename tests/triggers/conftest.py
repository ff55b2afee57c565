"""What the trigger tests share: a hub that is a double, and an adapter on it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from doubles.jupyterhub import V5_SCOPES, Faults, Hub, running
from fakes.north import Vault, facility, hub_trigger, now

from triggers.jupyterhub import JupyterHub, open_jupyterhub


@pytest.fixture(params=["6.1.1", "5.5.4"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_hub(version: str) -> Iterator[Callable[..., Hub]]:
    """A running double of that version; keyword arguments that are no attribute of it are faults."""
    with ExitStack() as stack:

        def make(**given: Any) -> Hub:
            faults = Faults(**{name: given.pop(name) for name in list(given) if name in Faults.__dataclass_fields__})
            old = {"scopes": V5_SCOPES} if version.startswith("5") else {}
            made = Hub(**{"version": version, "users": {"mia": {}}, **old, **given}, faults=faults)
            return stack.enter_context(running(made))

        yield make


@pytest.fixture
def make_adapter() -> Iterator[Callable[..., JupyterHub]]:
    """The adapter of a hub."""
    opened = []

    def make(hub: Hub, **changed: Any) -> JupyterHub:
        trigger = hub_trigger(hub.url, **changed)
        opened.append(open_jupyterhub(facility(trigger), trigger, Vault(), now))
        return opened[-1]

    yield make
    for each in opened:
        each.close()
