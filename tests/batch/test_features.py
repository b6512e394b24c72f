from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession
from tests.batch.conftest import write_hours
from tests.ml.world import at, world

from weahouse.batch.features import build_features
from weahouse.io.delta import read_table
from weahouse.schemas.gold import GOLD_STATION_FEATURES
from weahouse.settings import Settings


def held(spark: SparkSession, settings: Settings):
    rows = read_table(spark, settings, GOLD_STATION_FEATURES).collect()
    return {(row["station_id"], row["issued_at"]): row for row in rows}


def test_days_made_one_by_one_are_those_made_at_once_and_a_repetition_changes_nothing(
    spark: SparkSession, lake: Settings
):
    write_hours(spark, lake, world(days=4))
    told = build_features(spark, lake, date(2024, 5, 1), date(2024, 5, 6))
    # One of each hour; those of the last one are of the next day.
    assert told == {"days": 5, "rows": 192}
    whole = held(spark, lake)
    for day in (3, 2, 4, 3):
        assert build_features(spark, lake, date(2024, 5, day), date(2024, 5, day + 1))["rows"] == 48
    assert held(spark, lake) == whole


def test_a_corrected_hour_is_in_the_features_of_the_days_that_were_made_anew(spark: SparkSession, lake: Settings):
    write_hours(spark, lake, world(days=4))
    build_features(spark, lake, date(2024, 5, 1), date(2024, 5, 6))
    before = held(spark, lake)
    corrected = [
        row | ({"air_temperature_c_mean": 40.0} if row["window_start"] == at(30) else {}) for row in world(days=4)
    ]
    write_hours(spark, lake, corrected)
    build_features(spark, lake, date(2024, 5, 2), date(2024, 5, 4))
    after = held(spark, lake)
    changed = {key[1] for key in before if before[key] != after[key]}
    # Hour 30 is now at 31, and a day ago until 55.
    assert min(changed) == at(31).replace(tzinfo=None)
    assert max(changed) == at(55).replace(tzinfo=None)


def test_no_day_is_refused(spark: SparkSession, lake: Settings):
    with pytest.raises(ValueError, match="holds no day"):
        build_features(spark, lake, date(2024, 5, 2), date(2024, 5, 2))
