"""What one station told: its observations, its 10-minute panes, and statistics and features merged from panes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import rows, rows_of_each
from weahouse.io.variable_rows import judged, panes_in, select_observations, select_panes
from weahouse.schemas.fields import FIELDS, VARIABLES
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION, STATIONS_BY_REGION
from weahouse.serving.errors import NotServedError
from weahouse.transforms.rolling import ROLLING_H, Features, Span, merge, rolling_span
from weahouse.transforms.rolling import features as features_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from weahouse.settings import Settings

Row = dict[str, Any]
# A month of one-minute reports is 44,640 rows: as much as one answer should carry. The lake answers the rest.
MAX_SPAN = timedelta(days=31)
# Days on their way while one is read: enough to hide the way, few to hold.
_DAYS_AHEAD = 4

COLUMNS = tuple(column for column in OBSERVATIONS_BY_STATION.columns if column != "day")
_TIMES = tuple(column for column in COLUMNS if FIELDS[column].type == "timestamp")
_OBSERVATIONS = f"{select_observations(COLUMNS)} AND observed_at >= ? AND observed_at < ? ORDER BY observed_at ASC"
_WITHIN = " AND window_start >= ? AND window_start < ? ORDER BY window_start ASC"
# Asked only when there is nothing else to tell; the node reads 20,000 stations in 10 ms.
_STATION = f"SELECT region FROM {STATIONS_BY_REGION.name} WHERE station_id = ? ALLOW FILTERING"


def history(
    settings: Settings, station: str, start: datetime, end: datetime, now: datetime | None = None
) -> Iterator[Row]:
    """The observations of `station` with start <= observed_at < end, oldest first, read page by page.

    Rows have the columns of `observations_by_station` but `day`: times UTC, values in their units, None where missing,
    flags after all levels that have judged the row.
    Raises NotServedError for a span that is empty, longer than MAX_SPAN or older than what Cassandra keeps, and for a
    station that is not known; CassandraError.
    """
    check_span(settings, start, end, now or datetime.now(UTC))
    return _of_known(settings, station, _observations(settings, station, start, end))


def _observations(settings: Settings, station: str, start: datetime, end: datetime) -> Iterator[Row]:
    asked = [(station, day, start, end) for day in days(start, end)]
    for row in judged(rows_of_each(settings, _OBSERVATIONS, asked, _DAYS_AHEAD)):
        for name in _TIMES:
            row[name] = row[name].replace(tzinfo=UTC)
        yield row


def summaries(
    settings: Settings,
    station: str,
    start: datetime,
    end: datetime,
    variables: Sequence[str] = VARIABLES,
    now: datetime | None = None,
) -> Iterator[Row]:
    """The panes of `station` with start <= window_start < end by time and variable, read page by page.

    Rows have the PANE_COLUMNS of `io.variable_rows`; a variable has none where it has no usable value, and None for a
    statistic that it does not have. Raises as `history` does.
    """
    check_span(settings, start, end, now or datetime.now(UTC))
    return _of_known(settings, station, _panes(settings, station, start, end, variables))


def _panes(
    settings: Settings, station: str, start: datetime, end: datetime, variables: Sequence[str] = VARIABLES
) -> Iterator[Row]:
    asked = [(station, day, start, end) for day in days(start, end)]
    for row in rows_of_each(settings, select_panes(variables) + _WITHIN, asked, _DAYS_AHEAD):
        row["window_start"] = row["window_start"].replace(tzinfo=UTC)
        yield from panes_in(row, variables)


def _of_known(settings: Settings, station: str, found: Iterable[Row]) -> Iterator[Row]:
    """Pass rows on; where there is none, raise NotServedError unless the station is known."""
    is_empty = True
    for row in found:
        is_empty = False
        yield row
    if is_empty and not any(True for _ in rows(settings, _STATION, (station,))):
        raise NotServedError(f"station {station!r} is not known: `weahouse latest` lists those that report")


def statistics(settings: Settings, station: str, start: datetime, end: datetime) -> Span:
    """Statistics per variable over the panes that begin in start <= window_start < end."""
    return merge(_panes(settings, station, start, end), start, end)


def rolling(settings: Settings, station: str, hours: int, at: datetime) -> Span:
    """Statistics over the `hours` up to a time: the 6 * hours newest panes, of which the last may still fill."""
    return statistics(settings, station, *rolling_span(hours, at))


def features(settings: Settings, station: str, at: datetime, now: datetime | None = None) -> Features:
    """The rolling features of `station` at a time, from the panes of the day before it. Raises as `history` does."""
    start, end = rolling_span(max(ROLLING_H), at)
    return features_of(summaries(settings, station, start, end, now=now), at)


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


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
