"""`weahouse qc …`: quality control of level 1 on a file, and the limits of all levels; no server is needed."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weahouse.cli.errors import UserError
from weahouse.cli.feeds import Format
from weahouse.cli.output import console, rows_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.qc.rules import Rules
    from weahouse.sources.records import Records
    from weahouse.sources.stations import Station

commands = typer.Typer(no_args_is_help=True, help="Quality control of a file, and its limits.")

RulesFile = Annotated[Path | None, typer.Option("--rules", help="Another rules file than the one that ships.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(commands, name="qc")


@commands.command()
def check(
    file: Annotated[Path, typer.Argument(help="A plain, .gz or .zst file.")],
    format: Annotated[Format, typer.Option(help="Which adapter reads the file; ndjson is one event a line.")],
    rules: RulesFile = None,
    as_json: AsJson = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Read at most so many records.")] = None,
) -> None:
    """Judge a file by level 1 as the stream would if its records came now, and count what each test found.

    Works without any server, in a Spark session of its own. Latitudes and regions are those of the shipped station list
    (surfrad: of the file's header). Values may be flagged as they will: exit code 1 means that nothing could be judged.
    """
    from rich.console import Console

    from weahouse.cli.judging import judge_records, local_spark, records_table
    from weahouse.sources.ingest import FORMATS
    from weahouse.sources.lines import SourceError

    thresholds = _rules(rules)
    refused: Counter[str] = Counter()
    now = time.time()
    # The header of a surfrad file is looked at before Spark takes seconds to start.
    stations = _foreseen_stations(file, format)
    with Console(stderr=True).status(f"judging {file.name}"), local_spark() as (spark, folder):
        values = islice(_readable(FORMATS[format.value](file), refused), limit)
        try:
            records = records_table(spark, folder / "records", ((now, value) for value in values))
        except SourceError as error:
            raise UserError(str(error)) from None
        found = judge_records(records, stations, thresholds)
    found = {"file": str(file), "format": format.value, "not_read": dict(refused), **found}
    if found["observations"] == 0:
        reasons = ", ".join(
            f"{reason} ({count:,})" for reason, count in (found["not_read"] | found["unreadable"]).items()
        )
        raise UserError(f"{file} holds no observation that {format.value} could read: {reasons or 'it is empty'}")
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _print_account(found)


def _foreseen_stations(file: Path, format: Format) -> list[Station]:
    from weahouse.sources import surfrad
    from weahouse.sources.lines import SourceError

    if not file.is_file():
        raise UserError(f"{file} does not exist or is no file")
    try:
        return [surfrad.station_of(file)] if format is Format.surfrad else list(_registry().values())
    except SourceError as error:
        raise UserError(str(error)) from None


def _readable(records: Records, refused: Counter[str]) -> Iterator[bytes]:
    from weahouse.sources.records import Refused

    for record in records:
        if isinstance(record, Refused):
            refused[record.reason] += 1
        else:
            yield record.value


def _registry() -> dict[str, Station]:
    """The shipped station list and the simulated feed's stations, by id."""
    from weahouse.sources.feed import feed_network
    from weahouse.sources.records import Refused
    from weahouse.sources.stations import read_stations

    listed = (row for row in read_stations() if not isinstance(row, Refused))
    return {station["station_id"]: station for station in chain(listed, feed_network().stations())}


def _rules(path: Path | None) -> Rules:
    from weahouse.qc.entries import RulesError
    from weahouse.qc.rules import DEFAULT_RULES, load_rules

    try:
        return load_rules(path or DEFAULT_RULES)
    except RulesError as error:
        raise UserError(str(error)) from None


def _print_account(found: dict[str, Any]) -> None:
    out = console()
    out.print(
        f"{found['observations']:,} observations of {found['file']}, rules {found['rules_version']}", highlight=False
    )
    for what, counts in (("not read", found["not_read"]), ("quarantined", found["unreadable"])):
        for reason, count in counts.items():
            out.print(f"{count:,} {what}: {reason}", highlight=False, markup=False)
    variables = [{"variable": name, **counts} for name, counts in found["variables"].items()]
    out.print(rows_table(variables, list(variables[0])))
    examples = {example["test"]: _told(example) for example in found["examples"]}
    tests = [
        {"test": test, **counts, "first example": examples.get(test, "")} for test, counts in found["tests"].items()
    ]
    out.print(rows_table(tests, list(tests[0])))


def _told(example: dict[str, Any]) -> str:
    values = " ".join(f"{name}={value:g}" for name, value in example.items() if isinstance(value, float))
    return f"{example['station_id']} {example['observed_at']} {values}"


@commands.command()
def rules(
    station: Annotated[str | None, typer.Argument(help="A station's id, e.g. 725300:94846.")] = None,
    latitude: Annotated[
        float | None, typer.Option(min=-90, max=90, help="Degrees north, instead of the list's.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="A region such as us-co, instead of the list's.")] = None,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today when left out.")] = None,
    rules: RulesFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the limits that a station's readings are judged by on a day, and where each limit comes from.

    Region and latitude are those of the shipped station list, if the station is in it. A file that `--rules` names is
    checked as a whole, so that this command is also the way to try out one's own.
    """
    from weahouse.cli.qc_limits import effective, print_rules
    from weahouse.sources.records import is_name

    thresholds = _rules(rules)
    for name, what in ((station, "station id"), (region, "region")):
        if name is not None and not is_name(name):
            raise UserError(f"{name!r} is no {what}: write 1 to 64 of A-Z a-z 0-9 . _ : -")
    listed = _registry().get(station) if station else None
    if listed:
        latitude = listed["latitude_deg"] if latitude is None else latitude
        region = region or listed["region"]
    day = (at or datetime.now(UTC)).date()
    found = {
        "rules_version": thresholds.version,
        "station_id": station,
        "is_listed": listed is not None,
        "region": region,
        "latitude_deg": latitude,
        "at": day.isoformat(),
        **effective(thresholds, station, region, latitude, day.month),
    }
    if as_json:
        typer.echo(json.dumps(found))
    else:
        print_rules(found)
