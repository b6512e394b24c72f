from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from tests.ml.world import MIDNIGHT, at, hour, hourly, places

from weahouse.ml.features import station_features
from weahouse.ml.targets import RAIN, TARGETS, TEMPERATURE, examples, observed, of_trusted, target_of
from weahouse.schemas.datasets import CURATED_STATION_TRUST
from weahouse.schemas.gold import MODEL_TARGETS
from weahouse.schemas.render import to_spark


def outcomes(spark: SparkSession, rows, predictand: str):
    """Outcomes by the hours of valid_at after the first midnight."""
    told = observed(hourly(spark, rows), predictand).collect()
    return {row["valid_at"].hour: row["observed_value"] for row in told}


def test_a_temperature_is_valid_at_the_end_of_its_hour(spark: SparkSession):
    rows = [hour("a", at(0), air_temperature_c=1.0), hour("a", at(1)), hour("a", at(2), air_temperature_c=3.0)]
    rows.append(hour("a", at(3), air_temperature_c=4.0, suspect=["air_temperature_c"]))
    assert outcomes(spark, rows, TEMPERATURE) == {1: 1.0, 3: 3.0}


def test_rain_is_known_only_where_all_three_hours_told_of_it(spark: SparkSession):
    rain = (0.0, 0.0, 0.0, 0.1, None, 0.0, 0.0, 0.05)
    rows = [hour("a", at(n), precipitation_mm=value) for n, value in enumerate(rain)]
    assert outcomes(spark, rows, RAIN) == {3: 0.0, 4: 1.0, 8: 0.0}


def test_an_example_holds_the_hour_that_ends_when_the_forecast_is_valid(spark: SparkSession):
    hours = hourly(spark, [hour("a", at(n), air_temperature_c=float(n)) for n in range(8)])
    target = target_of(TEMPERATURE, 6)
    made = examples(station_features(hours, places(spark)), observed(hours, TEMPERATURE), target)
    told = {row["air_temperature_c_now"]: row["observed_value"] for row in made.collect()}
    # Now is the hour that ends at t; the target's ends six hours after t.
    assert told == {0.0: 6.0, 1.0: 7.0}


def test_the_hour_that_follows_a_forecast_is_no_target_of_the_next_one(spark: SparkSession):
    hours = hourly(spark, [hour("a", at(n), air_temperature_c=float(n)) for n in range(2)])
    made = examples(station_features(hours, places(spark)), observed(hours, TEMPERATURE), target_of(TEMPERATURE, 1))
    assert [(row["air_temperature_c_now"], row["observed_value"]) for row in made.collect()] == [(0.0, 1.0)]


def test_what_begins_or_ends_on_a_day_of_distrust_is_no_example(spark: SparkSession):
    hours = hourly(spark, [hour(name, at(n), air_temperature_c=float(n)) for n in range(20, 51) for name in "ab"])
    made = examples(station_features(hours, places(spark)), observed(hours, TEMPERATURE), target_of(TEMPERATURE, 1))
    # A row tells of the day that follows it: the second one here.
    told = [("a", "wind_speed_mps", MIDNIGHT.date(), 10, 9, False), ("b", "dew_point_c", MIDNIGHT.date(), 10, 0, True)]
    kept = of_trusted(made, spark.createDataFrame(told, to_spark(CURATED_STATION_TRUST)))
    found = {name: [] for name in "ab"}
    for row in kept.orderBy("issued_at").collect():
        found[row["station_id"]].append(row["air_temperature_c_now"])
    # Now is the hour that ends at t: those of t = 21 to 22 o'clock, and from the third midnight on.
    assert found == {"a": [20.0, 21.0, 47.0, 48.0, 49.0], "b": [float(n) for n in range(20, 50)]}


def test_targets_have_names_of_their_own_and_others_are_refused():
    assert tuple(target.name for target in TARGETS) == MODEL_TARGETS
    assert len({*MODEL_TARGETS}) == 5
    with pytest.raises(ValueError, match="is not forecast"):
        target_of(TEMPERATURE, 2)
