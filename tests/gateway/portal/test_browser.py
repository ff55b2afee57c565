"""One journey through the pages in a real browser, and hostile records that must not run anything there."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from graphql_world import ALICE, dataset, document, some_documents
from portal_world import World

from schema.activities import LaunchState
from schema.records import Person, Related

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</script><script>alert(1)</script>",
    '" autofocus onfocus=alert(1) x="',
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
]


def hostile(number: int, payload: str) -> Any:
    """A dataset that says the payload everywhere."""
    return document(
        dataset(
            number,
            title=f"evil {payload}",
            description=payload,
            type=payload,
            keywords=(payload,),
            license=payload,
            source_url=payload,
            people=(Person(payload, orcid=payload, role=payload),),
            related=(Related(payload, payload, payload, payload),),
        ),
        number,
    )


class Running:
    """The gateway on a port of its own, in a thread; `do` runs something on its loop."""

    def __init__(self, world: World, listening: socket.socket) -> None:
        self.world = world
        self.server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    documents = [*some_documents(), *(hostile(100 + at, each) for at, each in enumerate(PAYLOADS))]
    made = Running(World(tmp_path_factory.mktemp("index"), documents=documents, url=url), listening)
    yield made
    made.close()
    made.world.index.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, running: Running) -> Iterator[Any]:
    """A signed-in visitor's page; what its console complains of fails the test."""
    context = browser.new_context(base_url=running.world.url)
    context.add_cookies([{"name": "pangate-session", "value": running.world.sign_in(ALICE), "url": running.world.url}])
    opened = context.new_page()
    opened.set_default_timeout(90_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    yield opened
    context.close()
    assert complaints == []


def test_from_a_typed_word_to_an_open_session(page: Any, running: Running) -> None:
    page.goto("/")
    page.keyboard.type("iron")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?**")
    page.click("li.result h2 a")
    page.click("text=Start a notebook here")
    page.wait_for_url("**/launch/*")
    id = page.url.rsplit("/", 1)[1]
    loop_tell(running, id, LaunchState.STARTING, "The hub starts it.")
    page.wait_for_selector("text=The hub starts it.")
    loop_tell(running, id, LaunchState.READY, "It answers.")
    page.wait_for_selector("button#open")
    page.context.route(
        "https://hub.example.org/**", lambda route: route.fulfill(body="the session", content_type="text/html")
    )
    with page.expect_popup() as opened:
        page.click("button#open")
    opened.value.wait_for_url("https://hub.example.org/")
    page.click("button#stop")
    page.wait_for_selector("text=Being ended")


def loop_tell(running: Running, id: str, state: LaunchState, message: str) -> None:
    """The next step of a launch's life, told on the server's own loop so that its followers wake."""
    done = threading.Event()

    def tell() -> None:
        running.world.desk.tell(id, state, message)
        done.set()

    running.world.loop().call_soon_threadsafe(tell)
    assert done.wait(60)


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_hostile_records_run_nothing(page: Any, number: int) -> None:
    page.goto("/search?q=evil")
    page.wait_for_selector("li.result")
    page.goto(f"/dataset/10.5442/nd{100 + number:06}")
    assert page.title().startswith("evil")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_window(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for path in ("/", "/search?q=silver", "/dataset/10.5442/nd000001", "/sources", "/about", "/launches"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_filters_work_by_keyboard_and_without_scripts(browser: Any, running: Running) -> None:
    context = browser.new_context(base_url=running.world.url, java_script_enabled=False)
    opened = context.new_page()
    opened.set_default_timeout(90_000)
    opened.goto("/search")
    opened.click("text=South Neutron Source")
    assert opened.locator("h1").inner_text() == "1 dataset"
    opened.fill("input[name=q]", "neutrons")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**q=neutrons**")
    assert "facility=south" in opened.url
    context.close()
