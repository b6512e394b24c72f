from __future__ import annotations

import math

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tests.modes import Runner
from tests.rows import event, judged

from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.schemas.fields import VARIABLES
from weahouse.transforms.panes import STATISTICS, by_variable, merged, summarise, windows


def at(minute: int, **members):
    return event(observed_at=f"2024-05-01T11:{minute:02d}:00Z", **members)


def panes(spark: SparkSession, mode: Runner, *values: bytes):
    rows = mode(
        judged(spark, *values), lambda df: summarise(df.withColumn("revision", F.lit(0)), PANE_MINUTES)
    ).collect()
    return {(row["window_start"].minute, row["variable"]): row for row in rows}


def test_values_are_summed_by_ten_minutes(spark: SparkSession, mode: Runner):
    told = panes(spark, mode, *[at(minute, air_temperature_c=t) for minute, t in ((0, 1.0), (9, 3.0), (10, 5.0))])
    first, second = told[0, "air_temperature_c"], told[10, "air_temperature_c"]
    assert (first["value_count"], first["value_sum"], first["value_min"], first["value_max"]) == (2, 4.0, 1.0, 3.0)
    assert first["value_squared_deviations"] == 2.0
    assert second["value_count"] == 1


def test_bad_and_missing_values_are_left_out_and_suspects_are_counted(spark: SparkSession, mode: Runner):
    values = [at(1, air_temperature_c=t) for t in (20.0,)]
    values += [at(2, air_temperature_c=-9999.0), at(3, air_temperature_c=70.0), at(4), at(5, air_temperature_c=55.0)]
    pane = panes(spark, mode, *values)[0, "air_temperature_c"]
    assert (pane["value_count"], pane["suspect_count"], pane["value_max"]) == (2, 1, 55.0)


def test_directions_are_added_as_unit_vectors_and_winds_by_their_speed(spark: SparkSession, mode: Runner):
    winds = ((0, 3.0, 350.0), (1, 3.0, 10.0), (2, 0.0, None), (3, 8.0, None))
    told = panes(spark, mode, *[at(m, wind_speed_mps=v, wind_from_direction_deg=d) for m, v, d in winds])
    direction, wind = told[0, "wind_from_direction_deg"], told[0, "wind_speed_mps"]
    northward = 2 * math.cos(math.radians(10))
    assert (direction["vector_count"], wind["vector_count"]) == (2, 3)
    assert (direction["eastward_sum"], wind["eastward_sum"]) == (pytest.approx(0.0), pytest.approx(0.0))
    assert direction["northward_sum"] == pytest.approx(northward)
    assert wind["northward_sum"] == pytest.approx(3 * northward)


def test_a_pane_with_a_value_has_every_statistic_of_its_variable(spark: SparkSession, mode: Runner):
    told = panes(spark, mode, at(0, wind_speed_mps=3.0, wind_from_direction_deg=1.0, air_temperature_c=1.0))
    vectors = {"vector_count", "eastward_sum", "northward_sum"}
    amounts = set(STATISTICS) - vectors
    expected = {
        "air_temperature_c": amounts,
        "wind_speed_mps": amounts | vectors,
        "wind_from_direction_deg": {"value_count", "suspect_count"} | vectors,
    }
    assert {
        name: {statistic for statistic in STATISTICS if told[0, name][statistic] is not None} for name in expected
    } == expected


def test_a_variable_without_values_has_a_pane_with_none(spark: SparkSession, mode: Runner):
    pane = panes(spark, mode, at(0, air_temperature_c=1.0))[0, "precipitation_mm"]
    assert (pane["value_count"], pane["value_sum"]) == (0, None)


def test_merged_panes_of_two_parts_are_those_of_the_whole(spark: SparkSession):
    # One window in both parts, one in each alone; variables with values in both, in one, and in none.
    earlier = [at(0, air_temperature_c=1.0, wind_speed_mps=3.0, wind_from_direction_deg=350.0), at(31, dew_point_c=1.0)]
    earlier += [at(1, air_temperature_c=2.5, air_pressure_hpa=1001.0), at(2, air_temperature_c=70.0)]
    later = [at(3, air_temperature_c=-4.0, dew_point_c=-5.0), at(22, air_temperature_c=8.0)]
    later += [at(4, air_temperature_c=55.0, wind_speed_mps=1.0, wind_from_direction_deg=20.0)]
    parts = [windows(judged(spark, *part).withColumn("revision", F.lit(0)), PANE_MINUTES) for part in (earlier, later)]
    found = by_variable(merged(*parts)).collect()
    whole = summarise(judged(spark, *earlier, *later).withColumn("revision", F.lit(0)), PANE_MINUTES).collect()
    assert len(found) == 3 * len(VARIABLES)
    by_key = {(row["window_start"], row["variable"]): row for row in found}
    for row in whole:
        other = by_key[row["window_start"], row["variable"]]
        assert other["revisions"] == row["revisions"]
        for name in STATISTICS:
            expected = row[name]
            assert other[name] == (pytest.approx(expected, rel=1e-12, abs=1e-12) if expected is not None else None)
