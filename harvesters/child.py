"""This file is the process that fetches, parses and converts on a harvest's behalf, bounded in memory and time.

Foreign bytes are met here and nowhere else. It is told what to do on standard input, writes frames to standard output (four
bytes of length, then MessagePack), and writes nothing else anywhere.
"""

from __future__ import annotations

import contextlib
import os
import queue
import resource
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from harvesters.ports import End, Order, Secrets, Step
from harvesters.registry import KINDS
from schema.errors import Misconfigured, RetryLater, StopHarvest
from schema.federation import Facility, Source
from schema.techniques import Table, Vocabulary, default, of

MEMORY = 1 << 30
SECONDS = 24 * 3600
FRAME = 256 << 20
_AHEAD = 4
_HOME = Path(__file__).resolve().parent.parent
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What the child inherits: none of the secrets that it is not told."""


_QUICK = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""Nothing is looked for that could be plugged in: it takes a while, and nothing else has a say where foreign bytes are met."""


class Task(msgspec.Struct, frozen=True):
    """What the child is told: facility and source (as JSON of their models), the order, the secrets the login names, and the
    vocabulary of techniques when it is not the packaged one."""

    facility: str
    source: str
    order: Order
    secrets: dict[str, str]
    vocabulary: Table | None = None


class Fault(msgspec.Struct, frozen=True, tag=True):
    """Why the walk ended without an End."""

    recovery: str
    reason: str
    message: str
    not_before: datetime | None = None


Frame = Step | End | Fault
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


class _Given:
    """The secrets that came with the task."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def secret(self, name: str) -> str:
        """As harvesters.ports.Secrets."""
        if name not in self._values:
            raise Misconfigured(f"the secret {name} is not set; put it into the environment.")
        return self._values[name]


def walk(
    facility: Facility, source: Source, order: Order, secrets: Secrets, vocabulary: Vocabulary | None = None
) -> Generator[Step | End, None, None]:
    """The harvester's walk, run in a child process. Raises RetryLater, StopHarvest, Misconfigured.

    A child that is killed (memory, time, a crash of a parser) ends in StopHarvest `child-died`; what was committed stays.
    """
    if source.kind not in KINDS:
        raise Misconfigured(
            f"there is no harvester for sources of the kind {source.kind} yet; there are: {', '.join(KINDS)}."
        )
    named = [name for name in (source.login.password, source.login.token) if name] if source.login else []
    task = Task(
        facility=facility.model_dump_json(by_alias=True, exclude={"sources", "triggers"}),
        source=source.model_dump_json(by_alias=True),
        order=order,
        secrets={name: secrets.secret(name) for name in named},
        vocabulary=None if vocabulary is None or vocabulary is default() else vocabulary.table,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "harvesters.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd=_HOME,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _QUICK,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    frames = _Ahead(process.stdout)
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(msgspec.json.encode(task))
            process.stdin.close()
        yield from _frames(process, frames)
    finally:
        process.kill()
        process.wait()
        while not frames.ended:
            frames.get()
        process.stdout.close()


class _Ahead:
    """Frames read ahead by a thread, a few at most, so that fetching goes on while a page is committed."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.ended = False
        self._frames: queue.Queue[Frame | None] = queue.Queue(_AHEAD)
        self._pipe = pipe
        threading.Thread(target=self._read, daemon=True, name="harvest-frames").start()

    def get(self) -> Frame | None:
        """The next frame; None when there are no more."""
        frame = None if self.ended else self._frames.get()
        self.ended = frame is None
        return frame

    def _read(self) -> None:
        """A frame that is too long or cannot be read ends it: the child is not what it was."""
        with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):
            while len(head := self._pipe.read(4)) == 4 and (size := struct.unpack(">I", head)[0]) <= FRAME:
                self._frames.put(_decoder.decode(self._pipe.read(size)))
        self._frames.put(None)


def _frames(process: subprocess.Popen[bytes], frames: _Ahead) -> Iterator[Step | End]:
    while (frame := frames.get()) is not None:
        if isinstance(frame, Fault):
            if frame.recovery == "retry":
                raise RetryLater(frame.message, not_before=frame.not_before)
            if frame.recovery == "configure":
                raise Misconfigured(frame.message)
            raise StopHarvest(frame.reason, frame.message)
        yield frame
        if isinstance(frame, End):
            return
    process.kill()
    code = process.wait()
    raise StopHarvest(
        "child-died", f"The harvest's own process ended early ({_ending(code)}); what was committed stays."
    )


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def main() -> None:
    """Do the task on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.alarm(SECONDS)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    try:
        for frame in _done(task):
            data = msgspec.msgpack.encode(frame)
            out.write(struct.pack(">I", len(data)) + data)
            out.flush()
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more; a flush at exit would only fail once more


def _done(task: Task) -> Iterator[Frame]:
    facility, source = Facility.model_validate_json(task.facility), Source.model_validate_json(task.source)
    try:
        vocabulary = None if task.vocabulary is None else of(task.vocabulary)
        harvester = KINDS[source.kind](facility, source, _Given(task.secrets), lambda: datetime.now(UTC), vocabulary)
        try:
            yield from harvester.walk(task.order)
        finally:
            harvester.close()
    except RetryLater as error:
        yield Fault("retry", "", error.message, error.not_before)
    except StopHarvest as error:
        yield Fault("stop", error.reason, error.message)
    except Misconfigured as error:
        yield Fault("configure", "", error.message)
    except MemoryError:
        yield Fault("stop", "memory", "The source's answers need more memory than a harvest is given.")
    except RecursionError:
        yield Fault("stop", "depth", "The source's answers are nested too deeply.")
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # The border to foreign bytes: a shape that nobody foresaw must end with a name, not with a traceback.
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} in {Path(where.filename).stem}, line {where.lineno}"
        yield Fault("stop", "malformed", f"The source's answer has a shape that is not understood ({place}).")


if __name__ == "__main__":
    main()
