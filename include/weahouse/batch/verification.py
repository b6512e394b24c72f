"""Verification: earlier forecasts beside what was then observed, and how good each model has been so far."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.io.delta import ensure_table, read_table, replace_where
from weahouse.ml.evaluation import running_skill
from weahouse.ml.forecasts import verified
from weahouse.ml.targets import TARGETS, observed
from weahouse.schemas.gold import GOLD_FORECAST_VERIFICATION, GOLD_FORECASTS, GOLD_HOURLY_SUMMARIES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

_DAY = timedelta(days=1)
# Long enough that one front does not decide, and as much to read in each hour of any year.
_RUNNING = timedelta(days=30)
_LONGEST_LEAD = timedelta(hours=max(target.lead_time_h for target in TARGETS))


def verify(spark: SparkSession, settings: Settings, begin: datetime, end: datetime) -> dict[str, Any]:
    """Verify the forecasts that are valid in (begin, end]; what was verified there before is made anew.

    Half-open at the begin, as a forecast is valid at the end of its hour: a day of hours is verified as one. Late and
    corrected observations are taken in by verifying the same range again. Returns forecasts, verified, and `skill`,
    each model's by lead time over the 30 days up to the end. Raises ValueError where the range is empty.
    """
    if end <= begin:
        raise ValueError(f"({begin.isoformat()}, {end.isoformat()}] is empty: let the end be after the begin")
    first, last = begin.astimezone(UTC), end.astimezone(UTC)
    ensure_table(spark, settings, GOLD_FORECASTS)
    ensure_table(spark, settings, GOLD_FORECAST_VERIFICATION)
    is_valid = (F.col("valid_at") > F.lit(first)) & (F.col("valid_at") <= F.lit(last))
    is_near = F.col("issued_date").between(F.lit((first - _LONGEST_LEAD).date()), F.lit(last.date()))
    given = read_table(spark, settings, GOLD_FORECASTS).where(is_near & is_valid)
    # Rain is of three hours, so the first of them may lie on the day before.
    days = F.col("observed_date").between(F.lit((first - _DAY).date()), F.lit(last.date()))
    hourly = read_table(spark, settings, GOLD_HOURLY_SUMMARIES).where(days)
    predictands = sorted({target.predictand for target in TARGETS})
    each = [verified(given.where(F.col("predictand") == name), observed(hourly, name)) for name in predictands]
    rows = reduce(DataFrame.unionByName, each).persist()
    try:
        replace_where(rows, settings, GOLD_FORECAST_VERIFICATION, _range(first, last))
        counts = {"forecasts": given.count(), "verified": rows.count()}
    finally:
        rows.unpersist()
    return counts | {"skill": _skill_until(spark, settings, last)}


def _skill_until(spark: SparkSession, settings: Settings, end: datetime) -> list[dict[str, Any]]:
    is_recent = F.col("valid_date").between(F.lit((end - _RUNNING).date()), F.lit(end.date()))
    told = running_skill(read_table(spark, settings, GOLD_FORECAST_VERIFICATION).where(is_recent))
    return [row.asDict() for row in told.orderBy("predictand", "lead_time_h", "model_name", "model_version").collect()]


def _range(first: datetime, last: datetime) -> str:
    dates = f"valid_date >= DATE'{first:%Y-%m-%d}' AND valid_date <= DATE'{last:%Y-%m-%d}'"
    return f"{dates} AND valid_at > TIMESTAMP'{_literal(first)}' AND valid_at <= TIMESTAMP'{_literal(last)}'"


def _literal(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
