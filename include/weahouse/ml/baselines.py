"""What a model must beat: that all stays as it is, and that all is as it usually is at that hour of the year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.ml.targets import Target

PERSISTENCE, CLIMATOLOGY = "persistence", "climatology"
BASELINES = (PERSISTENCE, CLIMATOLOGY)
DAYS_AROUND = 15
# The mean of so many values is off by a third of their deviation; one year's 31 days give three times as many.
LEAST_VALUES = 10
_DAYS_OF_LEAP_YEAR = 366
_A_LEAP_YEAR = 2000


def persistence(features: DataFrame, target: Target) -> DataFrame:
    """Add `predicted_value`, the last good value at issue time; null where there is none."""
    return features.withColumn("predicted_value", F.col(target.persistence))


def normals(observations: DataFrame) -> DataFrame:
    """What is usual: station_id, calendar_day, hour_of_day, normal_value, the mean of 31 days of each given year.

    `observations`: station_id, valid_at, observed_value, of the training years only. `calendar_day` counts 1 to 366
    in every year, so that 1 March is 61 in each, and day 366 is followed by day 1. A normal of fewer than
    `LEAST_VALUES` values is left out.
    """
    daily = observations.select("station_id", *_place_in_year(), "observed_value")
    daily = daily.groupBy("station_id", "calendar_day", "hour_of_day").agg(
        F.sum("observed_value").alias("total"), F.count("observed_value").alias("values")
    )
    # Each day is told to the 31 days of which it is a neighbour, after its years have become one sum.
    offset = F.explode(F.sequence(F.lit(-DAYS_AROUND), F.lit(DAYS_AROUND))).alias("offset")
    told = daily.select("*", offset).withColumn(
        "calendar_day", F.pmod(F.col("calendar_day") - 1 + F.col("offset"), F.lit(_DAYS_OF_LEAP_YEAR)) + 1
    )
    means = told.groupBy("station_id", "calendar_day", "hour_of_day").agg(
        F.sum("total").alias("total"), F.sum("values").alias("values")
    )
    usual = (F.col("total") / F.col("values")).alias("normal_value")
    return means.where(F.col("values") >= LEAST_VALUES).select("station_id", "calendar_day", "hour_of_day", usual)


def climatology(features: DataFrame, target: Target, usual: DataFrame) -> DataFrame:
    """Add `predicted_value`, the normal of the station at valid_at; null where there is none. `usual`: `normals`."""
    columns = features.columns
    placed = features.withColumn("valid_at", target.valid_at).select(*columns, *_place_in_year())
    joined = placed.join(usual, ["station_id", "calendar_day", "hour_of_day"], "left")
    return joined.select(*columns, F.col("normal_value").alias("predicted_value"))


def _place_in_year() -> tuple[Column, Column]:
    # The hour that ends at valid_at begins an hour earlier, and at midnight on the day before.
    begins = F.col("valid_at") - F.expr("INTERVAL 1 HOUR")
    as_if = F.make_date(F.lit(_A_LEAP_YEAR), F.month(begins), F.dayofmonth(begins))
    return F.dayofyear(as_if).alias("calendar_day"), F.hour(begins).alias("hour_of_day")
