"""The proof of Gold: its hours and days are what Curated and its verdicts make of them, to the last bit."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql import functions as F

from weahouse.batch.aggregation import days_part, hours_part, readings
from weahouse.batch.parts import within_days
from weahouse.batch.sources import read_sources, windows_of
from weahouse.batch.units import NEWEST, read_units
from weahouse.io.delta import LOG_RETENTION_DAYS, read_table
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES
from weahouse.transforms.replacement import CHANGED, GONE, NEW, SAME, replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.batch.aggregation import Part
    from weahouse.batch.sources import Source, Sources
    from weahouse.batch.units import Unit, Versions
    from weahouse.settings import Settings

_PARTS: dict[str, Callable[[SparkSession, Sequence[datetime]], Part]] = {
    GOLD_HOURLY_SUMMARIES.name: hours_part,
    GOLD_DAILY_SUMMARIES.name: lambda spark, starts: days_part(spark, [start.date() for start in starts]),
}
# As `differences` of the other tables name them: Gold lacks the row, has one too many, or another.
_DIFFERENCES = {NEW: "absent", GONE: "foreign", CHANGED: "changed"}
# A version is read within hours after it was committed, and may be deleted so long after that.
_REACH = timedelta(days=LOG_RETENTION_DAYS - 1)
_EXAMPLES = 10
_COUNTS = ("compared_windows", "compared_gold", "differing_gold", "pending_units", "aged_windows")


class _Rows(NamedTuple):
    """How many rows a window has in Gold, in what was made anew, or in both; and how many of them differ."""

    compared: int
    differing: int


def compare_gold(
    spark: SparkSession, settings: Settings, begin: datetime | None, end: datetime | None
) -> dict[str, Any]:
    """Make the hours and days anew that the units of append times in [begin, end), all where None, have touched.

    They are made by the functions that made them, first of the newest Curated. Where Gold says something else, readings
    may have come since: these windows are made again of the versions that Gold was made from, and what differs then is
    a difference. A window that was made so long ago that these cannot be read any more is not compared, but told of.

    Returns compared_windows, compared_gold and differing_gold (in rows), pending_units (of which Gold is not made yet,
    or of an older version), aged_windows, and up to ten examples of each table.
    """
    units = [unit for unit in read_units(settings).values() if _is_within(unit["ingest_hour"], begin, end)]
    sources = read_sources(settings)
    told: dict[str, Any] = dict.fromkeys(_COUNTS, 0) | {"examples": []}
    told["pending_units"] = sum(_is_pending(unit, sources) for unit in units)
    for table, starts in windows_of(hour for unit in units for hour in unit["touched_hours"]).items():
        made = {start: sources[table, start] for start in starts if (table, start) in sources}
        if made:
            found = _compare(spark, settings, table, made)
            told |= {name: told[name] + value for name, value in found.items()}
    return told


def _is_within(ingest_hour: str, begin: datetime | None, end: datetime | None) -> bool:
    """Whether a unit, like 2024-05-01T13, holds a part of the range."""
    hour = datetime.fromisoformat(f"{ingest_hour}:00:00+00:00")
    return (begin is None or hour + timedelta(hours=1) > begin) and (end is None or hour < end)


def _is_pending(unit: Unit, sources: Sources) -> bool:
    made = [sources.get((GOLD_HOURLY_SUMMARIES.name, hour)) for hour in unit["touched_hours"]]
    return not all(source and _holds(source.versions._asdict(), unit) for source in made)


def _holds(versions: dict[str, int], unit: Unit) -> bool:
    return all(version >= unit[name] for name, version in versions.items())


def _compare(spark: SparkSession, settings: Settings, table: str, made: Mapping[datetime, Source]) -> dict[str, Any]:
    rows = _by_window(_changes(spark, settings, table, {NEWEST: list(made)}), table)
    moved = {start: made[start] for start, found in rows.items() if found.differing}
    oldest = datetime.now(UTC) - _REACH
    again: defaultdict[Versions, list[datetime]] = defaultdict(list)
    for start, source in moved.items():
        if source.summarised_at >= oldest:
            again[source.versions].append(start)
    rows = {start: found for start, found in rows.items() if start not in moved}
    examples: list[dict[str, Any]] = []
    if again:
        changes = _changes(spark, settings, table, again)
        rows |= _by_window(changes, table)
        examples = _examples(changes, table) if any(found.differing for found in rows.values()) else []
    aged = len(moved) - sum(map(len, again.values()))
    return {
        "compared_windows": len(made) - aged,
        "compared_gold": sum(found.compared for found in rows.values()),
        "differing_gold": sum(found.differing for found in rows.values()),
        "aged_windows": aged,
        "examples": examples,
    }


def _changes(
    spark: SparkSession, settings: Settings, table: str, windows: Mapping[Versions, Sequence[datetime]]
) -> DataFrame:
    """What would become of Gold's rows, as `replacement` has it, were windows made anew of these versions."""
    part_of = _PARTS[table]
    observations = [
        part_of(spark, starts).of(readings(spark, settings, versions, _days(starts)))
        for versions, starts in windows.items()
    ]
    starts = sorted(start for group in windows.values() for start in group)
    part = part_of(spark, starts)
    gold = read_table(spark, settings, part.dataset).where(within_days(part.dataset, _days(starts)))
    # A window is of one version, so that rows of several may be summarised together.
    together = reduce(lambda left, right: left.union(right), observations)
    return replacement(part.made_of(together), part.held(gold), part.dataset)


def _days(starts: Sequence[datetime]) -> list[date]:
    return sorted({start.date() for start in starts})


def _by_window(changes: DataFrame, table: str) -> dict[datetime, _Rows]:
    counted = changes.groupBy(_start_s(table)).agg(
        F.count("*").alias("compared"), F.count_if(F.col("change") != SAME).alias("differing")
    )
    return {
        datetime.fromtimestamp(row["start_s"], UTC): _Rows(row["compared"], row["differing"])
        for row in counted.collect()
    }


def _examples(changes: DataFrame, table: str) -> list[dict[str, Any]]:
    differing = changes.where(F.col("change") != SAME).select("station_id", _start_s(table), "change")
    return [
        {
            "table": table,
            "station_id": row["station_id"],
            "window_start": datetime.fromtimestamp(row["start_s"], UTC).isoformat(),
            "difference": _DIFFERENCES[row["change"]],
        }
        for row in differing.orderBy("station_id", "start_s").limit(_EXAMPLES).collect()
    ]


def _start_s(table: str) -> Column:
    """When a row's window starts, in seconds: a day has a date."""
    column = "window_start" if table == GOLD_HOURLY_SUMMARIES.name else "observed_date"
    return F.unix_seconds(F.col(column).cast("timestamp")).alias("start_s")
