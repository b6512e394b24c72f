"""`gold.station_features`, made anew from the hours of Gold, whole days at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.batch.parts import replace_part
from weahouse.batch.writer import Writer
from weahouse.io.delta import ensure_table, one_of, read_table
from weahouse.ml.features import HISTORY_H, station_features
from weahouse.schemas.gold import GOLD_HOURLY_SUMMARIES, GOLD_STATION_FEATURES, GOLD_STATIONS
from weahouse.streaming.extent import days_in_a_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.settings import Settings

JOB = "features"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# The features of a day's first hour look back beyond the midnight before the last one.
_DAYS_READ = tuple(number * _DAY for number in range(3))


def days_that_look_at(hours: Iterable[datetime]) -> list[date]:
    """The UTC days whose features look at some hours: each is "now" when it ends, and a day ago until 24 h later."""
    return sorted({(hour.astimezone(UTC) + after * _HOUR).date() for hour in hours for after in (1, HISTORY_H)})


def days_between(begin: date, end: date) -> list[date]:
    """The days [begin, end); raises ValueError where there is none."""
    if end <= begin:
        raise ValueError(f"[{begin}, {end}) holds no day: let the end be after the begin")
    return days_in_a_row(begin, end - _DAY)


def build_features(
    spark: SparkSession,
    settings: Settings,
    days: Sequence[date],
    hourly_version: int | None = None,
    writer: Writer | None = None,
) -> dict[str, int]:
    """Make the features of some UTC days anew from a version of the hours, the newest where None.

    Rows that differ are replaced in one commit; a second time there is none. Returns `station_features_days`, and
    `station_features_{written,removed,unchanged}`, in rows, and `station_features_version`.
    """
    ensure_table(spark, settings, GOLD_STATIONS)
    ensure_table(spark, settings, GOLD_HOURLY_SUMMARIES)
    hourly = read_table(spark, settings, GOLD_HOURLY_SUMMARIES, hourly_version)
    read = sorted({day - before for day in days for before in _DAYS_READ})
    made = station_features(
        hourly.where(one_of("observed_date", read)), read_table(spark, settings, GOLD_STATIONS)
    ).where(F.col("issued_date").isin(list(days)))

    def within(prefix: str) -> Column:
        return one_of(f"{prefix}issued_date", days)

    counts = replace_part(made, settings, GOLD_STATION_FEATURES, within, writer or Writer.on_hdfs(settings, JOB))
    told = {"days": len(days)} | counts
    return {f"{GOLD_STATION_FEATURES.table}_{name}": number for name, number in told.items()}


def span_of(features: DataFrame) -> tuple[datetime, datetime] | None:
    """The first and the last reference time of features, None where there is none."""
    row = features.agg(F.min("issued_at").alias("first"), F.max("issued_at").alias("last")).first()
    if row is None or row["first"] is None:
        return None
    # Spark gives times of the session's zone, which is UTC, without saying so.
    return row["first"].replace(tzinfo=UTC), row["last"].replace(tzinfo=UTC)
