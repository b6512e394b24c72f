"""A reading's way as a person reads it: records, judgement, tables, notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table

from weahouse.cli.output import console
from weahouse.io.lake import plain
from weahouse.orchestration.ingest_hours import HOUR, begin_of

Entry = Mapping[str, Any]

_STYLES = {
    "curated": "green",
    "quarantined": "red",
    "unaccounted": "bold red",
    "failed": "red",
    "excused": "yellow",
    "bad": "red",
    "suspect": "yellow",
    "not applied": "dim",
    "missing": "dim",
}

# Limits that do not say of themselves what they are.
_NAMES = {"value": "least change in an hour", "suspect": "suspect above, after", "bad": "bad above, after"}


def print_trace(found: Entry) -> None:
    """Print what `trace` found."""
    out = console()
    out.print(f"[bold]{escape(_title(found))}[/]", highlight=False)
    if found["records"]:
        out.print(_records(found["records"]))
    if found["tests"]:
        rules = found["rules"]
        level = f"level {rules['quality_level']}"
        out.print(f"[bold]judged at {level} by rules {rules['judged_by']}[/], {_place(found)}", highlight=False)
        out.print(_ranges(found))
        out.print(_other_tests(found))
    out.print(_tables(found["tables"]))
    for note in found["notes"]:
        out.print(f"! {note}", style="yellow", highlight=False, markup=False)
    out.print(_searched(found["searched"]), style="dim", highlight=False)


def _title(found: Entry) -> str:
    station = found["station"] or {}
    where = [found["station_id"], station.get("station_name"), found["region"]]
    return f"{' · '.join(part for part in where if part)} · {found['observed_at']:%Y-%m-%d %H:%M:%S} UTC"


def _place(found: Entry) -> str:
    latitude = found["rules"]["latitude_deg"]
    return "at an unknown latitude" if latitude is None else f"at latitude {latitude:g}"


def _records(records: list[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("appended (UTC)", "partition/offset", "end", "why, and what was sent"):
        table.add_column(heading, overflow="fold")
    for record in records:
        sent = escape(str(plain(record["payload"])))
        end = _styled(record["disposition"])
        appended = f"{record['appended_at']:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        where = f"{record['partition']}/{record['offset']}"
        table.add_row(appended, where, end, f"{escape(record['why'])}\n[dim]{sent}[/]")
    return table


def _ranges(found: Entry) -> Table:
    """A line for each variable: value, flag, and the limits of its range test."""
    tests = {test["test"]: test for test in found["tests"]}
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("variable", "value", "unit", "flag", "range", "suspect outside", "bad outside", "limit of"):
        table.add_column(heading, justify="right" if heading == "value" else "left", no_wrap=True)
    for variable, flag in found["flags"].items():
        test = tests[f"range:{variable}"]
        limits = (_span(test["suspect_outside"]), _span(test["bad_outside"]), test["from"])
        verdict = _styled(test["verdict"])
        value = "" if flag["value"] is None else f"{flag['value']:g}"
        table.add_row(variable, value, flag["unit"], _styled(flag["flag_name"]), verdict, *limits)
    return table


def _other_tests(found: Entry) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("test", "verdict", "values", "limit", "limit of"):
        table.add_column(heading, overflow="fold")
    for test in found["tests"]:
        if not test["test"].startswith("range:"):
            values = test.get("why") or ", ".join(f"{name} {value:g}" for name, value in test["values"].items())
            table.add_row(test["test"], _styled(test["verdict"]), values, limit_text(test), test.get("from", ""))
    return table


def limit_text(test: Entry) -> str:
    """The limit of a test other than a range, in words."""
    if "rule" in test:
        return str(test["rule"]) + (f", within {test['within_pct']:g} %" if "within_pct" in test else "")
    own = ("test", "verdict", "values", "from", "why")
    told = {_NAMES.get(name, name): value for name, value in test.items() if name not in own}
    return ", ".join(f"{name} {_number(value)}" for name, value in told.items())


def _tables(tables: list[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("table", "in", "holds it", "what"):
        table.add_column(heading, overflow="fold")
    marks = {True: "[green]yes[/]", False: "no", None: "[yellow]unknown[/]"}
    for entry in tables:
        table.add_row(entry["table"], entry["store"], marks[entry["holds"]], escape(entry["what"]))
    return table


def _searched(searched: Entry) -> str:
    return "; ".join(_hours(searched))


def _hours(searched: Entry) -> Iterator[str]:
    for table, name in (("Raw", "raw_hours"), ("the quarantine", "quarantine_hours")):
        hours = searched[name]
        what = "all hours" if hours is None else f"the hours {hours_text(hours)}"
        yield f"searched of {table}: {what}"


def hours_text(hours: Iterable[str]) -> str:
    """Hours in their order, those that follow each other as one span."""
    spans: list[list[str]] = []
    for hour in hours:
        if spans and begin_of(hour) - begin_of(spans[-1][-1]) == HOUR:
            spans[-1].append(hour)
        else:
            spans.append([hour])
    return ", ".join(span[0] if len(span) == 1 else f"{span[0]} to {span[-1]}" for span in spans)


def _styled(word: str) -> str:
    return f"[{_STYLES[word]}]{word}[/]" if word in _STYLES else word


def _span(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g} .. {pair[1]:g}"


def _number(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return " ".join(f"{minutes:g} min: {limit:g}" for minutes, limit in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
