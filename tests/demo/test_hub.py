"""The demo's real JupyterHub: started by a service for somebody, opened by that person without a second login, ended entirely."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from kernel import run_cell
from sign_in import sign_in
from waiting import until

from demo.children import end
from demo.hub import Hub, end_leftovers, hub, start_hub
from demo.identity import identity
from demo.people import PEOPLE
from demo.ports import free_port

pytestmark = [pytest.mark.jupyterhub, pytest.mark.timeout(600)]
ADA, BOHR, CURIE = PEOPLE
OPTIONS = {
    "dataset": "10.82001/ds-0042",
    "title": "Magnetism of α-Fe2O3",
    "path": "/data/freya/p-2026-014/raw",
    "procedure": "inspect",
    "environment": "python",
}


class Api:
    """The hub's REST API with the token of pangate's service."""

    def __init__(self, plan: Hub) -> None:
        self.root, self.head = plan.api, {"Authorization": f"token {plan.token}"}

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        return requests.request(method, f"{self.root}{path}", headers=self.head, timeout=30, **more)

    def start(self, user: str, server: str, **options: str) -> requests.Response:
        self.ask("POST", f"/users/{user}")
        whole = {**OPTIONS, "launch": server, **options}
        return self.ask("POST", f"/users/{user}/servers/{server}", json={"user_options": whole})

    def model(self, user: str, server: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/users/{user}/servers/{server}").json())

    def ready(self, user: str, server: str) -> dict[str, Any]:
        until(lambda: self.model(user, server).get("ready"))
        return self.model(user, server)

    def stop(self, user: str, server: str) -> None:
        self.ask("DELETE", f"/users/{user}/servers/{server}", json={"remove": True})
        until(lambda: self.ask("GET", f"/users/{user}/servers/{server}").status_code == 404)


def belonging(folder: Path) -> list[psutil.Process]:
    """Processes that name the hub's folder in their command line, their environment or as the place they work in."""
    found = []
    for process in psutil.process_iter():
        try:
            about = " ".join([*process.cmdline(), *process.environ().values(), process.cwd()])
        except psutil.Error:
            continue
        if str(folder) in about and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
            found.append(process)
    return found


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    port = free_port()
    plan = Hub(tmp_path_factory.mktemp("hub"), issuer=f"http://127.0.0.1:{port}")
    with identity([plan.client], port), hub(plan):
        yield plan
    assert belonging(plan.folder) == []


@pytest.fixture(scope="module")
def api(plan: Hub) -> Api:
    return Api(plan)


def test_the_whole_way_of_a_session(plan: Hub, api: Api) -> None:
    assert api.ask("GET", f"/users/{BOHR.name}").status_code == 404, "bohr must be somebody who was never at this hub"
    assert api.start("bohr", "a1").status_code in (201, 202)
    assert api.ready("bohr", "a1")["user_options"]["dataset"] == OPTIONS["dataset"]

    browser = requests.Session()
    server = f"{plan.url}/user/bohr/a1/"
    sign_in(browser, f"{plan.issuer}/login", "bohr", BOHR.password)
    opened = browser.get(server, timeout=30)
    assert opened.status_code == 200
    assert opened.url == f"{server}lab/tree/inspect.ipynb"
    assert not any("/auth/password" in step.url or "/login?" in step.url.split("/hub/")[0] for step in opened.history)

    first = browser.get(f"{server}api/contents/inspect.ipynb", timeout=30).json()["content"]["cells"][1]["source"]
    assert run_cell(browser, server, first) == f"{OPTIONS['dataset']}\n"
    rest = (
        "import os\nfor name in ('DATASET_PATH', 'PROCEDURE', 'ENVIRONMENT_REF', 'LAUNCH_ID'): print(os.environ[name])"
    )
    assert run_cell(browser, server, rest).split("\n") == [OPTIONS["path"], "inspect", "python", "a1", ""]
    secret = f"import os; print([name for name, value in os.environ.items() if {plan.token!r} in value or {plan.client_secret!r} in value])"
    assert run_cell(browser, server, secret) == "[]\n"

    api.stop("bohr", "a1")
    assert run_gone(plan, "a1")


def run_gone(plan: Hub, server: str) -> bool:
    """Whether no process works in that session's folder any more."""
    return not belonging(plan.folder / "homes" / "bohr" / server)


def test_nobody_else_gets_in(plan: Hub, api: Api) -> None:
    api.start("bohr", "a2")
    api.ready("bohr", "a2")
    page = f"{plan.url}/user/bohr/a2/lab"
    assert sign_in(requests.Session(), page, "curie", CURIE.password).status_code == 403
    assert requests.get(f"{plan.url}/user/bohr/a2/api/contents", headers=api.head, timeout=30).status_code == 403
    assert sign_in(requests.Session(), page, "bohr", BOHR.password).status_code == 200
    api.stop("bohr", "a2")


def test_the_service_may_start_and_stop_but_neither_open_nor_mint_tokens(api: Api) -> None:
    scopes = api.ask("GET", "/user").json()["scopes"]
    assert {"start:servers", "read:servers", "delete:servers", "list:users"} <= set(scopes)
    assert not [scope for scope in scopes if scope.startswith(("access:", "tokens", "admin:servers", "shares"))]
    api.ask("POST", "/users/curie")
    assert api.ask("POST", "/users/curie/tokens", json={}).status_code == 403


def test_options_that_are_not_on_the_list_are_refused_in_words_before_anything_starts(api: Api) -> None:
    answer = api.start("curie", "b1", image="evil")
    assert answer.status_code == 400
    assert "'image'" in answer.json()["message"]
    assert api.start("curie", "b2", path="/data/../../etc").status_code == 400
    assert not api.ask("GET", "/users/curie").json()["servers"]


def test_progress_arrives_while_the_session_starts(plan: Hub, api: Api) -> None:
    def early(server: str) -> bool:
        """Whether the session was not ready yet when the first event came."""
        api.start("curie", server, environment="python-minimal")
        ready: list[bool] = []
        with api.ask("GET", f"/users/curie/servers/{server}/progress", stream=True) as stream:
            for line in stream.iter_lines():
                if line.startswith(b"data:"):
                    seen.append(json.loads(line[5:]))
                    ready = ready or [api.model("curie", server)["ready"]]
        return not ready[0]

    seen: list[dict[str, Any]] = []
    name = next((name for name in ("c1", "c2", "c3") if early(name)), "")  # we may be kept from looking for long enough
    assert name, "the first event came when all was over, three times: it was held back"
    assert seen[-1]["ready"]
    assert seen[-1]["url"] == f"/user/curie/{name}/"
    browser = requests.Session()
    sign_in(browser, f"{plan.url}/user/curie/{name}/lab", "curie", CURIE.password)
    assert browser.get(f"{plan.url}/user/curie/{name}/api/terminals", timeout=30).status_code == 404
    for server in ("c1", "c2", "c3")[: int(name[1])]:
        api.stop("curie", server)


def test_a_killed_hub_finds_its_sessions_again_and_nothing_is_left_at_the_end(tmp_path: Path) -> None:
    plan = Hub(tmp_path)
    running = start_hub(plan)
    try:
        api = Api(plan)
        api.start("bohr", "d1")
        api.ready("bohr", "d1")
        session = psutil.Process(int(next((tmp_path / "servers").glob("*.json")).stem))
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(60)
        assert session.is_running()
        running = start_hub(plan)
        assert Api(plan).ready("bohr", "d1")["ready"]
        assert session.is_running()
    finally:
        end(running)
    assert belonging(tmp_path) == []


def test_what_a_killed_hub_leaves_is_ended_by_the_next_one(tmp_path: Path) -> None:
    running = start_hub(Hub(tmp_path))
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(60)
    assert end_leftovers(tmp_path) == ("proxy",)
    assert belonging(tmp_path) == []


def test_a_session_past_its_life_is_ended_by_the_hub(tmp_path: Path) -> None:
    plan = Hub(tmp_path, life=8.0)
    with hub(plan):
        Api(plan).start("curie", "e1")
        until(lambda: belonging(tmp_path / "homes"))
        until(lambda: not belonging(tmp_path / "homes"))
        until(lambda: not list((tmp_path / "servers").glob("*.json")))
