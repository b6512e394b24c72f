"""What one station told: its observations in a span of time, and their statistics from panes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import rows, rows_of_each
from weahouse.schemas.datasets import (
    OBSERVATIONS_BY_STATION,
    PANE_MINUTES,
    STATIONS_BY_REGION,
    SUMMARIES_BY_STATION,
)
from weahouse.schemas.fields import FIELDS
from weahouse.serving.errors import NotServedError
from weahouse.transforms.rolling import Statistics, merge_panes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.settings import Settings

# A month of one-minute reports is 44,640 rows: as much as one answer should carry. The lake answers the rest.
MAX_SPAN = timedelta(days=31)
PANE = timedelta(minutes=PANE_MINUTES)

COLUMNS = tuple(column for column in OBSERVATIONS_BY_STATION.columns if column != "day")
_TIMES = tuple(column for column in COLUMNS if FIELDS[column].type == "timestamp")
_OBSERVATIONS = (
    f"SELECT {', '.join(COLUMNS)} FROM {OBSERVATIONS_BY_STATION.name} "
    "WHERE station_id = ? AND day = ? AND observed_at >= ? AND observed_at < ? ORDER BY observed_at ASC"
)
_PANES = f"SELECT * FROM {SUMMARIES_BY_STATION.name} WHERE station_id = ? AND day = ?"
# Asked only when there is nothing else to tell; the node reads 20,000 stations in 10 ms.
_STATION = f"SELECT region FROM {STATIONS_BY_REGION.name} WHERE station_id = ? ALLOW FILTERING"


def history(
    settings: Settings, station: str, start: datetime, end: datetime, now: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """The observations of `station` with start <= observed_at < end, oldest first, read page by page.

    Rows have the columns of `observations_by_station` but `day`: times UTC, values in their units, None where missing.
    Raises NotServedError for a span that is empty, longer than MAX_SPAN or older than what Cassandra keeps, and for a
    station that is not known; CassandraError.
    """
    check_span(settings, start, end, now or datetime.now(UTC))
    return _history(settings, station, start, end)


def _history(settings: Settings, station: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    found = False
    for row in rows_of_each(settings, _OBSERVATIONS, [(station, day, start, end) for day in days(start, end)]):
        found = True
        yield row | {name: row[name].replace(tzinfo=UTC) for name in _TIMES}
    if not found and not any(True for _ in rows(settings, _STATION, (station,))):
        raise NotServedError(f"station {station!r} is not known: `weahouse latest` lists those that report")


def rolling(settings: Settings, station: str, hours: int, at: datetime) -> dict[str, Statistics]:
    """Statistics per variable over the last `hours`: the 6 * hours newest panes, of which the last still fills."""
    current = _floor(at)
    return statistics(settings, station, current + PANE - timedelta(hours=hours), current + PANE)


def statistics(settings: Settings, station: str, start: datetime, end: datetime) -> dict[str, Statistics]:
    """Statistics per variable over the panes that begin in start <= window_start < end; empty where there is none."""
    panes = rows_of_each(settings, _PANES, [(station, day) for day in days(start, end)])
    return merge_panes(pane for pane in panes if start <= pane["window_start"].replace(tzinfo=UTC) < end)


def days(start: datetime, end: datetime) -> list[date]:
    """The UTC days that start <= t < end touches."""
    first, last = start.astimezone(UTC).date(), (end.astimezone(UTC) - timedelta(microseconds=1)).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def check_span(settings: Settings, start: datetime, end: datetime, now: datetime) -> None:
    """Raises NotServedError unless Cassandra can answer for the whole span.

    The retention counts from the append, and no record is appended before it was observed: so every observation
    younger than the retention is there, and of older ones perhaps some, which would look like all.
    """
    if start >= end:
        raise NotServedError(f"the span is empty: {_text(start)} is not before {_text(end)}")
    kept = timedelta(days=settings.serving_retention_days)
    if kept and start < now - kept:
        raise NotServedError(f"before {_text(now - kept)}: see Gold, `weahouse lake`; Cassandra keeps {kept.days} days")
    if end - start > MAX_SPAN:
        raise NotServedError(f"the span is longer than {MAX_SPAN.days} days: ask for less, or ask the lake")


def _floor(at: datetime) -> datetime:
    return at - timedelta(seconds=at.timestamp() % PANE.total_seconds())


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
