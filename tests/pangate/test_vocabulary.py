"""The ontology of techniques from a path or an address: kept for the next start, bounded, and every fault said in plain words."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from graphql_world import FEDERATION, World
from statements import federated, name

from gateway.dcat import place
from pangate.vocabulary import vocabulary_of
from schema.errors import Misconfigured
from schema.ontology import OWL_BYTES
from schema.techniques import Table, Term, default

TECHNIQUE = Term("http://purl.org/pan-science/PaNET/PaNET00001", "photon and neutron technique")
TABLE = msgspec.json.encode(
    Table(
        "PaNET",
        "PaNET",
        "9.9.9",
        "http://purl.org/pan-science/PaNET/PaNET.owl",
        "https://x.example.org/",
        "by",
        (TECHNIQUE,),
    )
)


@dataclass
class Release:
    """A server of releases: `answer` is what it does next."""

    body: bytes = TABLE
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
    asked: int = 0
    url: str = ""


@contextmanager
def served() -> Iterator[Release]:
    release = Release()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            release.asked += 1
            status = 200 if self.path == "/moved.json" else release.status
            self.send_response(status)
            headers = {} if self.path == "/moved.json" else release.headers
            for key, value in {"content-length": str(len(release.body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            for at in range(0, len(release.body), 1 if release.drip_s else len(release.body) or 1):
                try:
                    self.wfile.write(release.body[at : at + (1 if release.drip_s else len(release.body))])
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(release.drip_s)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    release.url = f"http://127.0.0.1:{server.server_address[1]}/panet.json"
    try:
        yield release
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def release() -> Iterator[Release]:
    with served() as made:
        yield made


def test_without_a_place_it_is_the_packaged_one(tmp_path: Path) -> None:
    assert vocabulary_of(None, tmp_path) is default()


def test_a_path_to_a_table_or_a_release_serves(tmp_path: Path, shared: Path) -> None:
    (tmp_path / "own.json").write_bytes(TABLE)
    assert vocabulary_of(str(tmp_path / "own.json"), tmp_path).version == "9.9.9"
    released = vocabulary_of(str(shared / "standards/panet/PaNET-1.3.0.owl"), tmp_path)
    assert (released.version, len(released.terms)) == ("1.3.0", len(default().terms))


def test_an_address_serves_and_is_asked_again_at_the_next_start(tmp_path: Path, release: Release) -> None:
    assert vocabulary_of(release.url, tmp_path).version == "9.9.9"
    release.body = TABLE.replace(b"9.9.9", b"9.9.10")
    assert vocabulary_of(release.url, tmp_path).version == "9.9.10"
    assert release.asked == 2


def test_a_released_owl_at_an_address_is_the_same_as_the_packaged_table(
    tmp_path: Path, release: Release, shared: Path
) -> None:
    release.body = (shared / "standards/panet/PaNET-1.3.0.owl").read_bytes()
    found = vocabulary_of(release.url.replace(".json", ".owl"), tmp_path)
    assert dict(found.terms) == dict(default().terms)


def test_a_restart_works_while_the_address_does_not_answer(tmp_path: Path) -> None:
    with served() as release:
        vocabulary_of(release.url, tmp_path)
        address = release.url
    assert vocabulary_of(address, tmp_path).version == "9.9.9"
    with pytest.raises(Misconfigured, match="could not be fetched"):
        vocabulary_of(address, tmp_path / "another data folder")
    with pytest.raises(Misconfigured):
        vocabulary_of(address.replace("panet", "other"), tmp_path)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"status": 404}, "answers 404"),
        ({"status": 500}, "answers 500"),
        ({"body": b"<html>Not here</html>"}, "no PaNET release"),
        ({"body": b""}, "no PaNET release"),
        ({"body": b"{}"}, "no PaNET release"),
        ({"body": b" " * (OWL_BYTES + 1)}, "more than 16 MiB"),
        ({"headers": {"content-length": str(len(TABLE) + 10)}}, "ended too early|could not be fetched"),
        ({"headers": {"content-encoding": "gzip"}}, "compressed"),
        ({"status": 302, "headers": {"location": "/panet.json"}}, "more than 5 times"),
        ({"status": 302, "headers": {"location": "file:///etc/hostname"}}, "not http"),
        ({"status": 302}, "more than 5 times|could not be fetched"),
        ({"drip_s": 0.05}, "too long"),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_fault_is_told_in_plain_words_and_what_was_kept_goes_on(
    fault: dict[str, object], told: str, tmp_path: Path, release: Release
) -> None:
    vocabulary_of(release.url, tmp_path)
    for key, value in fault.items():
        setattr(release, key, value)
    with pytest.raises(Misconfigured, match=told) as raised:
        vocabulary_of(release.url, tmp_path / "nothing kept", within_s=0.6)
    assert raised.value.message.startswith("PANGATE_VOCABULARY: ")
    assert vocabulary_of(release.url, tmp_path, within_s=0.6).version == "9.9.9"


def test_a_redirect_is_followed(tmp_path: Path, release: Release) -> None:
    release.status, release.headers = 302, {"location": "/moved.json"}
    assert vocabulary_of(release.url, tmp_path).version == "9.9.9"


@pytest.mark.parametrize("place", ["no such file", "/", "ftp://x.example.org/panet.owl", "\x00"])
def test_a_place_that_is_none_is_told(place: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PANGATE_VOCABULARY"):
        vocabulary_of(place, tmp_path)


async def test_its_version_shows_in_graphql_and_in_dcat(tmp_path: Path, release: Release) -> None:
    world = World()
    world.vocabulary = vocabulary_of(release.url, tmp_path)
    told = (await world.ask("{vocabulary{name version}}"))["vocabulary"]
    assert told == {"name": "PaNET", "version": "9.9.9"}
    said = federated([], place(FEDERATION, world.vocabulary, world.url), world.vocabulary)
    assert [each.object.value for each in said if each.predicate == name("owl:versionInfo")] == ["9.9.9"]
