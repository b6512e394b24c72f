"""`weahouse alerts`: what was raised, taking note of it, the rules, and what other rules would have raised."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weahouse.cli.errors import UserError
from weahouse.schemas.fields import FIELDS, STATION_ID_PATTERN
from weahouse.settings import duration, settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from weahouse.alerts.rules import AlertRules, Rule

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else.")]

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]
_STYLES = {
    "raised": "bold red",
    "updated": "bold red",
    "acknowledged": "yellow",
    "withdrawn": "dim",
    "historical": "dim",
}
_LINES_SHOWN = 200

commands = typer.Typer(invoke_without_command=True, help="What the weather and the stations should be watched for.")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(commands, name="alerts")


@commands.callback()
def alerts(
    context: typer.Context,
    region: Annotated[str | None, typer.Option(help="Only this region, e.g. us-ca.")] = None,
    only_active: Annotated[bool, typer.Option("--active", help="Only those whose condition holds now.")] = False,
    last: Annotated[str, typer.Option(help="Those that were on within this time, e.g. 12h or 7d.")] = "7d",
    as_json: AsJson = False,
) -> None:
    """List alerts, the newest first; `ack`, `rules` and `backtest` are commands below it.

    An alert is raised, updated, cleared, acknowledged, withdrawn (its ground was corrected or doubted later) or
    historical (found long after the event, and told to nobody).
    """
    if context.invoked_subcommand is not None:
        return
    from weahouse.serving import alerts as serving

    try:
        start = datetime.now(UTC) - duration(last)
    except (ValueError, OverflowError) as error:
        raise UserError(f"--last: {error}") from None
    with _answering():
        found = serving.active(settings(), region) if only_active else serving.since(settings(), start, region)
    if as_json:
        _print_json(found)
        return
    columns = (
        "event_at",
        "severity",
        "rule",
        "region",
        "station_id",
        "alert_state",
        "peak_value",
        "unit",
        "cleared_at",
    )
    _print_table([row | {"unit": _unit(row["variable"])} for row in found], (*columns, "acknowledged_by", "alert_id"))


@commands.command()
def ack(
    alert_id: Annotated[str, typer.Argument(help="The id that `weahouse alerts` shows.")],
    by: Annotated[str, typer.Option(help="Who takes note.")],
    note: Annotated[str | None, typer.Option(help="What is to be remembered of it.")] = None,
) -> None:
    """Take note of an alert: it is told to everybody who listens, and stays written whatever becomes of the alert."""
    from weahouse.io.alerts import acknowledge

    with _answering():
        row = acknowledge(settings(), alert_id, by, note, datetime.now(UTC))
    typer.echo(
        f"{by} has taken note of {row['rule']} at {row['station_id']} since {row['event_at']:%Y-%m-%d %H:%M} UTC"
    )


@commands.command()
def rules(
    file: Annotated[Path | None, typer.Option("--rules", help="Another rules file than the instance's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a rules file and print what raises an alert."""
    found = _load(file or settings().alert_rules)
    told = [_rule(rule) for rule in found.rules]
    if as_json:
        typer.echo(json.dumps({"version": found.version, "rules": told}, indent=2))
        return
    _print_table(told, ("name", "severity", "condition", "clears", "quiet_min", "meaning", "source"))


@commands.command()
def backtest(
    file: Annotated[Path | None, typer.Option("--rules", help="The rules to try; the instance's unless told.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=_FORMATS, help="First time, UTC."),
    ] = None,
    end: Annotated[
        datetime | None,
        typer.Option("--to", formats=_FORMATS, help="Time after the last one."),
    ] = None,
    station: Annotated[str | None, typer.Option(help="Only this station.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which alerts a rule set would have raised on history, from curated.observations; nothing is written.

    The functions are the stream's own. Every reading counts as reported when it was observed, and what went on before
    --from is not seen.
    """
    found = _load(file or settings().alert_rules)
    if station is not None and re.fullmatch(STATION_ID_PATTERN, station) is None:
        raise UserError(f"--station {station!r} is no station id")
    if start and end and start >= end:
        raise UserError(f"--from {start} must lie before --to {end}")
    from weahouse.cli.backtest import run, where

    with _answering():
        raised = run(settings(), found, where(start, end, station))
    if as_json:
        _print_json(raised)
        return
    counts = Counter((row["rule"], row["station_id"]) for row in raised)
    _print_table(
        [{"rule": rule, "station_id": id_, "alerts": count} for (rule, id_), count in sorted(counts.items())],
        ("rule", "station_id", "alerts"),
    )
    _print_table(raised, ("event_at", "cleared_at", "rule", "station_id", "trigger_value", "peak_value", "peak_at"))


def _load(path: Path) -> AlertRules:
    from weahouse.alerts.rules import AlertRulesError, load_alert_rules

    try:
        return load_alert_rules(path)
    except AlertRulesError as error:
        raise UserError(str(error)) from None


def _rule(rule: Rule) -> dict[str, Any]:
    minutes = {
        name: getattr(rule, name) / timedelta(minutes=1) for name in ("over", "lasting", "within", "after", "quiet")
    }
    told = {
        "name": rule.name,
        "version": rule.version,
        "severity": rule.severity,
        "kind": rule.kind,
        "variables": list(rule.variables),
        "condition": _condition(rule, minutes),
        "clears": "at the next report",
        "quiet_min": minutes["quiet"],
        "meaning": rule.meaning,
        "source": rule.source,
    }
    if rule.variables:
        told["clears"] = f"{'below' if rule.direction > 0 else 'above'} {rule.clear:g} {_unit(rule.variables[0])}"
    return told


def _condition(rule: Rule, minutes: dict[str, float]) -> str:
    if not rule.variables:
        return f"no report for {minutes['after']:g} min"
    statistic = f"{rule.statistic} over {minutes['over']:g} min of " if rule.over else ""
    limit = f"{'≥' if rule.direction > 0 else '≤'} {rule.limit:g} {_unit(rule.variables[0])}"
    lasting = f" for {minutes['lasting']:g} min" if rule.lasting else ""
    often = f", {rule.times} times within {minutes['within']:g} min" if rule.within else ""
    return f"{statistic}{' or '.join(rule.variables)} {limit}{lasting}{often}"


def _unit(variable: str | None) -> str:
    return (FIELDS[variable].unit or "") if variable else "min"


def _print_json(rows: Sequence[dict[str, Any]]) -> None:
    from weahouse.cli import output

    output.print_json(
        [{name: None if value is None else output.text(value) for name, value in row.items()} for row in rows]
    )


def _print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from weahouse.cli import output

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        is_number = any(isinstance(row[column], (int, float)) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows[:_LINES_SHOWN]:
        cells = [_cell(row[column]) for column in columns]
        table.add_row(*map(escape, cells), style=_STYLES.get(row.get("alert_state", "")))
    out = output.console()
    out.print(table)
    hidden = f", the first {_LINES_SHOWN} are shown: --json writes all" if len(rows) > _LINES_SHOWN else ""
    out.print(f"{len(rows):,} in all{hidden}", style="dim")


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:g}" if value == int(value) else f"{value:.1f}"
    return "" if value is None else str(value)


@contextmanager
def _answering() -> Iterator[None]:
    """Stores that do not answer and questions that cannot be answered, told in one sentence."""
    from weahouse.io.alerts import UnknownAlertError
    from weahouse.io.cassandra import CassandraError
    from weahouse.io.kafka import KafkaError
    from weahouse.io.lake import LakeError

    try:
        yield
    except (CassandraError, KafkaError, LakeError, UnknownAlertError) as error:
        raise UserError(str(error)) from None
