"""How answers are written: tables for people, JSON and CSV for programs. Times are RFC 3339, UTC."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from weahouse.schemas.fields import MEASUREMENTS, VARIABLES, flag_of
from weahouse.transforms.rolling import merge_panes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from weahouse.transforms.rolling import Features, Span, Statistics

# Nine variables fit beside a station and a time only under short headings; the full names are those of --json.
_HEADINGS = {
    "air_temperature_c": "temp",
    "dew_point_c": "dew",
    "relative_humidity_pct": "humid",
    "air_pressure_hpa": "press",
    "air_pressure_at_sea_level_hpa": "sea lvl",
    "wind_speed_mps": "wind",
    "wind_gust_mps": "gust",
    "wind_from_direction_deg": "from",
    "precipitation_mm": "rain",
}
_UNITS = {"degC": "°C", "m s-1": "m/s", "degree": "°"}
_RAIN = "precipitation_mm"
# 1 is good and needs no mark; a missing value is an empty cell, also where the source wrote a number for it.
BAD, MISSING = 4, 9
_MARKS = {2: "~", 3: "?", BAD: "!"}
_LEGEND = {"~": "not evaluated", "?": "suspect", "!": "bad"}
_BARS = "▁▂▃▄▅▆▇█"
_SPARKLINE_WIDTH = 8
# Without a terminal Rich would squeeze everything into 80 columns.
_PIPE_WIDTH = 200


def console() -> Console:
    """Standard output, wide enough for a table when it is a pipe or a file."""
    out = Console()
    return out if out.is_terminal else Console(width=_PIPE_WIDTH)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON list, one row a line, as the rows come."""
    separator = "["
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, default=text, ensure_ascii=False, allow_nan=False))
        separator = ",\n "
    sys.stdout.write("]\n" if separator != "[" else "[]\n")


def print_json_object(found: Mapping[str, Any]) -> None:
    """Write one JSON object."""
    sys.stdout.write(json.dumps(found, default=text, ensure_ascii=False, allow_nan=False, indent=2) + "\n")


def print_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write CSV with a header; a missing value is an empty field."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([text(row.get(column)) for column in columns])


def text(value: object) -> object:
    """A time as RFC 3339 in UTC, None as empty text, anything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else value


def rows_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """Any rows as a table, numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        is_number = any(isinstance(row[column], (int, float)) for row in rows)
        table.add_column(escape(column), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*[escape(str(text(row[column]))) for column in columns])
    return table


def weather_table(leading: Sequence[str], variables: Sequence[str]) -> Table:
    """An empty table: the leading columns, then one column for each variable with its unit under its name."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in leading:
        table.add_column(column, no_wrap=True)
    for variable in variables:
        unit = MEASUREMENTS[variable].unit or ""
        table.add_column(f"{_HEADINGS[variable]}\n[dim]{_UNITS.get(unit, unit)}[/]", justify="right", no_wrap=True)
    return table


def told(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The variables that have a value in any of the rows, in the dictionary's order."""
    seen = {variable for row in rows for variable in VARIABLES if _is_present(row, variable)}
    return [variable for variable in VARIABLES if variable in seen]


def _is_present(row: Mapping[str, Any], variable: str) -> bool:
    return row.get(variable) is not None and row.get(flag_of(variable)) != MISSING


def usable(rows: Iterable[Mapping[str, Any]], variable: str) -> list[float | None]:
    """The series of a variable, None where it is missing or bad."""
    return [None if row[flag_of(variable)] in (BAD, MISSING) else row[variable] for row in rows]


def cell(variable: str, value: float | None, flag: int | None = None) -> str:
    """A value with one decimal (a direction with none) and the mark of its flag; the marks keep the digits aligned."""
    if value is None or flag == MISSING:
        return ""
    return f"{value:.{0 if variable == 'wind_from_direction_deg' else 1}f}{_MARKS.get(flag or 1, ' ')}"


def legend(rows: Iterable[Mapping[str, Any]]) -> str:
    """What the marks in these rows mean; empty where there are none."""
    marks = {_MARKS.get(row.get(flag_of(v)) or 1) for row in rows for v in VARIABLES if _is_present(row, v)}
    return " · ".join(f"{mark} {meaning}" for mark, meaning in _LEGEND.items() if mark in marks)


def summary_rows(found: Mapping[str, Statistics], variables: Sequence[str]) -> Iterator[list[str]]:
    """The lines under a history: least, mean and greatest value; for rain, whose mean says nothing, the sum."""
    if not found:
        # Panes follow their observations by some seconds.
        return
    for label, name in (("min", "minimum"), ("mean", "mean"), ("max", "maximum")):
        yield [label, *[statistic(found, v, name) for v in variables]]
    if _RAIN in found and _RAIN in variables:
        yield ["sum", *[statistic(found, v, "sum") for v in variables]]


def statistic(found: Mapping[str, Statistics], variable: str, name: str) -> str:
    """One statistic as a cell; empty where it is not defined or, a mean of rain or a sum of others, says nothing."""
    if variable not in found or (name == "mean" and variable == _RAIN) or (name == "sum" and variable != _RAIN):
        return ""
    value = getattr(found[variable], name)
    return f"{value} " if isinstance(value, int) else cell(variable, value)


def rolling_table(features: Features) -> Table:
    """A section for each rolling span: the lines of a history, spread and counts, and the resultant wind."""
    variables = [v for v in VARIABLES if any(v in span.variables for span in features.hours.values())]
    table = weather_table(["the last", ""], variables)
    for hours, span in features.hours.items():
        counted = [
            [label, *[statistic(span.variables, v, name) for v in variables]]
            for label, name in (("stddev", "stddev"), ("count", "count"), ("suspect", "suspect_count"))
        ]
        lines = [*summary_rows(span.variables, variables), *counted, *_resultant(span, variables)]
        for n, line in enumerate(lines if span.variables else [["no values"]]):
            table.add_row("" if n else f"{hours} h", *line)
        table.add_section()
    return table


def _resultant(span: Span, variables: Sequence[str]) -> Iterator[list[str]]:
    wind = span.resultant_wind
    if wind:
        told = {"wind_speed_mps": wind.speed_mps, "wind_from_direction_deg": wind.from_direction_deg}
        yield ["resultant", *[cell(v, told.get(v)) for v in variables]]


def panes_table(panes: Iterable[Mapping[str, Any]]) -> Table:
    """Panes as lines: window, variable, counts and the statistics that people read."""
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("window (UTC)", "variable", "unit"):
        table.add_column(heading, no_wrap=True)
    for heading in ("count", "suspect", "min", "mean", "max", "stddev", "sum"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pane in panes:
        variable, unit = pane["variable"], MEASUREMENTS[pane["variable"]].unit or ""
        found = merge_panes([pane])
        names = ("count", "suspect_count", "minimum", "mean", "maximum", "stddev", "sum")
        cells = [statistic(found, variable, name) for name in names]
        table.add_row(f"{pane['window_start']:%Y-%m-%d %H:%M}", variable, _UNITS.get(unit, unit), *cells)
    return table


def sparkline(values: Sequence[float | None]) -> str:
    """The course of a series in a few characters: means of equal parts between its least and greatest."""
    size = min(_SPARKLINE_WIDTH, len(values))
    parts = [values[n * len(values) // size : (n + 1) * len(values) // size] for n in range(size)]
    means = [sum(some) / len(some) if (some := [v for v in part if v is not None]) else None for part in parts]
    present = [mean for mean in means if mean is not None]
    if not present:
        return ""
    low, step = min(present), (max(present) - min(present)) / (len(_BARS) - 1) or 1.0
    return "".join(" " if mean is None else _BARS[round((mean - low) / step)] for mean in means)
