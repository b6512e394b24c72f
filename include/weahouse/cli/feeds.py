"""`weahouse ingest`, `simulate`, `stations import` and `feed run`: everything that puts data in."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from weahouse.cli.errors import UserError
from weahouse.settings import Settings, duration, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from weahouse.sources.producer import Refusal
    from weahouse.sources.stations import Station

# More refused records than this are counted, not named: a broker's reason repeats.
_NAMED_REFUSALS = 10


class Format(StrEnum):
    """What `ingest` can read."""

    isd_hourly = "isd-hourly"
    surfrad = "surfrad"
    ndjson = "ndjson"


class Feed(StrEnum):
    """What `feed run` sends."""

    real = "real"
    simulated = "simulated"
    both = "both"


stations_app = typer.Typer(help="The station registry.", no_args_is_help=True)
feed_app = typer.Typer(help="The default feed, which `up` starts.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(ingest)
    app.command()(simulate)
    app.add_typer(stations_app, name="stations")
    app.add_typer(feed_app, name="feed")


@contextmanager
def _foreseen() -> Iterator[None]:
    """Turn what may go wrong with a file, a topic or a broker into one sentence for the user."""
    from weahouse.io.kafka import KafkaError, TopicMismatchError
    from weahouse.sources.lines import SourceError

    try:
        yield
    except (KafkaError, TopicMismatchError, SourceError) as error:
        raise UserError(str(error)) from None


def _duration(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise UserError(str(error)) from None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise UserError(f"--speed {text} is neither max nor a factor of real time such as 1 or 3600")
    return factor


def ingest(
    file: Annotated[Path, typer.Argument(help="A plain, .gz or .zst file.")],
    format: Annotated[Format, typer.Option(help="Which adapter reads the file; ndjson is one event a line.")],
    speed: Annotated[str, typer.Option(help="max, or a factor of real time: 3600 sends an hour a second.")] = "max",
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move by whole years up to now; what would lie ahead is left out.")
    ] = False,
    last: Annotated[str | None, typer.Option(help="Only the end of the file, e.g. 30d before its last report.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Send at most so many records.")] = None,
) -> None:
    """Send a file of observations to the stream, all stations by event time, and account for every line.

    Exit code 1 when the broker refused a record or no line could be read; lines that the adapter cannot read are
    counted and named, and do not stop the others.
    """
    from weahouse.sources.ingest import Selection, ingest_file

    factor, window = _speed(speed), _duration(last) if last else None
    if shift_to_now and format is Format.ndjson:
        raise UserError("--shift-to-now cannot be used with --format ndjson: its lines are sent as they are")
    console = Console(stderr=False)
    selection = Selection(shift_to_now=shift_to_now, last=window, limit=limit, now=int(time.time()))
    with _foreseen(), _progress(console) as report:
        account = ingest_file(settings(), file, format.value, selection, factor, report)
    console.print(_table(f"{file.name} → {settings().observations_topic}", account.rows()))
    for reason, count in account.unreadable.most_common(_NAMED_REFUSALS):
        console.print(
            f"{count:,} lines not read: {reason} (first: line {account.examples[reason]})",
            highlight=False,
            soft_wrap=True,
        )
    if account.read == 0:
        raise UserError(f"no line of {file} could be read as {format.value}: is it another --format?")
    _complain(console, account.refusals)


def simulate(
    stations: Annotated[int, typer.Option(min=1, help="How many stations report.")] = 50,
    rate: Annotated[float, typer.Option(help="Readings a second of all stations together, at most 20,000.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another weather, on stations of its own.")] = 0,
    run_for: Annotated[
        str | None, typer.Option("--duration", help="How long, e.g. 90s or 2h; until Ctrl-C when left out.")
    ] = None,
    faults: Annotated[str | None, typer.Option(help="A fault profile: all, or one kind of fault.")] = None,
    fault_share: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of readings with a fault.")] = 0.05,
    truth: Annotated[Path | None, typer.Option(help="Where each injected fault is written, as NDJSON.")] = None,
) -> None:
    """Run a simulated network in real time: a reading leaves when its moment comes, whatever the broker does.

    Every value is a function of seed, station and time: the same command tells the same weather.
    """
    from weahouse.sources.simulation import Simulation, SimulationError

    seconds = _duration(run_for).total_seconds() if run_for else None
    console = Console()
    try:
        simulation = Simulation(stations, rate, seed, faults, fault_share, truth)
    except SimulationError as error:
        raise UserError(str(error)) from None
    with _foreseen(), _stoppable() as stopped:
        _upsert(settings(), simulation.network.stations())
        with _progress(console) as report:
            account = simulation.run(settings(), seconds, stopped, report)
    console.print(_table(f"simulation of seed {seed} → {settings().observations_topic}", account.rows()))
    _complain(console, account.refusals)


@stations_app.command("import")
def import_stations(
    file: Annotated[Path, typer.Argument(help="An ISD station list: id, name, country, state, call sign, place.")],
) -> None:
    """Fill the station registry, `gold.stations` and Cassandra's `stations_by_region`, from an ISD list."""
    from weahouse.sources.records import Refused
    from weahouse.sources.stations import read_stations

    with _foreseen():
        rows = list(read_stations(file))
    refused = [row for row in rows if isinstance(row, Refused)]
    # Of a station that is listed twice the later row counts.
    found = {row["station_id"]: row for row in rows if not isinstance(row, Refused)}
    if not found:
        raise UserError(f"no line of {file} could be read as a station: it must have 8 columns, as isd-stations.csv.gz")
    _upsert(settings(), list(found.values()))
    console = Console()
    console.print(_table(f"{file.name} → gold.stations", [("lines", len(rows)), ("stations", len(found))]))
    for row in refused[:_NAMED_REFUSALS]:
        console.print(f"line {row.line} not read: {row.reason}", highlight=False)


def import_default_stations(settings: Settings) -> int:
    """Register the shipped ISD list and the simulated feed's stations; how many there are."""
    from weahouse.sources.feed import feed_network
    from weahouse.sources.records import Refused
    from weahouse.sources.stations import read_stations

    found = {row["station_id"]: row for row in read_stations() if not isinstance(row, Refused)}
    stations = [*found.values(), *feed_network().stations()]
    _upsert(settings, stations)
    return len(stations)


@feed_app.command("run")
def run_feed(
    feed: Annotated[Feed, typer.Option(help="The real stations, the simulated network, or both.")] = Feed.both,
) -> None:
    """Send the default feed until stopped: the last 30 days of five real stations, then everything live."""
    from weahouse.sources.feed import run, sources_of

    with _foreseen():
        sources = sources_of(settings(), feed.value, time.time())
        with _stoppable() as stopped:
            sent = run(settings(), sources, stopped)
    Console().print(f"stopped after {sent:,} records")


def _upsert(settings: Settings, stations: list[Station]) -> None:
    from weahouse.io.cassandra import CassandraError
    from weahouse.io.lake import LakeError
    from weahouse.io.stations import upsert_stations

    try:
        upsert_stations(settings, [dict(station) for station in stations])
    except (CassandraError, LakeError) as error:
        raise UserError(str(error)) from None


@contextmanager
def _stoppable() -> Iterator[Any]:
    """A function that tells whether TERM or Ctrl-C came; the loop that asks it ends in good order."""
    asked: list[int] = []
    previous = {which: signal.signal(which, lambda number, _: asked.append(number)) for which in _STOPS}
    try:
        yield lambda: bool(asked)
    finally:
        for which, handler in previous.items():
            signal.signal(which, handler)


_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def _progress(console: Console) -> Iterator[Any]:
    """A bar that follows `report(what, done, total)`; total None while it is unknown."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield report


def _table(title: str, rows: list[tuple[str, int]]) -> Any:
    from rich.table import Table

    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for name, count in rows:
        table.add_row(name, f"{count:,}")
    return table


def _complain(console: Console, refusals: list[Refusal]) -> None:
    for refusal in refusals[:_NAMED_REFUSALS]:
        console.print(f"refused: {refusal}", highlight=False, markup=False, soft_wrap=True)
    if refusals:
        raise UserError(f"{len(refusals):,} records were refused by the broker; all others were sent")
