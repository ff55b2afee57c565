"""This file is the command: what an operator does from a shell. Every subcommand has --json."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import structlog
import typer
from rich.console import Console

from catalogue.query import Search
from pangate import logs, parted, progress, show
from pangate.beat import SWEEP_S
from pangate.beat import beat as beat_house
from pangate.doctor import examine
from pangate.export import array, lines
from pangate.hands import AT_ONCE
from pangate.house import House, open_house
from pangate.serve import serve as serve_house
from pangate.settings import read_settings
from pangate.tasks import MAINTENANCE, admitted
from pangate.work import Work
from pangate.worker import work as work_house
from schema.activities import HarvestMode, HarvestState
from schema.errors import PangateError
from schema.records import Kind
from schema.text import parse

app = typer.Typer(
    name="pangate",
    help="The federated metadata catalogue of photon and neutron facilities, and its analyse button.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
LogsAsJson = Annotated[bool, typer.Option("--json", help="Log as JSON lines on a terminal too.")]
_errors = Console(stderr=True, highlight=False)


def main() -> None:
    """Run the command; a refusal is one sentence and exit code 1, never a traceback. What is printed on standard output is the answer
    alone; warnings go to standard error."""
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=quiet, logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        app()
    except PangateError as error:
        _errors.print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)


@app.command()
def serve(json: LogsAsJson = False) -> None:
    """Serve the page and the interfaces, harvest by the intervals, advance launches, until stopped."""
    settings = read_settings()
    logs.begin(settings.log_level, json=json)
    _allow_loopback_sign_in()
    with open_house(settings, write_index=True) as house:
        serve_house(house)


@app.command()
def worker(
    queues: Annotated[
        str,
        typer.Option(
            help="Which wake-ups to take: harvests, launches, maintenance (with a shared index: the projector too)."
        ),
    ] = "harvests,launches,maintenance",
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, max=64, help="How many tasks of each queue at the same time.")
    ] = None,
    json: LogsAsJson = False,
) -> None:
    """Work for a federation on several machines: harvest, advance launches, project; until stopped. Needs PANGATE_BROKER."""
    settings = read_settings()
    logs.begin(settings.log_level, json=json)
    names = parted.queues(queues)
    parted.shared(settings)
    admitted(settings)
    counts = AT_ONCE if at_once is None else dict.fromkeys(names, at_once)
    with open_house(settings, write_index=settings.index_url is not None and MAINTENANCE in names) as house:
        work_house(house, names, counts)


@app.command()
def beat(
    every: Annotated[
        float, typer.Option("--every", min=1, max=3600, help="Seconds between two looks for what is owed.")
    ] = SWEEP_S,
    json: LogsAsJson = False,
) -> None:
    """Find what is owed and send the wake-ups, until stopped. One is enough; a second stands by. Needs PANGATE_BROKER."""
    settings = read_settings()
    logs.begin(settings.log_level, json=json)
    parted.shared(settings)
    admitted(settings)
    with open_house(settings, write_index=False) as house:
        beat_house(house, every)


@app.command()
def harvest(
    source: Annotated[str | None, typer.Argument(help="facility/source; all of them without it")] = None,
    full: Annotated[bool, typer.Option("--full", help="Walk everything, not only what changed.")] = False,
    release_sweep: Annotated[bool, typer.Option("--release-sweep", help="Allow a held mass removal, once.")] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Only look: what would come, and how it maps. Nothing is kept.")
    ] = False,
    json: Json = False,
) -> None:
    """Harvest now, and show how it goes."""
    with _house(write_index=not probe) as house:
        names = [source] if source else list(house.federation.sources())
        show.known(names, house)
        if probe:
            show.emit([progress.probe(house, name) for name in names], json, show.probes)
            return
        if release_sweep:
            for name in names:
                house.harvests.release_sweep(name, "command line")
        mode = HarvestMode.FULL if full or release_sweep else HarvestMode.INCREMENTAL
        done = [progress.harvest(Work(house), name, mode, quiet=json) for name in names]
        progress.project(house, quiet=json)
        show.emit([show.harvest(each) for each in done if each is not None], json, show.harvests)
        if any(each is None or each.state not in (HarvestState.DONE, HarvestState.DEGRADED) for each in done):
            raise typer.Exit(1)


@app.command()
def sources(json: Json = False) -> None:
    """How every source stands."""
    with _house(write_index=False) as house:
        show.emit(show.source_rows(house), json, show.sources)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help='words, "a phrase", -not')],
    first: Annotated[int, typer.Option(min=1, max=100)] = 10,
    json: Json = False,
) -> None:
    """Search public datasets."""
    with _house(write_index=False) as house:
        found = house.index.search(Search(asked=parse(" ".join(words)), first=first))
        show.emit(show.found(found), json, show.hits)


@app.command()
def launches(json: Json = False) -> None:
    """Launches that may have something running at a site."""
    with _house(write_index=False) as house:
        show.emit([show.launch(each) for each in house.launches.alive()], json, show.launches)


@app.command()
def rebuild(
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Then delete the index that was replaced; lists being read begin anew.")
    ] = False,
    json: Json = False,
) -> None:
    """Build the search index anew from the records, aside, and swap it in, while searches and harvests go on. Where another process
    writes the index (pangate serve, a maintenance worker), that one is asked to do it."""
    with open_house(read_settings(), write_index=True, repair=True) as house:
        found = {"documents": progress.rebuild(house, quiet=json)}
        if drop_old:
            found["dropped"] = house.index.drop_old()
        show.emit(found, json, lambda value: f"The index was rebuilt: {value['documents']:,} documents.")


@app.command()
def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Look at this machine only, ask no endpoint.")] = False,
    json: Json = False,
) -> None:
    """Say in plain words what is wrong with settings, federation file, stores, endpoints and versions, and what to do."""
    _allow_loopback_sign_in()
    findings = [msgspec.structs.asdict(finding) for finding in dict.fromkeys(examine(ask=not offline))]
    show.emit(findings, json, show.findings)
    if any(finding["grade"] == "fault" for finding in findings):
        raise typer.Exit(1)


@app.command()
def export(
    kind: Annotated[Kind, typer.Argument(help="which records")] = Kind.DATASET,
    hidden: Annotated[
        bool, typer.Option("--hidden", help="Also what is not public. Keep that file to yourself.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON array in the place of JSON lines.")] = False,
) -> None:
    """Write every public record as one JSON object a line to standard output, complete, in a steady order."""
    with _house(write_index=False) as house:
        found = lines(house, kind, hidden=hidden)
        for part in array(found) if json else found:
            sys.stdout.buffer.write(part)


@contextmanager
def _house(*, write_index: bool) -> Iterator[House]:
    with open_house(read_settings(), write_index=write_index) as house:
        yield house


def _allow_loopback_sign_in() -> None:
    """oauthlib refuses http unless told; it is told for an identity provider on this machine only. A provider may name scopes
    otherwise than they were asked for."""
    os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"
    if urlsplit(os.environ.get("PANGATE_OIDC_ISSUER", "")).scheme == "http":
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
