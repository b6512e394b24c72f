from __future__ import annotations

import random

from chispa import assert_df_equality
from pyspark.sql import SparkSession
from tests.modes import Runner
from tests.rows import event, judged

from weahouse.qc.masks import TESTS
from weahouse.transforms.newest import newest_of_each_key

VERSIONS = [event(air_temperature_c=t) for t in (1.0, 2.0, 3.0)]


def test_the_newest_record_of_a_key_wins(spark: SparkSession, mode: Runner):
    row = mode(judged(spark, *VERSIONS), newest_of_each_key).first()
    assert (row["kafka_offset"], row["air_temperature_c"], row["contested"]) == (2, 3.0, True)


def test_a_reading_that_returns_to_its_first_value_ends_with_that_value(spark: SparkSession):
    row = newest_of_each_key(judged(spark, VERSIONS[0], VERSIONS[1], VERSIONS[0])).first()
    assert (row["kafka_offset"], row["air_temperature_c"]) == (2, 1.0)


def test_repeats_alone_contest_nothing(spark: SparkSession):
    assert newest_of_each_key(judged(spark, VERSIONS[0], VERSIONS[0])).first()["contested"] is False


def test_what_any_record_tells_is_known_of_the_newest(spark: SparkSession):
    row = newest_of_each_key(
        judged(spark, event(air_temperature_c=1.0, wind_speed_mps=2.0), event(dew_point_c=3.0))
    ).first()
    told = [test for bit, test in enumerate(TESTS) if row["values_told"] >> bit & 1]
    assert told == ["range:air_temperature_c", "range:dew_point_c", "range:wind_speed_mps"]


def test_the_order_of_the_input_makes_no_difference(spark: SparkSession):
    rows = judged(spark, *VERSIONS, *[event(station_id="b", air_temperature_c=t) for t in (5.0, 6.0)])
    shuffled = rows.collect()
    random.Random(1).shuffle(shuffled)
    again = spark.createDataFrame(shuffled, rows.schema)
    assert_df_equality(newest_of_each_key(rows), newest_of_each_key(again), ignore_row_order=True)
