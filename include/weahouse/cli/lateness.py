"""`weahouse stream lateness`: how late readings come, and what the lateness should be."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any

import typer

from weahouse.cli.errors import UserError
from weahouse.settings import duration, settings

_SHOWN = ("readings", "p50_s", "p90_s", "p99_s", "max_s", "late_share")
# More stations than these are for --json; the latest come first, because they are the ones to look at.
_STATIONS_SHOWN = 40


def lateness(
    last: Annotated[str | None, typer.Option(help="Only readings appended in the last 24h, 7d or the like.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Tell how late readings come: percentiles of append time minus observation time, by station and overall.

    Below them stands the WEAHOUSE_LATENESS that would suit. Late readings are merged like others and only marked.
    """
    from weahouse.io.lake import LakeError
    from weahouse.streaming import lateness as streaming

    try:
        span = duration(last) if last else None
        found = streaming.lateness(settings(), span)
    except (ValueError, OverflowError) as error:
        raise UserError(f"--last: {error}") from None
    except LakeError as error:
        raise UserError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(found))
    elif found["overall"] is None:
        typer.echo("No readings in this time.")
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    from weahouse.cli import output

    table = Table("station", "readings", "p50", "p90", "p99", "max", "late", box=box.SIMPLE_HEAD)
    latest_first = sorted(found["stations"], key=lambda station: -station["p999_s"])
    for station in latest_first[:_STATIONS_SHOWN]:
        mark = " (outlier)" if station["station_id"] in found["outliers"] else ""
        table.add_row(station["station_id"] + mark, *_cells(station))
    table.add_section()
    table.add_row("all", *_cells(found["overall"]), style="bold")
    out = output.console()
    out.print(table)
    if (hidden := len(latest_first) - _STATIONS_SHOWN) > 0:
        out.print(f"{hidden} stations that come earlier are not shown: --json writes all", style="dim")
    late = f"{found['overall']['late_share']:.2%} are beyond today's lateness of {_text(found['lateness_s'])}"
    out.print(f"{late}; {_text(found['suits_s'])} would suit.", highlight=False)
    out.print(f"Rule: {found['rule']}.", style="dim", highlight=False)


def _cells(row: dict[str, Any]) -> list[str]:
    readings, *delays, share = (row[name] for name in _SHOWN)
    return [f"{readings:,}", *[_text(delay) for delay in delays], f"{share:.2%}"]


def _text(seconds: float) -> str:
    """Seconds as a person reads them; a clock ahead of the broker's gives a negative delay."""
    sign, whole = ("-" if seconds < 0 else ""), timedelta(seconds=abs(round(seconds)))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole.total_seconds() >= size:
            return f"{sign}{whole.total_seconds() / size:.3g}{unit}"
    return f"{sign}{whole.total_seconds():g}s"
