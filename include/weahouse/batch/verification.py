"""Verification: earlier forecasts beside what was then observed, and how good each model has been so far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.batch.parts import replace_part
from weahouse.batch.writer import Writer
from weahouse.io.delta import ensure_table, read_table
from weahouse.ml.evaluation import running_skill
from weahouse.ml.forecasts import verified
from weahouse.ml.targets import TARGETS, observed
from weahouse.schemas.gold import GOLD_FORECAST_VERIFICATION, GOLD_FORECASTS, GOLD_HOURLY_SUMMARIES

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

    from weahouse.settings import Settings

JOB = "verification"
_DAY = timedelta(days=1)
# Long enough that one front does not decide, and as much to read in each hour of any year.
_RUNNING = timedelta(days=30)
_LONGEST_LEAD = timedelta(hours=max(target.lead_time_h for target in TARGETS))


def verify(
    spark: SparkSession, settings: Settings, begin: datetime, end: datetime, writer: Writer | None = None
) -> dict[str, Any]:
    """Verify the forecasts that are valid in (begin, end]; what was verified there before is made anew.

    Half-open at the begin, as a forecast is valid at the end of its hour: a day of hours is verified as one. Late and
    corrected observations are taken in by verifying the same range again; where nothing differs nothing is written.
    Returns forecasts, verified, verified_written, and `skill`, each model's by lead time over the 30 days up to the
    end. Raises ValueError where the range is empty, FencedError where a newer run has taken over.
    """
    if end <= begin:
        raise ValueError(f"({begin.isoformat()}, {end.isoformat()}] is empty: let the end be after the begin")
    first, last = begin.astimezone(UTC), end.astimezone(UTC)
    for dataset in (GOLD_FORECASTS, GOLD_HOURLY_SUMMARIES):
        ensure_table(spark, settings, dataset)
    is_near = F.col("issued_date").between(F.lit((first - _LONGEST_LEAD).date()), F.lit(last.date()))
    given = read_table(spark, settings, GOLD_FORECASTS).where(is_near & _valid(first, last))
    # Rain is of three hours, so the first of them may lie on the day before.
    days = F.col("observed_date").between(F.lit((first - _DAY).date()), F.lit(last.date()))
    hourly = read_table(spark, settings, GOLD_HOURLY_SUMMARIES).where(days)
    predictands = sorted({target.predictand for target in TARGETS})
    each = [verified(given.where(F.col("predictand") == name), observed(hourly, name)) for name in predictands]
    counts = replace_part(
        reduce(DataFrame.unionByName, each),
        settings,
        GOLD_FORECAST_VERIFICATION,
        partial(_valid_days, first, last),
        writer or Writer.on_hdfs(settings, JOB),
    )
    told = {"forecasts": given.count(), "verified": counts["written"] + counts["unchanged"]}
    return told | {"verified_written": counts["written"], "skill": _skill_until(spark, settings, last)}


def _skill_until(spark: SparkSession, settings: Settings, end: datetime) -> list[dict[str, Any]]:
    is_recent = F.col("valid_date").between(F.lit((end - _RUNNING).date()), F.lit(end.date()))
    told = running_skill(read_table(spark, settings, GOLD_FORECAST_VERIFICATION).where(is_recent))
    return [row.asDict() for row in told.orderBy("predictand", "lead_time_h", "model_name", "model_version").collect()]


def _valid(first: datetime, last: datetime, prefix: str = "") -> Column:
    valid_at = F.col(f"{prefix}valid_at")
    return (valid_at > F.lit(first)) & (valid_at <= F.lit(last))


def _valid_days(first: datetime, last: datetime, prefix: str = "") -> Column:
    """The same, with the days, by which partitions are skipped."""
    days = F.col(f"{prefix}valid_date").between(F.lit(first.date()), F.lit(last.date()))
    return days & _valid(first, last, prefix)
