"""Fresh clone, one command: from nothing to a cell that prints the dataset's name, and to nothing again (issue 3)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from kernel import run_cell
from visitor import Visitor
from waiting import until
from whole_demo import WholeDemo

from demo.people import PEOPLE

pytestmark = [pytest.mark.journey, pytest.mark.jupyterhub, pytest.mark.oidc, pytest.mark.timeout(900)]
ADA, BOHR, CURIE = PEOPLE
CHROMIUM = Path("/usr/bin/chromium")

ANALYSE = (
    "mutation($i: AnalyseInput!) { analyse(input: $i) { created launch { id state message openUrl dataset { pid } } } }"
)
FOLLOW = (
    "subscription($id: ID!) { launch(id: $id) { state message failure { code message } events { id state progress } } }"
)
OPTIONS = "query($p: String!) { analysisOptions(dataset: $p) { available reasons { code } procedures { id default } trigger { id kind } } }"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeDemo]:
    demo = WholeDemo(tmp_path_factory.mktemp("journey"))
    try:
        demo.start()
        yield demo
    finally:
        demo.end()


@pytest.fixture(scope="module")
def bohr(demo: WholeDemo) -> Visitor:
    visitor = Visitor(demo.url)
    visitor.sign_in(BOHR.name, BOHR.password)
    return visitor


def test_one_search_finds_datasets_of_both_facilities(demo: WholeDemo) -> None:
    found = Visitor(demo.url).ask(
        '{ datasets(query: "powder", first: 100, facets: [{field: FACILITY}]) '
        "{ totalCount nodes { pid title isPublic facility { key } } facets { buckets { value count } } "
        "sources { source state matched } } }"
    )["datasets"]
    assert {each["facility"]["key"] for each in found["nodes"]} == {"freya", "skadi"}
    assert all(each["isPublic"] for each in found["nodes"])
    assert {bucket["value"] for bucket in found["facets"][0]["buckets"]} == {"freya", "skadi"}
    assert {(each["source"], each["state"]) for each in found["sources"]} == {
        ("freya/scicat", "FRESH"),
        ("skadi/icat", "FRESH"),
    }
    counts = Visitor(demo.url).ask("{ facilities { key datasetCount } }")["facilities"]
    assert all(each["datasetCount"] > 500 for each in counts), counts


def test_everything_is_up_within_five_minutes(demo: WholeDemo) -> None:
    assert demo.took < 300, f"it took {demo.took:.0f} s"
    for person in PEOPLE:
        assert person.name in demo.said()
        assert person.password in demo.said()


def mine(visitor: Visitor) -> dict[str, Any]:
    """What the visitor may see that is not public, by pid."""
    found: dict[str, Any] = {}
    after = None
    while True:
        page = visitor.ask(
            "query($after: String) { datasets(scope: MINE, first: 100, after: $after) { totalCount "
            "nodes { pid isPublic facility { key } investigation { proposal } } pageInfo { hasNextPage endCursor } } }",
            after=after,
        )["datasets"]
        found |= {each["pid"]: each for each in page["nodes"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert len(found) == page["totalCount"]
            return found


def test_mine_is_what_is_embargoed_and_ones_own_and_nothing_else(demo: WholeDemo, bohr: Visitor) -> None:
    me = bohr.ask("{ me { name subject groups roles } }")["me"]
    assert {"freya:p-2026-014", "freya:p-2026-015", "freya:user:bohr"} <= set(me["groups"])
    own = mine(bohr)
    assert own
    assert not any(each["isPublic"] for each in own.values())
    freya = {each["investigation"]["proposal"] for each in own.values() if each["facility"]["key"] == "freya"}
    assert freya == {"p-2026-014", "p-2026-015"}
    curie = Visitor(demo.url)
    curie.sign_in(CURIE.name, CURIE.password)
    others = mine(curie)
    assert not any(each["facility"]["key"] == "freya" for each in others.values()), "curie has no proposal at Freya"
    assert set(own) - set(others), "there is something that bohr alone may see"
    alone = sorted(set(own) - set(others))[0]
    for stranger in (curie, Visitor(demo.url)):
        assert stranger.ask("query($p: String!) { dataset(pid: $p) { pid } }", p=alone)["dataset"] is None
    assert bohr.ask("query($p: String!) { dataset(pid: $p) { pid } }", p=alone)["dataset"] == {"pid": alone}
    refused = Visitor(demo.url).answer("{ datasets(scope: MINE) { totalCount } }")
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def servers_of(demo: WholeDemo, user: str) -> dict[str, Any]:
    """What the hub itself says runs for somebody; its token is read where the supervisor put it: pangate's environment."""
    environments = [process.environ() for process in demo.family() if "serve" in process.cmdline()]
    token = next(each["DEMO_HUB_TOKEN"] for each in environments if "DEMO_HUB_TOKEN" in each)
    answer = requests.get(
        f"{demo.hub_api}/users/{user}?include_stopped_servers", headers={"Authorization": f"token {token}"}, timeout=30
    )
    servers = answer.json().get("servers") or {} if answer.status_code == 200 else {}
    return {name: server for name, server in servers.items() if name}  # the one without a name is never started


@pytest.mark.parametrize("facility", ["freya", "skadi"])
def test_analyse_becomes_a_session_whose_kernel_knows_the_dataset(
    demo: WholeDemo, bohr: Visitor, facility: str
) -> None:
    found = bohr.ask(
        "query($f: [String!]) { datasets(filter: {facility: $f, analysable: true}, sort: RELEASED, first: 1) { nodes { pid } } }",
        f=[facility],
    )
    pid = found["datasets"]["nodes"][0]["pid"]
    (option,) = bohr.ask(OPTIONS, p=pid)["analysisOptions"]
    assert (option["available"], option["trigger"]["kind"]) == (True, "jupyterhub"), option
    asked = bohr.ask(ANALYSE, i={"dataset": pid, "key": f"journey {facility}"})["analyse"]
    launch = asked["launch"]
    assert (asked["created"], launch["state"], launch["dataset"]) == (True, "REQUESTED", {"pid": pid})
    again = bohr.ask(ANALYSE, i={"dataset": pid, "key": f"journey {facility}"})["analyse"]
    assert (again["created"], again["launch"]["id"]) == (False, launch["id"])

    states: list[str] = []
    for payload in bohr.follow(FOLLOW, id=launch["id"]):
        now = payload["data"]["launch"]
        assert now["failure"] is None, now
        states.append(now["state"])
        if now["state"] == "READY":
            break
    assert states[0] == "REQUESTED"
    assert states[-1] == "READY"
    assert "STARTING" in states or "PREPARING" in states or "QUEUED" in states

    native = bohr.ask("query($id: ID!) { launch(id: $id) { openUrl } }", id=launch["id"])["launch"]["openUrl"]
    assert native.startswith(f"{demo.url}/launch/")
    path = native.removeprefix(demo.url)
    opened = bohr.press(path, path)
    steps = [step.url for step in opened.history]
    assert opened.status_code == 200
    assert not any("/auth/" in step or "password" in step for step in steps), f"a second login: {steps}"
    server = opened.url.split("/lab")[0].split("/tree")[0].rstrip("/") + "/"
    assert f"/user/{BOHR.name}/" in server, opened.url
    assert run_cell(bohr.browser, server, "import os; print(os.environ['DATASET_PID'])") == f"{pid}\n"
    first = notebook_cell(bohr, server)
    assert pid in run_cell(bohr.browser, server, first)

    assert servers_of(demo, BOHR.name), "the hub knows of the session"
    bohr.ask(
        "mutation($i: StopLaunchInput!) { stopLaunch(input: $i) { launch { state } } }", i={"launch": launch["id"]}
    )
    payloads = list(bohr.follow(FOLLOW, id=launch["id"]))
    assert payloads[-1]["data"]["launch"]["state"] == "STOPPED"
    assert servers_of(demo, BOHR.name) == {}, "nothing is left at the hub"


def notebook_cell(visitor: Visitor, server: str) -> str:
    """The first cell of code of the notebook that the session opens with."""
    names = [each["name"] for each in visitor.browser.get(f"{server}api/contents/", timeout=30).json()["content"]]
    notebook = next(name for name in names if name.endswith(".ipynb"))
    cells = visitor.browser.get(f"{server}api/contents/{notebook}", timeout=30).json()["content"]["cells"]
    return str(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))


def test_nobodys_secret_is_in_a_log(demo: WholeDemo) -> None:
    environment = next(process.environ() for process in demo.family() if "serve" in process.cmdline())
    secrets = [environment[name] for name in environment if name.startswith("DEMO_") and name.endswith("TOKEN")]
    secrets.append(environment["PANGATE_OIDC_CLIENT_SECRET"])
    for log in ("pangate", "hub", "identity", "scicat", "icat"):
        if (demo.folder / "demo" / "logs" / f"{log}.log").exists():
            assert not any(secret in demo.log(log) for secret in secrets), log
    assert "Traceback" not in demo.log("pangate"), demo.log("pangate")[-3000:]


@pytest.mark.browser
def test_the_same_in_a_browser_looked_at_page_by_page(demo: WholeDemo, tmp_path: Path) -> None:
    """Set PANGATE_SCREENSHOTS to a folder to keep what was seen."""
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    shots = Path(os.environ.get("PANGATE_SCREENSHOTS") or tmp_path)
    shots.mkdir(parents=True, exist_ok=True)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--no-proxy-server"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(90_000)
        try:
            wrong: list[str] = []
            page.on("console", lambda said: wrong.append(said.text) if ours(said, demo) else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            walk(page, demo, shots, wrong)
        finally:
            browser.close()


def walk(page: Any, demo: WholeDemo, shots: Path, wrong: list[str]) -> None:
    """Home, search, dataset, sign in, analyse, progress, JupyterLab."""
    page.goto(f"{demo.url}/")
    page.screenshot(path=shots / "1-home.png", full_page=True)
    box = page.locator("main input[name=q]")
    box.fill("diffraction")
    box.press("Enter")
    page.wait_for_url("**/search?*")
    page.screenshot(path=shots / "2-search.png", full_page=True)
    page.locator("a[href*='/dataset/']").first.click()
    page.wait_for_url("**/dataset/**")
    page.screenshot(path=shots / "3-dataset.png", full_page=True)
    where = page.url
    page.get_by_role("link", name="Sign in").first.click()
    identify(page, CURIE.name, CURIE.password)
    page.wait_for_url(f"{demo.url}/**")
    page.screenshot(path=shots / "4-signed-in.png", full_page=True)
    if page.url.split("#")[0] != where:
        page.goto(where)
    assert wrong == [], "the pages of pangate itself have no error in the browser's console"
    page.locator("form[action$='/analyse'] button[type=submit], form[action$='/analyse'] button").first.click()
    page.wait_for_url("**/launch/**")
    page.screenshot(path=shots / "5-progress.png", full_page=True)
    door = page.locator("form[action$='/open'] button")
    door.first.wait_for(timeout=120_000)
    page.screenshot(path=shots / "6-ready.png", full_page=True)
    assert wrong == [], "nor have the pages of a session"
    door.first.click()
    for _ in range(600):
        if lab(page) is not None:
            break
        page.wait_for_timeout(100)  # playwright hears of new tabs only while it waits itself
    jupyter = lab(page)
    assert jupyter is not None, f"at {[each.url for each in page.context.pages]}"
    jupyter.locator("#jp-main-dock-panel, .jp-LabShell").first.wait_for(timeout=120_000)
    jupyter.wait_for_timeout(2_000)  # for the picture alone
    jupyter.screenshot(path=shots / "7-jupyterlab.png")


def ours(said: Any, demo: WholeDemo) -> bool:
    """Whether that is an error, and of pangate: Canaille's style sheet names fonts that it does not bring, which a browser asks for when
    the sheet that has them comes late."""
    identity = f"http://127.0.0.1:{demo.ports['DEMO_IDENTITY_PORT']}/"
    return said.type == "error" and not said.location["url"].startswith(identity)


def lab(page: Any) -> Any:
    """The tab where JupyterLab is, if there is one."""
    return next((each for each in page.context.pages if f"/user/{CURIE.name}/" in each.url), None)


def identify(page: Any, user: str, password: str) -> None:
    """Fill in the identity server's two forms."""
    page.locator("input[name=login]").fill(user)
    page.locator("input[name=login]").press("Enter")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")


def test_ctrl_c_ends_everything(demo: WholeDemo) -> None:
    """The last one: nothing of the demo is there afterwards."""
    family = [process.pid for process in demo.family()]
    assert len(family) >= 7, "supervisor, identity, hub, proxy, two facilities, pangate"
    assert demo.interrupt() == 0, demo.said()
    until(lambda: not demo.family(), 60, lambda: str([process.cmdline() for process in demo.family()]))
    assert "Traceback" not in demo.said()
    assert "Traceback" not in demo.log("pangate"), demo.log("pangate")[-3000:]
