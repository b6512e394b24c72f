"""Hours and days of Gold: windows of the panes' own statistics, told as means, spreads and the resultant wind."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import Column
from pyspark.sql import functions as F

from weahouse.schemas.fields import VARIABLES, statistic_of
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES
from weahouse.transforms.panes import STATISTICS, windows
from weahouse.transforms.rolling import DIRECTION, NO_DIRECTION, SPEED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from weahouse.schemas.kinds import Dataset

HOUR_MINUTES = 60
DAY_MINUTES = 24 * HOUR_MINUTES
_HOURS_OF_A_DAY = 24


def hourly(observations: DataFrame) -> DataFrame:
    """The rows of `gold.hourly_summaries`: one per station and hour with a report, in the dataset's columns.

    Reads the columns of `curated.observations`; values flagged bad or missing are in no statistic, suspect ones are
    and are counted. What a window has no values for is null, and its counts are 0. Each statistic is that of
    `transforms.rolling` over the same panes, to 1e-9. The session's time zone must be UTC.
    """
    return _told(windows(observations, HOUR_MINUTES, *_of_reports()), GOLD_HOURLY_SUMMARIES)


def daily(observations: DataFrame) -> DataFrame:
    """The rows of `gold.daily_summaries`, likewise, one per station and UTC day with a report.

    They need all observations of the day, not its hours: an hour's mean and spread are rounded already, and it does not
    tell when an extreme was observed. Of equal extremes the first tells the time.
    """
    more = [column for variable in VARIABLES for column in _of_day(variable)]
    return _told(windows(observations, DAY_MINUTES, *_of_reports(), *more), GOLD_DAILY_SUMMARIES)


def _told(summarised: DataFrame, dataset: Dataset) -> DataFrame:
    columns = _columns()
    return summarised.select(*[columns.get(name, F.col(name)).alias(name) for name in dataset.columns])


def _of_reports() -> list[Column]:
    # A station that moved within the window has one region, too: that of its last report.
    return [F.count("*").alias("report_count"), F.max_by("region", "observed_at").alias("region")]


def _of_day(variable: str) -> list[Column]:
    """When a variable's extremes were observed first, and a mask of the hours in which it has a value.

    In `windows` the variable's column is its usable value, null where there is none.
    """
    value, at_us = F.col(variable), F.unix_micros("observed_at")
    # A structure is compared member by member, so the time breaks ties; negated, the first one is the greatest.
    least = F.min(F.when(value.isNotNull(), F.struct(value.alias("value"), at_us.alias("at_us"))))
    greatest = F.max(F.when(value.isNotNull(), F.struct(value.alias("value"), (-at_us).alias("at_us"))))
    hour = F.call_function("shiftleft", F.lit(1), F.hour("observed_at"))
    return [
        F.timestamp_micros(least["at_us"]).alias(statistic_of(variable, "min_at")),
        F.timestamp_micros(-greatest["at_us"]).alias(statistic_of(variable, "max_at")),
        F.coalesce(F.bit_or(F.when(value.isNotNull(), hour)), F.lit(0)).alias(_hours_mask(variable)),
    ]


def _columns() -> dict[str, Column]:
    """The columns of both datasets that `windows` has in another form or under another name."""
    in_any_hour = reduce(Column.bitwiseOR, [F.col(_hours_mask(variable)) for variable in VARIABLES])
    count, length, angle = _mean_vector(SPEED)
    told = {
        "observed_date": F.col("day"),
        "observed_month": F.date_format("day", "yyyy-MM"),
        "completeness": F.bit_count(in_any_hour) / F.lit(float(_HOURS_OF_A_DAY)),
        "resultant_wind_count": count,
        "resultant_wind_speed_mps": length,
        "resultant_wind_from_direction_deg": angle,
    }
    for variable in VARIABLES:
        told |= {statistic_of(variable, name): column for name, column in _statistics(variable).items()}
    return told


def _statistics(variable: str) -> dict[str, Column]:
    """Every statistic that some variable has; which ones this variable has is the dataset's to say."""
    of = {name: F.col(f"{variable}.{name}") for name in STATISTICS}
    count = of["value_count"]
    _, length, angle = _mean_vector(variable)
    variance = of["value_squared_deviations"] / F.when(count > 1, count - 1)
    return {
        "count": count,
        "suspect_count": of["suspect_count"],
        "mean": angle if variable == DIRECTION else of["value_sum"] / F.nullif(count, F.lit(0)),
        "min": of["value_min"],
        "max": of["value_max"],
        "stddev": F.sqrt(variance),
        "sum": of["value_sum"],
        "steadiness": F.when(length > 1, F.lit(1.0)).otherwise(length),
        "hours": F.bit_count(_hours_mask(variable)),
    }


def _mean_vector(variable: str) -> tuple[Column, Column, Column]:
    """How many vectors, the length of their mean and where it points to, in degrees; null where there are none."""
    count, *sums = [F.col(f"{variable}.{name}") for name in ("vector_count", "eastward_sum", "northward_sum")]
    length = F.hypot(*sums) / F.nullif(count, F.lit(0))
    angle = F.pmod(F.degrees(F.atan2(*sums)), F.lit(360.0))
    return count, length, F.when(length > NO_DIRECTION, angle)


def _hours_mask(variable: str) -> str:
    return f"{variable}_hours_mask"
