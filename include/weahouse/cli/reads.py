"""Questions to the live view: `latest`, `history`, `summaries`, `rolling`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weahouse.cli.errors import UserError
from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.settings import duration, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.transforms.rolling import Statistics, Tendency

Station = Annotated[str, typer.Argument(help="A station id as `latest` shows it, e.g. 724940:23234.")]
Last = Annotated[str | None, typer.Option(help="The last 1h, 6h, 24h or any other duration.")]
From = Annotated[str | None, typer.Option("--from", help="First time, RFC 3339 or a date; UTC unless told.")]
To = Annotated[str | None, typer.Option("--to", help="Time after the last one; now unless told.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write a JSON list of rows, and nothing else.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Write CSV with a header.")]

# More lines than this are for a file; --json and --csv write them all.
_LINES_SHOWN = 1000


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(latest)
    app.command()(history)
    app.command()(summaries)
    app.command()(rolling)


def latest(
    region: Annotated[str | None, typer.Option(help="Only this region, e.g. us-ca.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show the newest value of each variable of every station.

    A value is dim when it is older than the station's newest report.
    """
    _one_format(as_json, as_csv)
    from weahouse.cli import output
    from weahouse.serving.latest import latest as read_latest

    with _answering():
        stations = read_latest(settings(), region)
    flat = [_flat(station) for station in stations]
    if as_json:
        output.print_json(stations)
    elif as_csv:
        columns = [name for variable in VARIABLES for name in (variable, flag_of(variable))]
        output.print_csv(flat, ["station_id", "region", "observed_at", *columns])
    else:
        _show_latest(stations, flat)


def _flat(station: dict[str, Any]) -> dict[str, Any]:
    """A station's entry as one row in the columns of the tables."""
    row = {name: station[name] for name in ("station_id", "region", "observed_at")}
    for variable, value in station["variables"].items():
        row |= {variable: value["value"], flag_of(variable): value["flag"]}
    return row


def _show_latest(stations: list[dict[str, Any]], flat: list[dict[str, Any]]) -> None:
    from weahouse.cli import output

    variables = output.told(flat)
    table = output.weather_table(["region", "station", "observed (UTC)"], variables)
    for station, row in zip(stations, flat, strict=True):
        cells = []
        for variable in variables:
            shown = output.cell(variable, row.get(variable), row.get(flag_of(variable)))
            value = station["variables"].get(variable)
            is_old = value is not None and value["observed_at"] < station["observed_at"]
            cells.append(f"[dim]{shown}[/]" if is_old else shown)
        table.add_row(station["region"], station["station_id"], f"{station['observed_at']:%Y-%m-%d %H:%M:%S}", *cells)
    out = output.console()
    out.print(table)
    out.print(_joined(_counted(len(stations), "station"), output.legend(flat)), style="dim")


def history(
    station: Station,
    last: Last = None,
    start: From = None,
    end: To = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show what one station observed, oldest first; the last 24 hours unless told."""
    _one_format(as_json, as_csv)
    from weahouse.cli import output
    from weahouse.serving import history as serving

    now = datetime.now(UTC)
    first, after = _span(last, start, end, now)
    with _answering():
        rows = serving.history(settings(), station, first, after, now)
        if as_json:
            output.print_json(rows)
        elif as_csv:
            output.print_csv(rows, serving.COLUMNS)
        else:
            hours = int((after - first) / timedelta(hours=1)) if start is None and end is None else 0
            found = (
                serving.rolling(settings(), station, hours, now)
                if hours
                else serving.statistics(settings(), station, first, after)
            )
            _show_history(list(rows), found.variables)


def _span(last: str | None, start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    if last is not None and (start or end):
        raise UserError("--last and --from/--to exclude each other: give one of them")
    if start is None and end is not None:
        raise UserError("--to needs --from")
    if start is not None:
        return _time("--from", start), _time("--to", end) if end else now
    try:
        return now - duration(last or "24h"), now
    except (ValueError, OverflowError) as error:
        raise UserError(f"--last: {error}") from None


def _time(option: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text!r} is not a time: write 2024-05-01 or 2024-05-01T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _show_history(rows: list[dict[str, Any]], found: dict[str, Statistics]) -> None:
    from weahouse.cli import output

    out = output.console()
    if not rows:
        out.print("No observations in this time.")
        return
    variables = output.told(rows)
    shown = rows[-_LINES_SHOWN:]
    table = output.weather_table(["observed (UTC)"], variables)
    for row in shown:
        values = [output.cell(variable, row[variable], row[flag_of(variable)]) for variable in variables]
        table.add_row(f"{row['observed_at']:%Y-%m-%d %H:%M:%S}", *values)
    table.add_section()
    for line in output.summary_rows(found, variables):
        table.add_row(*line, style="bold")
    table.add_row("", *[output.sparkline(output.usable(rows, variable)) + " " for variable in variables], style="cyan")
    out.print(table)
    out.print(_joined(_counted(len(rows), "observation"), _hidden(rows), output.legend(rows)), style="dim")


def _hidden(rows: list[dict[str, Any]]) -> str:
    return f"the first {len(rows) - _LINES_SHOWN:,} are not shown" if len(rows) > _LINES_SHOWN else ""


def summaries(
    station: Station,
    last: Last = None,
    start: From = None,
    end: To = None,
    variable: Annotated[list[str] | None, typer.Option(help="Only this variable; may be given again.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show the 10-minute panes of one station, oldest first; the last 24 hours unless told.

    A pane tells of the values that are neither bad nor missing. --json and --csv write its mergeable sums.
    """
    _one_format(as_json, as_csv)
    from weahouse.cli import output
    from weahouse.io.variable_rows import PANE_COLUMNS
    from weahouse.serving import history as serving

    if unknown := set(variable or ()) - set(VARIABLES):
        raise UserError(f"--variable {min(unknown)!r} is not measured; what is: {', '.join(VARIABLES)}")
    now = datetime.now(UTC)
    first, after = _span(last, start, end, now)
    with _answering():
        panes = serving.summaries(settings(), station, first, after, variable or VARIABLES, now)
        if as_json:
            output.print_json(panes)
        elif as_csv:
            output.print_csv(panes, PANE_COLUMNS)
        else:
            rows = list(panes)
            out = output.console()
            out.print(output.panes_table(rows[-_LINES_SHOWN:]) if rows else "No values in this time.")
            out.print(_joined(_counted(len(rows), "pane"), _hidden(rows)), style="dim")


def rolling(
    station: Station,
    at: Annotated[str | None, typer.Option(help="The time that the spans end with, RFC 3339; now unless told.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object, and nothing else.")] = False,
) -> None:
    """Show one station's last 1, 6 and 24 hours: spread, rain, resultant wind, peak gust and pressure tendency.

    Made from 10-minute panes; the newest of them may still fill.
    """
    from weahouse.cli import output
    from weahouse.serving.history import features

    now = datetime.now(UTC)
    with _answering():
        found = features(settings(), station, _time("--at", at) if at else now, now)
    if as_json:
        output.print_json_object({"station_id": station, **asdict(found)})
        return
    out = output.console()
    out.print(output.rolling_table(found))
    gust = found.hours[max(found.hours)].variables.get("wind_gust_mps")
    peak = f"peak gust {gust.maximum:.1f} m/s at {gust.maximum_at:%H:%M}" if gust else ""
    out.print(_joined(_tendency(found.pressure_tendency), peak), style="dim")


def _tendency(found: Tendency | None) -> str:
    if found is None:
        return "no pressure tendency"
    where = " at sea level" if "sea_level" in found.variable else ""
    return f"pressure{where} {found.change_hpa:+.1f} hPa in the three hours to {found.window_start:%H:%M}"


def _one_format(as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise UserError("--json and --csv exclude each other: give one of them")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


@contextmanager
def _answering() -> Iterator[None]:
    """Stores that do not answer and questions that cannot be answered, told in one sentence."""
    from weahouse.io.cassandra import CassandraError
    from weahouse.io.lake import LakeError
    from weahouse.serving.errors import NotServedError

    try:
        yield
    except (CassandraError, LakeError, NotServedError) as error:
        raise UserError(str(error)) from None
