"""The demo's supervisor: this file starts children, tells how they come up, watches them, and ends them in reverse order."""

import fcntl
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from demo.children import Child, NotStarted, Running, death, end, start, sweep, wait_ready

LOOK = 0.5  # seconds between two looks at the children


class Busy(Exception):
    """The demo runs already in this folder."""


class Stopped(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM while things were still coming up."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder: one demo at a time, however an earlier one ended. Raises Busy."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise Busy(
                f"The demo runs already (pid {lock.read().strip() or 'unknown'}); end that one first, with Ctrl-C."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def asked_to_stop() -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set, as often as they come; the usual behaviour returns with the end of the context."""
    stop = Event()
    kept = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield stop
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def clear(children: Sequence[Child], folder: Path, console: Console) -> None:
    """End what a demo that was killed left behind in this folder."""
    left = sweep(folder / "pids", grace=5.0)
    for child in children:
        child.finish()
    if left:
        console.print(f"[dim]Ended what an earlier run left behind: {', '.join(left)}[/]")


def run(waves: Sequence[Sequence[Child]], folder: Path, console: Console, when_up: Callable[[Event], None]) -> int:
    """Start wave after wave, call `when_up`, wait for Ctrl-C or a death, end all. The exit code: 0 after Ctrl-C, 1 after a death."""
    running: list[Running] = []
    code = 0
    with asked_to_stop() as stop:
        try:
            for wave in waves:
                _bring_up(wave, folder, console, stop, running)
            when_up(stop)
            watch(running, stop)
        except Stopped:
            pass
        except NotStarted as failed:
            console.print(str(failed), style="red", highlight=False, markup=False, soft_wrap=True)
            code = 1
        finally:
            _bring_down(running, console)
    return code


def watch(running: Sequence[Running], stop: Event) -> None:
    """Return when asked to stop. Raises NotStarted, in a plain sentence, when a child ended by itself."""
    while not stop.wait(LOOK):
        for child in running:
            if child.process.poll() is not None:
                raise NotStarted(death(child))


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )


def _bring_up(wave: Sequence[Child], folder: Path, console: Console, stop: Event, running: list[Running]) -> None:
    """Start all of a wave at once and wait for each."""

    def still_wanted() -> None:
        if stop.is_set():
            raise Stopped

    with _progress(console) as progress:
        rows: list[TaskID] = []
        for child in wave:
            running.append(start(child, folder))
            rows.append(progress.add_task(child.title, total=1))
        for one, row in zip(running[-len(wave) :], rows, strict=True):
            wait_ready(one, still_wanted)
            progress.update(row, completed=1)


def _bring_down(running: Sequence[Running], console: Console) -> None:
    if not running:
        return
    with _progress(console) as progress:
        row = progress.add_task("Ending the demo", total=len(running))
        for one in reversed(running):
            end(one)
            progress.advance(row)
