"""How good forecasts are. A case is a forecast with its outcome: predicted_value, observed_value, and what it is of.

The squared error of a probability, averaged, is its Brier score, so that one skill serves both kinds:
1 - MSE / MSE of the baseline, which is 1 where perfect, 0 where no better, negative where worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.ml.baselines import BASELINES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

INTERVAL = 0.8
_BINS = 10
_ONE_CASE = ("station_id", "issued_at", "predictand", "lead_time_h")


def with_errors(cases: DataFrame) -> DataFrame:
    """Add forecast_error, squared_error, and is_within_bounds, null where a forecast has no bounds."""
    error = F.col("predicted_value") - F.col("observed_value")
    within = F.col("observed_value").between(F.col("lower_bound"), F.col("upper_bound"))
    return cases.withColumns({"forecast_error": error, "squared_error": error * error, "is_within_bounds": within})


def scores(cases: DataFrame, *by: str) -> DataFrame:
    """Per `by`: cases, mae, rmse, bias (mean of forecast minus outcome), mse (of probabilities the Brier score)."""
    error = F.col("predicted_value") - F.col("observed_value")
    return cases.groupBy(*by).agg(
        F.count("*").alias("cases"),
        F.avg(F.abs(error)).alias("mae"),
        F.sqrt(F.avg(error * error)).alias("rmse"),
        F.avg(error).alias("bias"),
        F.avg(error * error).alias("mse"),
    )


def skill(mse: float, baseline_mse: float) -> float | None:
    """1 - mse / baseline_mse; None where the baseline made no error, of which nothing is a share."""
    return 1 - mse / baseline_mse if baseline_mse else None


def reliability(cases: DataFrame, *by: str) -> DataFrame:
    """Per `by` and tenth of the probability: bin (0 to 9), cases, mean_forecast, observed_frequency."""
    tenth = F.least(F.floor(F.col("predicted_value") * _BINS), F.lit(_BINS - 1)).cast("int").alias("bin")
    return cases.groupBy(*by, tenth).agg(
        F.count("*").alias("cases"),
        F.avg("predicted_value").alias("mean_forecast"),
        F.avg("observed_value").alias("observed_frequency"),
    )


def residual_bounds(cases: DataFrame, *by: str) -> DataFrame:
    """Per `by`: below and above, between which outcome minus forecast lay in 80 % of the cases."""
    residual = F.col("observed_value") - F.col("predicted_value")
    tail = (1 - INTERVAL) / 2
    quantiles = {"below": F.percentile(residual, tail), "above": F.percentile(residual, 1 - tail)}
    return cases.groupBy(*by).agg(*[quantile.alias(name) for name, quantile in quantiles.items()])


def running_skill(verification: DataFrame, *by: str) -> DataFrame:
    """Skill of each model against both baselines over `gold.forecast_verification`, per `by` (default: by lead time).

    Shape: model_name, model_version, predictand, lead_time_h or `by`, cases, mse, skill_against_persistence and
    skill_against_climatology. Each is of the cases that the model and both baselines have; of several versions of a
    baseline for one case the newest counts.
    """
    groups = ("model_name", "model_version", *(by or ("predictand", "lead_time_h")))
    errors = {name: _error_of(name).alias(f"{name}_error") for name in BASELINES}
    baselines = verification.groupBy(*_ONE_CASE).agg(*errors.values()).dropna()
    means = {name: F.avg(f"{name}_error") for name in BASELINES}
    mse = F.avg("squared_error")
    skills = [(1 - F.try_divide(mse, means[name])).alias(f"skill_against_{name}") for name in BASELINES]
    compared = verification.join(baselines, list(_ONE_CASE)).groupBy(*groups)
    return compared.agg(F.count("*").alias("cases"), mse.alias("mse"), *skills)


def _error_of(model_name: str) -> Column:
    is_its = F.col("model_name") == model_name
    return F.max_by(F.when(is_its, F.col("squared_error")), F.when(is_its, F.col("model_version")))
