"""Forecasts as rows: the one shape that a baseline's and a trained model's have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.ml.evaluation import with_errors
from weahouse.schemas.gold import GOLD_FORECAST_VERIFICATION, GOLD_FORECASTS, TARGET

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from weahouse.ml.targets import Target


def forecasts(
    predicted: DataFrame, target: Target, model: tuple[str, str], bounds: tuple[float, float] | None
) -> DataFrame:
    """`gold.forecasts` rows of features with `predicted_value`; where that is null there is no forecast.

    `model`: name and version. `bounds`: what is added to the value for the two ends of its interval.
    """
    below, above = bounds or (None, None)
    value = F.col("predicted_value")
    rows = predicted.where(value.isNotNull()).withColumns(
        {
            "predictand": F.lit(target.predictand),
            "lead_time_h": F.lit(target.lead_time_h),
            "valid_at": target.valid_at,
            "lower_bound": value + F.lit(below).cast("double"),
            "upper_bound": value + F.lit(above).cast("double"),
            "model_name": F.lit(model[0]),
            "model_version": F.lit(model[1]),
        }
    )
    return rows.select(*GOLD_FORECASTS.columns)


def latest(given: DataFrame) -> DataFrame:
    """The newest of each station and target; where there is more than one model, any of those with the newest."""
    key = ("station_id", *TARGET)
    rest = [column for column in given.columns if column not in key]
    newest = given.groupBy(*key).agg(F.max_by(F.struct(*rest), "issued_at").alias("newest"))
    return newest.select(*key, "newest.*")


def verified(given: DataFrame, observations: DataFrame) -> DataFrame:
    """`gold.forecast_verification` rows of `gold.forecasts` of one predictand whose outcome is known.

    `observations` as of `targets.observed`.
    """
    cases = with_errors(given.join(observations, ["station_id", "valid_at"]))
    return cases.withColumn("valid_date", F.to_date("valid_at")).select(*GOLD_FORECAST_VERIFICATION.columns)
