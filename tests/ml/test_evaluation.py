"""Scores by hand."""

from __future__ import annotations

import math

import pytest
from pyspark.sql import SparkSession
from tests.ml.world import at

from weahouse.ml.baselines import CLIMATOLOGY, PERSISTENCE
from weahouse.ml.evaluation import reliability, residual_bounds, running_skill, scores, skill, with_errors


def cases(spark: SparkSession, *pairs: tuple[float, float]):
    """Cases of (forecast, outcome)."""
    rows = [("m", predicted, observed) for predicted, observed in pairs]
    return spark.createDataFrame(rows, "model_name string, predicted_value double, observed_value double")


def test_errors_are_forecast_minus_outcome(spark: SparkSession):
    row = scores(cases(spark, (12.0, 10.0), (7.0, 10.0), (11.0, 10.0)), "model_name").first()
    assert row is not None
    assert (row["cases"], row["mae"], row["bias"]) == (3, 2.0, 0.0)
    assert row["mse"] == pytest.approx(14 / 3)
    assert row["rmse"] == pytest.approx(math.sqrt(14 / 3))


def test_the_mean_squared_error_of_a_probability_is_its_brier_score(spark: SparkSession):
    row = scores(cases(spark, (0.9, 1.0), (0.2, 0.0), (0.5, 1.0)), "model_name").first()
    assert row is not None
    assert row["mse"] == pytest.approx((0.01 + 0.04 + 0.25) / 3)


@pytest.mark.parametrize(
    ("mse", "baseline_mse", "expected"), [(1.0, 4.0, 0.75), (4.0, 4.0, 0.0), (6.0, 4.0, -0.5), (1.0, 0.0, None)]
)
def test_skill_is_the_share_of_the_baselines_error_that_is_saved(mse: float, baseline_mse: float, expected):
    assert skill(mse, baseline_mse) == expected


def test_reliability_compares_each_tenth_with_how_often_it_rained(spark: SparkSession):
    told = reliability(cases(spark, (0.12, 0.0), (0.18, 1.0), (0.95, 1.0), (1.0, 1.0)), "model_name")
    bins = {row["bin"]: row for row in told.collect()}
    assert set(bins) == {1, 9}
    assert (bins[1]["cases"], bins[1]["observed_frequency"]) == (2, 0.5)
    assert bins[1]["mean_forecast"] == pytest.approx(0.15)
    assert bins[9]["observed_frequency"] == 1.0


def test_eight_in_ten_outcomes_lie_within_the_bounds_of_past_residuals(spark: SparkSession):
    # Residuals -10 to 10 in whole numbers: a tenth of them lies below -8, a tenth above 8.
    past = cases(spark, *[(20.0, 20.0 + residual) for residual in range(-10, 11)])
    row = residual_bounds(past, "model_name").first()
    assert row is not None
    assert (row["below"], row["above"]) == (pytest.approx(-8.0), pytest.approx(8.0))


def test_a_forecast_without_bounds_is_neither_within_nor_beyond_them(spark: SparkSession):
    schema = "predicted_value double, observed_value double, lower_bound double, upper_bound double"
    rows = [(1.0, 2.0, 0.0, 2.0), (1.0, 2.5, 0.0, 2.0), (0.3, 1.0, None, None)]
    told = with_errors(spark.createDataFrame(rows, schema)).collect()
    assert [row["is_within_bounds"] for row in told] == [True, False, None]
    assert told[1]["forecast_error"] == -1.5
    assert told[1]["squared_error"] == 2.25


def verification(spark: SparkSession, *rows: tuple[int, str, str, float]):
    """Rows of (hour of issue, model, version, squared error), of one station and target."""
    given = [("a", at(n), "air_temperature_c", 6, name, version, error) for n, name, version, error in rows]
    schema = (
        "station_id string, issued_at timestamp, predictand string, lead_time_h int, model_name string, "
        "model_version string, squared_error double"
    )
    return spark.createDataFrame(given, schema)


def test_running_skill_is_of_the_cases_that_the_model_and_both_baselines_have(spark: SparkSession):
    given = verification(
        spark,
        (0, "learned", "2", 1.0),
        (0, PERSISTENCE, "2", 4.0),
        (0, CLIMATOLOGY, "2", 2.0),
        # A case without climatology would count for one skill only.
        (1, "learned", "2", 9.0),
        (1, PERSISTENCE, "2", 1.0),
        (2, "learned", "2", 3.0),
        (2, PERSISTENCE, "1", 100.0),
        (2, PERSISTENCE, "2", 4.0),
        (2, CLIMATOLOGY, "2", 2.0),
    )
    told = {(row["model_name"], row["model_version"]): row for row in running_skill(given).collect()}
    learned = told["learned", "2"]
    assert (learned["cases"], learned["mse"]) == (2, 2.0)
    assert learned["skill_against_persistence"] == pytest.approx(0.5)
    assert learned["skill_against_climatology"] == pytest.approx(0.0)
    assert told[PERSISTENCE, "2"]["skill_against_persistence"] == pytest.approx(0.0)
    assert told[PERSISTENCE, "1"]["skill_against_persistence"] == pytest.approx(-24.0)


def test_a_baseline_without_error_leaves_no_skill(spark: SparkSession):
    given = verification(spark, (0, "learned", "1", 1.0), (0, PERSISTENCE, "1", 0.0), (0, CLIMATOLOGY, "1", 2.0))
    row = running_skill(given).where("model_name = 'learned'").first()
    assert row is not None
    assert row["skill_against_persistence"] is None
    assert row["skill_against_climatology"] == pytest.approx(0.5)
