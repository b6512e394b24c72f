"""Training in a world in which it is known what can be forecast."""

from __future__ import annotations

from functools import partial

import pytest
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tests.ml.world import DAYS, STATIONS, at, hourly, places, world

from weahouse.ml.baselines import CLIMATOLOGY, PERSISTENCE, persistence
from weahouse.ml.comparison import Trained, compare, figures, train_target
from weahouse.ml.errors import NoDataError, OneClassError
from weahouse.ml.estimators import BOOSTED_TREES, LEARNED, LINEAR, fit, predict
from weahouse.ml.features import station_features
from weahouse.ml.forecasts import forecasts, verified
from weahouse.ml.splits import Plan, plan
from weahouse.ml.targets import RAIN, TEMPERATURE, Target, examples, observed, target_of
from weahouse.schemas.gold import CHAMPION, GOLD_FORECAST_VERIFICATION, GOLD_FORECASTS


class World:
    """Features and outcomes, computed once."""

    def __init__(self, spark: SparkSession) -> None:
        hours = hourly(spark, world()).repartition(2).persist()
        self.features = station_features(hours, places(spark, a=(40.0, 0.0))).persist()
        self.outcomes = {predictand: observed(hours, predictand).persist() for predictand in (TEMPERATURE, RAIN)}
        self.plan: Plan = plan(at(1), at(DAYS * 24 - 1))

    def examples(self, target: Target) -> DataFrame:
        return examples(self.features, self.outcomes[target.predictand], target)

    def train(self, predictand: str, lead_time_h: int, **more) -> Trained:
        target = target_of(predictand, lead_time_h)
        outcomes = self.outcomes[predictand]
        return train_target(self.examples(target), outcomes, target, self.plan, kinds=(LINEAR,), **more)


@pytest.fixture(scope="module")
def small_world(spark: SparkSession) -> World:
    return World(spark)


def perfect_but_for_half_a_degree(rows: DataFrame) -> DataFrame:
    return rows.withColumn("predicted_value", F.col("observed_value") + 0.5)


@pytest.fixture(scope="module")
def in_six_hours(small_world: World) -> Trained:
    return small_world.train(TEMPERATURE, 6, champion=perfect_but_for_half_a_degree)


def test_where_the_sun_decides_the_trained_model_beats_persistence(in_six_hours: Trained):
    told = in_six_hours.figures
    assert told[LEARNED]["skill"][PERSISTENCE] > 0.8
    assert told[LEARNED]["skill"][CLIMATOLOGY] > 0


def test_all_models_are_judged_by_the_same_cases_of_all_stations(in_six_hours: Trained):
    told = in_six_hours.figures
    assert set(told) == {PERSISTENCE, CLIMATOLOGY, LEARNED, CHAMPION}
    assert len({row["cases"] for row in told.values()}) == 1
    for row in told.values():
        assert set(row["stations"]) == set(STATIONS)
        assert sum(found["cases"] for found in row["stations"].values()) == row["cases"]


def test_the_interval_holds_about_eight_in_ten_of_later_outcomes(in_six_hours: Trained):
    assert 0.65 < in_six_hours.figures[LEARNED]["coverage"] < 0.95


def test_a_champion_is_compared_in_the_same_cases(in_six_hours: Trained):
    told = in_six_hours.figures
    assert told[CHAMPION]["mse"] == pytest.approx(0.25)
    assert told[CHAMPION]["cases"] == told[LEARNED]["cases"]


def test_rain_that_announces_itself_is_forecast_as_a_reliable_probability(small_world: World):
    told = small_world.train(RAIN, 3)
    learned = told.figures[LEARNED]
    assert learned["skill"][PERSISTENCE] > 0
    assert learned["skill"][CLIMATOLOGY] > 0
    assert told.bounds == {}
    assert sum(found["cases"] for found in learned["reliability"]) == learned["cases"]
    assert learned["reliability"][-1]["observed_frequency"] > learned["reliability"][0]["observed_frequency"]


def test_trees_learn_the_daily_cycle_too(small_world: World):
    target = target_of(TEMPERATURE, 6)
    known = small_world.examples(target)
    model = fit(small_world.plan.final.training(known), target, BOOSTED_TREES, iterations=3)
    told = predict(model, small_world.plan.final.test(known), target)
    of_outcomes = RegressionEvaluator(labelCol="observed_value", metricName="mse")
    learned, persisted = (
        of_outcomes.setPredictionCol(name).evaluate(told) for name in ("predicted_value", target.persistence)
    )
    assert learned < 0.5 * persisted
    assert set(told.columns) == {*known.columns, "predicted_value"}


def test_a_station_without_a_last_value_has_no_forecast_and_a_missing_feature_is_no_hindrance(
    small_world: World, in_six_hours: Trained
):
    target = in_six_hours.target
    rows = small_world.features.where(F.col("issued_at") == F.lit(at(48)))
    without = rows.withColumns(
        {
            "air_temperature_c_latest": F.when(F.col("station_id") == "a", F.col("air_temperature_c_latest")),
            "dew_point_c_now": F.lit(None).cast("double"),
        }
    )
    told = {
        row["station_id"]: row["predicted_value"] for row in predict(in_six_hours.pipeline, without, target).collect()
    }
    assert told["a"] is not None
    assert told["b"] is None


def test_it_never_rained_so_nothing_can_be_told_apart(small_world: World):
    target = target_of(RAIN, 3)
    dry = small_world.examples(target).withColumn("observed_value", F.lit(0.0))
    with pytest.raises(OneClassError, match=r"rain_within_3h_3h was 0 in all .* with both outcomes"):
        fit(dry, target, LINEAR)


def test_a_few_examples_are_refused(small_world: World):
    target = target_of(TEMPERATURE, 6)
    few = small_world.examples(target).where(F.col("issued_at") < F.lit(at(48)))
    with pytest.raises(NoDataError, match="500 are needed"):
        fit(few, target, LINEAR)


def test_a_final_range_without_outcomes_is_refused(small_world: World):
    target = target_of(TEMPERATURE, 6)
    none = compare(small_world.examples(target).limit(0), {PERSISTENCE: partial(persistence, target=target)})
    with pytest.raises(NoDataError, match="no case in the final range"):
        figures(none, target, {})


def test_only_cases_that_all_have_are_compared(small_world: World):
    target = target_of(TEMPERATURE, 1)
    rows = small_world.examples(target).where(F.col("issued_at") < F.lit(at(11)))

    def for_a_alone(given: DataFrame) -> DataFrame:
        return given.withColumn("predicted_value", F.when(F.col("station_id") == "a", 1.0))

    def for_all(given: DataFrame) -> DataFrame:
        return given.withColumn("predicted_value", F.lit(2.0))

    told = compare(rows, {"one": for_a_alone, "other": for_all}).collect()
    assert {(row["station_id"], row["model_name"]) for row in told} == {("a", "one"), ("a", "other")}
    assert len(told) == 20


def test_forecasts_and_what_was_observed_have_the_shape_of_their_tables(small_world: World, in_six_hours: Trained):
    target = in_six_hours.target
    rows = small_world.features.where(F.col("issued_at") == F.lit(at(48)))
    predicted = predict(in_six_hours.pipeline, rows, target)
    issued = forecasts(predicted, target, ("learned", "1"), in_six_hours.bounds[LEARNED])
    assert tuple(issued.columns) == GOLD_FORECASTS.columns
    told = verified(issued, small_world.outcomes[TEMPERATURE])
    assert tuple(told.columns) == GOLD_FORECAST_VERIFICATION.columns
    for row in told.collect():
        assert row["valid_at"].hour == 6
        assert row["lower_bound"] < row["predicted_value"] < row["upper_bound"]
        assert row["forecast_error"] == row["predicted_value"] - row["observed_value"]
