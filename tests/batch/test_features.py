from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession
from tests.batch.conftest import next_run, write
from tests.ml.world import at, hourly, world

from weahouse.batch.features import JOB, build_features, days_between, days_that_look_at
from weahouse.io.delta import read_table, version_of
from weahouse.schemas.gold import GOLD_HOURLY_SUMMARIES, GOLD_STATION_FEATURES
from weahouse.settings import Settings


def held(spark: SparkSession, settings: Settings):
    rows = read_table(spark, settings, GOLD_STATION_FEATURES).collect()
    return {(row["station_id"], row["issued_at"]): row for row in rows}


def build(spark: SparkSession, settings: Settings, begin: date, end: date):
    return build_features(spark, settings, days_between(begin, end), writer=next_run(JOB))


def test_a_corrected_hour_is_in_the_features_that_look_at_it_and_what_is_the_same_is_not_written(
    spark: SparkSession, local_lake: Settings
):
    write(hourly(spark, world(days=4)), local_lake, GOLD_HOURLY_SUMMARIES)
    told = build(spark, local_lake, date(2024, 5, 1), date(2024, 5, 6))
    # One of each hour; those of the last one are of the next day.
    assert (told["station_features_days"], told["station_features_written"]) == (5, 192)
    before = held(spark, local_lake)
    corrected = [
        row | ({"air_temperature_c_mean": 40.0} if row["window_start"] == at(30) else {}) for row in world(days=4)
    ]
    write(hourly(spark, corrected), local_lake, GOLD_HOURLY_SUMMARIES)
    told = build_features(spark, local_lake, days_that_look_at([at(30)]), writer=next_run(JOB))
    after, version = held(spark, local_lake), version_of(spark, local_lake, GOLD_STATION_FEATURES)
    changed = {key for key in before if before[key] != after[key]}
    # Hour 30 is now at 31, and a day ago until 55.
    assert min(key[1] for key in changed) == at(31).replace(tzinfo=None)
    assert max(key[1] for key in changed) == at(55).replace(tzinfo=None)
    assert told["station_features_written"] == len(changed)
    # Made at once, all days are what these two have become.
    build(spark, local_lake, date(2024, 5, 1), date(2024, 5, 6))
    assert version_of(spark, local_lake, GOLD_STATION_FEATURES) == version


@pytest.mark.parametrize(("hour", "days"), [(0, (1, 2)), (22, (1, 2)), (23, (2, 3))])
def test_an_hour_is_looked_at_until_a_day_after_it_has_ended(hour: int, days: tuple[int, int]):
    assert days_that_look_at([at(hour)]) == [date(2024, 5, day) for day in days]


def test_no_day_is_refused():
    with pytest.raises(ValueError, match="holds no day"):
        days_between(date(2024, 5, 2), date(2024, 5, 2))
