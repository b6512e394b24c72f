"""`gold.station_features`, made anew from the hours of Gold, whole days at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.delta import ensure_table, read_table, replace_where
from weahouse.ml.features import station_features
from weahouse.schemas.gold import GOLD_HOURLY_SUMMARIES, GOLD_STATION_FEATURES, GOLD_STATIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.settings import Settings

_DAY = timedelta(days=1)
# The features of a day's first hours look back beyond the midnight before the last one.
_DAYS_BEFORE = 2


def build_features(
    spark: SparkSession, settings: Settings, begin: date, end: date, hourly_version: int | None = None
) -> dict[str, int]:
    """Make the features of the UTC days [begin, end) anew; a second time changes no content. Returns days and rows.

    An hour that changed is in the features of its own day and of the next: give both. Raises ValueError for no day.
    """
    if end <= begin:
        raise ValueError(f"[{begin}, {end}) holds no day: let the end be after the begin")
    ensure_table(spark, settings, GOLD_STATIONS)
    ensure_table(spark, settings, GOLD_STATION_FEATURES)
    hourly = read_table(spark, settings, GOLD_HOURLY_SUMMARIES, hourly_version)
    within = F.col("observed_date").between(F.lit(begin - _DAYS_BEFORE * _DAY), F.lit(end))
    made = station_features(hourly.where(within), read_table(spark, settings, GOLD_STATIONS))
    rows = made.where((F.col("issued_date") >= F.lit(begin)) & (F.col("issued_date") < F.lit(end)))
    # One file a day: the table is read by whole days, and small files are what it would have too many of.
    rows = rows.repartition("issued_date").persist()
    try:
        predicate = f"issued_date >= DATE'{begin}' AND issued_date < DATE'{end}'"
        replace_where(rows, settings, GOLD_STATION_FEATURES, predicate)
        return {"days": (end - begin).days, "rows": rows.count()}
    finally:
        rows.unpersist()


def span_of(features: DataFrame) -> tuple[datetime, datetime] | None:
    """The first and the last reference time of features, None where there is none."""
    row = features.agg(F.min("issued_at").alias("first"), F.max("issued_at").alias("last")).first()
    if row is None or row["first"] is None:
        return None
    # Spark gives times of the session's zone, which is UTC, without saying so.
    return row["first"].replace(tzinfo=UTC), row["last"].replace(tzinfo=UTC)
