"""Rules tried on history: readings from the lake, station by station, through the functions of the stream."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_VERDICTS, KEY, VERDICT_VERSION
from weahouse.schemas.fields import flag_of
from weahouse.schemas.serving_tables import ACKNOWLEDGEMENT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from weahouse.alerts.rules import AlertRules
    from weahouse.settings import Settings

# Some 200 MB of readings; a year of one-minute reports of one station is 525,600.
_ROWS_AT_ONCE = 500_000
# What only an alert has that the stream has found.
_NOT_BACKTESTED = {
    *ACKNOWLEDGEMENT_COLUMNS,
    "alert_state",
    "is_active",
    "raised_at",
    "detection_delay_s",
    "alert_revision",
    "superseded_by",
}


def where(start: datetime | None, end: datetime | None, station: str | None) -> str:
    """The condition of SQL for readings of a span and a station; the bounds on the date tell which files to read."""
    limits = [
        f"{column} {sign} {kind} '{at:{form}}'"
        for at, sign, loose in ((start, ">=", ">="), (end, "<", "<="))
        if at is not None
        for column, sign, kind, form in (
            ("observed_at", sign, "TIMESTAMP", "%Y-%m-%dT%H:%M:%SZ"),
            ("observed_date", loose, "DATE", "%Y-%m-%d"),
        )
    ]
    return " AND ".join([*limits, *([f"station_id = '{station}'"] if station else [])]) or "true"


def run(settings: Settings, rules: AlertRules, where: str) -> list[dict[str, Any]]:
    """The alerts of the readings that satisfy a condition, by time; a bar on stderr tells how far it is."""
    from weahouse.io import lake

    is_judged = lake.open_table(settings, CURATED_VERDICTS) is not None
    of = f"FROM {CURATED_OBSERVATIONS.name} WHERE {where}"
    counted = lake.query(
        settings, f"SELECT station_id, max(region) AS region, count(*) AS n {of} GROUP BY 1 ORDER BY 1"
    ).to_pylist()
    raised: list[dict[str, Any]] = []
    with _progress(sum(row["n"] for row in counted)) as advance:
        for some in _portions(counted):
            ids = ", ".join(f"'{row['station_id']}'" for row in some)
            found = lake.query(settings, _readings(rules, f"{where} AND station_id IN ({ids})", is_judged=is_judged))
            place = 0
            for row in some:
                raised += _of_station(rules, row["station_id"], row["region"], found.slice(place, row["n"]))
                place += row["n"]
                advance(row["n"])
    return sorted(raised, key=lambda row: row["event_at"])


def _readings(rules: AlertRules, where: str, *, is_judged: bool) -> str:
    """SQL of the values and flags of readings, by station and time: with their verdicts, as the stream reads them."""
    names = [column for variable in rules.variables for column in (variable, flag_of(variable))]
    readings = f"SELECT * FROM {CURATED_OBSERVATIONS.name} WHERE {where}"
    if not is_judged:
        return f"SELECT station_id, observed_at, {', '.join(names)} FROM ({readings}) ORDER BY 1, 2"
    flags = {flag_of(variable) for variable in rules.variables}
    told = ", ".join(f"coalesce(v.{name}, o.{name}) AS {name}" if name in flags else f"o.{name}" for name in names)
    same = " AND ".join(f"o.{name} = v.{name}" for name in (*KEY, *VERDICT_VERSION))
    verdicts = f"SELECT * FROM {CURATED_VERDICTS.name} WHERE {where}"
    joined = f"({readings}) o LEFT JOIN ({verdicts}) v ON {same}"
    return f"SELECT o.station_id, o.observed_at, {told} FROM {joined} ORDER BY 1, 2"


def _of_station(rules: AlertRules, station_id: str, region: str, rows: pa.Table) -> Iterator[dict[str, Any]]:
    from weahouse.alerts.backtest import backtest
    from weahouse.alerts.readings import trusted

    for alert in backtest(rules, station_id, region, list(trusted(rows.to_pylist(), rules.variables))):
        yield {name: value for name, value in alert.row().items() if name not in _NOT_BACKTESTED}


def _portions(counted: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    for row in counted:
        if portion and sum(member["n"] for member in portion) + row["n"] > _ROWS_AT_ONCE:
            yield portion
            portion = []
        portion.append(row)
    if portion:
        yield portion


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("readings judged"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)
