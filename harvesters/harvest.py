"""This file is the line of a harvest: lease, pages one transaction each, sweep, figures. Read it top to bottom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress

from catalogue import names
from catalogue.ports import Harvest, HarvestLedger, Lease, Page
from harvesters.ports import End, Order, Step
from schema.activities import HarvestMode, HarvestState
from schema.errors import LeaseLost, Misconfigured, RetryLater, StopHarvest, Unavailable
from schema.records import Kind

LEASE_S = 120.0
RECORDS = 500
GUARD_MIN, GUARD_SHARE = 50, 0.10
REJECTS_SHARE = 0.20
LATE = 10_000

Walk = Callable[[Order], Generator[Step | End, None, None]]
Progress = Callable[[Harvest, str, int | None], None]


def harvest(
    source: str,
    mode: HarvestMode,
    walk: Walk,
    ledger: HarvestLedger,
    owner: str,
    progress: Progress = lambda _run, _message, _total: None,
) -> Harvest | None:
    """Harvest a source once, or go on with an interrupted harvest of it; None when somebody else is at it.

    `walk` gives the steps for an order. Faults end the harvest with a message and a state, never an exception; a crash leaves it
    to be gone on with from its last committed page.
    """
    lease = ledger.acquire(f"source:{source}", owner, LEASE_S)
    if lease is None:
        return None
    try:
        with _kept(lease, ledger):
            return _run(lease, source, mode, walk, ledger, progress)
    except LeaseLost:
        return None
    finally:
        with suppress(Unavailable):  # the lease ends by itself; a harvest that is closed is not done again for that
            ledger.release(lease)


def _run(
    lease: Lease, source: str, mode: HarvestMode, walk: Walk, ledger: HarvestLedger, progress: Progress
) -> Harvest:
    since = ledger.bookmark(source)
    run = ledger.begin(lease, source, mode if since.state else HarvestMode.FULL)
    try:
        run, end = _walked(lease, run, Order(run.mode, since, run.bookmark), walk, ledger, progress)
        while late := tuple(ledger.owing(source, LATE)):
            run, _ = _walked(lease, run, Order(run.mode, ids=late), walk, ledger, progress)
            run = ledger.commit(lease, run, Page(settled=late))  # what is not there any more, too
        return _finished(lease, run, end, ledger)
    except (RetryLater, StopHarvest, Misconfigured) as error:
        return ledger.close(lease, run, HarvestState.FAILED, error.message, None)


def _walked(
    lease: Lease, run: Harvest, order: Order, walk: Walk, ledger: HarvestLedger, progress: Progress
) -> tuple[Harvest, End]:
    """Every step committed, and the end. What a sweep names and the truth lacks is owed from its page on, so the bookmark moves on."""
    with closing(walk(order)) as steps:
        for item in steps:
            if isinstance(item, End):
                return run, item
            for page in _pages(item, asked=bool(order.ids)):
                run = ledger.commit(lease, run, page)
            progress(run, item.message, item.total)
    raise StopHarvest("no-end", "The walk ended without saying that it had ended.")


def _pages(step: Step, *, asked: bool) -> Iterator[Page]:
    """A step as pages of at most 500 records; the bookmark travels with the last one. What was asked for by name leaves none, but is
    owed no more."""
    starts = range(0, max(1, len(step.records)), RECORDS)
    for start in starts:
        last = start == starts[-1]
        records = step.records[start : start + RECORDS]
        rejects = step.rejects if last else ()
        yield Page(
            records=records,
            rejects=rejects,
            gone=step.gone if last else (),
            seen=step.seen if last else (),
            bookmark=step.bookmark if last and not asked else None,
            settled=tuple((Kind(each.kind), each.id) for each in (*records, *rejects)) if asked else (),
        )


def _finished(lease: Lease, run: Harvest, end: End, ledger: HarvestLedger) -> Harvest:
    """The sweep, if the walk was complete and it is no mass deletion, and the closing figures."""
    warnings = list(end.warnings)
    if end.complete:
        held = _swept(lease, run, end, ledger)
        if held:
            return ledger.close(lease, run, HarvestState.HELD, held, end.next)
    run = _current(run, ledger)
    figures = run.figures
    if figures.left_out:
        warnings.append(_left_out(run, figures.left_out))
    if figures.rejected > REJECTS_SHARE * max(1, figures.seen + figures.rejected):
        warnings.append(f"{figures.rejected} records were refused; see the rejects of {run.source}.")
        reached = end.next if run.mode is HarvestMode.FULL else None
        return ledger.close(lease, run, HarvestState.DEGRADED, " ".join(warnings), reached)
    return ledger.close(lease, run, HarvestState.DONE, " ".join(warnings), end.next)


def _swept(lease: Lease, run: Harvest, end: End, ledger: HarvestLedger) -> str:
    """Remove what a complete walk did not see; the reason why not, when it waits for a person."""
    found = ledger.unseen(run, end.kinds)
    allowed = max(GUARD_MIN, int(GUARD_SHARE * found.present))
    if found.unseen > allowed and not found.released:
        return (
            f"{found.unseen} of {found.present} records are gone at the source, more than the {allowed} that are removed "
            f"without asking; nothing was removed. If that is right: pangate harvest {run.source} --release-sweep."
        )
    while ledger.sweep(lease, run, end.kinds, RECORDS):
        pass
    return ""


def _left_out(run: Harvest, count: int) -> str:
    return (
        f"{count:,} parameters can be read in their records but not searched by value: {run.source.partition('/')[0]} has brought "
        f"{names.LIMIT:,} names of parameters, and more are not indexed."
    )


def _current(run: Harvest, ledger: HarvestLedger) -> Harvest:
    return next((each for each in ledger.harvests(run.source, 5, None) if each.id == run.id), run)


@contextmanager
def _kept(lease: Lease, ledger: HarvestLedger) -> Iterator[None]:
    """Within it the lease is renewed beside the work, so that a slow source does not lose it."""
    done = threading.Event()

    def keep() -> None:
        held = lease
        while not done.wait(LEASE_S / 4):
            try:
                held = ledger.renew(held, LEASE_S)
            except LeaseLost:
                return
            except Unavailable:  # a database that restarts does not end a harvest; the next renewal may come in time
                continue

    keeper = threading.Thread(target=keep, daemon=True, name="lease-keeper")
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join(timeout=5)
