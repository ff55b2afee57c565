"""The process that meets foreign bytes: bounded, killable, told only what it needs; the parent ends well whatever becomes of it."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harvesting import FULL, SciCatSite, differences

from demo.scicat.server import serve
from demo.scicat.store import Store
from harvesters import child
from harvesters.ports import End, Order, Step
from schema.activities import HarvestState
from schema.records import Kind


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SciCatSite]:
    store = Store()
    with serve(store) as url:
        yield SciCatSite(store, url, tmp_path)


def by_child(site: SciCatSite) -> Any:
    return lambda order: child.walk(site.facility, site.source, order, site.secrets)


def children() -> set[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    )
    return {int(line.split()[0]) for line in found.stdout.splitlines() if "harvesters.child" in line}


def test_a_harvest_by_a_child_is_the_same_as_one_here(site: SciCatSite) -> None:
    for number in range(20):
        site.store.put_dataset(pid=f"d{number:02}")
    assert site.harvest(FULL, by_child(site)).state is HarvestState.DONE
    other = site.fresh("here")
    other.done()
    assert differences(site.dump(), other.dump()) == {}
    assert children() == set()


@pytest.mark.crash
def test_a_child_that_is_killed_leaves_what_was_committed_and_the_next_goes_on(site: SciCatSite) -> None:
    for number in range(60):
        site.store.put_dataset(pid=f"d{number:02}")
    site.store.latency = 0.4  # the child must not be done before it is killed
    seen = 0

    def walk(order: Order) -> Iterator[Step | End]:
        nonlocal seen
        for step in child.walk(site.facility, site.source, order, site.secrets):
            seen += 1
            if seen == 3:
                for pid in children():
                    os.kill(pid, signal.SIGKILL)
            yield step

    run = site.harvest(FULL, walk)
    assert run.state is HarvestState.FAILED
    assert "killed by SIGKILL" in run.message
    assert 0 < len(site.ids(Kind.DATASET)) < 60
    site.store.latency = 0.0
    assert site.harvest(FULL, by_child(site)).state is HarvestState.DONE
    assert len(site.ids(Kind.DATASET)) == 60


def test_a_parent_that_stops_listening_ends_the_child_and_its_thread(site: SciCatSite) -> None:
    for number in range(120):
        site.store.put_dataset(pid=f"d{number:03}")
    before = threading.active_count()
    walk = child.walk(site.facility, site.source, Order(FULL), site.secrets)
    next(walk)
    assert children()
    walk.close()  # type: ignore[attr-defined]
    assert children() == set()
    deadline = time.monotonic() + 60
    while any(each.name == "harvest-frames" for each in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before + 1


def test_an_answer_that_would_fill_the_memory_ends_in_a_sentence(
    site: SciCatSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is the child's own; here it is set below what Python and the vocabulary need."""
    site.store.put_dataset(pid="d")
    script = "import harvesters.child as child; child.MEMORY = 220 << 20; child.main()"
    real = subprocess.Popen
    monkeypatch.setattr(child.subprocess, "Popen", lambda args, **more: real([args[0], "-c", script], **more))
    site.store.put_dataset(pid="big", scientificMetadata={f"k{n}": list(range(30)) for n in range(120_000)})
    run = site.harvest(FULL, by_child(site))
    assert run.state is HarvestState.FAILED
    assert run.message == "The source's answers need more memory than a harvest is given."
    assert sum("/datasets?" in asked for asked in site.store.requests) == 1


def test_the_child_inherits_no_secrets_it_is_not_told(site: SciCatSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANGATE_OIDC_CLIENT_SECRET", "of no concern to it")
    given: list[dict[str, str]] = []
    real = subprocess.Popen

    def noted(args: Any, **more: Any) -> Any:
        given.append(more["env"])
        return real(args, **more)

    monkeypatch.setattr(child.subprocess, "Popen", noted)
    site.harvest(FULL, by_child(site))
    assert given
    assert "PANGATE_OIDC_CLIENT_SECRET" not in given[0]


def test_an_unforeseen_shape_is_named_and_not_a_traceback(site: SciCatSite, capfd: pytest.CaptureFixture[str]) -> None:
    from demo.icat.server import serve as serve_icat
    from demo.icat.store import Store as IcatStore

    store = IcatStore()
    store.add_user("anon/anon", "", ["Dataset"])
    with serve_icat(store) as url:
        source = site.source.model_copy(
            update={"kind": "icat", "url": url.replace("/icat", "/icat/entityManager"), "login": None}
        )
        site.source = source
        run = site.harvest(FULL, by_child(site))
    assert run.state is HarvestState.FAILED
    assert run.message
    assert "Traceback" not in capfd.readouterr().err
