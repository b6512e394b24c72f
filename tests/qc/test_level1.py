"""Every published limit is sharp, in batch and in a stream alike; the numbers are those of the sources, typed again."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from tests.modes import Runner, as_batch
from tests.qc.readings import around, flags, judged, table
from tests.rows import event
from tests.rows import judged as parsed_and_judged

from weahouse.qc.level1 import judge
from weahouse.qc.masks import BAD, GOOD, MISSING, SUSPECT, TESTS
from weahouse.qc.rules import load_rules
from weahouse.schemas.fields import VARIABLES, flag_of

# NOAA MADIS level 1, WMO-No. 305, WMO guidelines for automatic weather stations: suspect outside, bad outside.
PUBLISHED = {
    "air_temperature_c": ((-51.1, 54.4), (-80.0, 60.0)),
    "dew_point_c": ((-67.8, 32.2), (-80.0, 35.0)),
    "relative_humidity_pct": ((0.0, 100.0), (0.0, 100.0)),
    "air_pressure_hpa": ((568.0, 1080.0), (500.0, 1100.0)),
    "air_pressure_at_sea_level_hpa": ((870.0, 1080.0), (846.0, 1100.0)),
    "wind_speed_mps": ((0.0, 60.0), (0.0, 75.0)),
    "wind_gust_mps": ((0.0, 75.0), (0.0, 128.3)),
    "wind_from_direction_deg": ((0.0, 360.0), (0.0, 360.0)),
    "precipitation_mm": ((0.0, 1117.6), (0.0, 1117.6)),
}
SENTINELS = [
    *[(variable, number) for variable in VARIABLES for number in (-9999.0, -999.0, 9999.0)],
    # 999.9 and 0 are pressures and no pressures: 999.9 hPa is an ordinary day, 0 a hole.
    *[(variable, 999.9) for variable in VARIABLES if "pressure" not in variable],
    *[(variable, 0.0) for variable in VARIABLES if "pressure" in variable],
]
NO_SENTINELS = [
    ("air_pressure_at_sea_level_hpa", 999.9, GOOD),
    ("air_pressure_hpa", 999.0, GOOD),
    ("air_temperature_c", 0.0, GOOD),
    ("precipitation_mm", 0.0, GOOD),
    ("air_temperature_c", -9998.0, BAD),
]


def test_every_limit_is_sharp(spark: SparkSession, mode: Runner):
    cases = [(variable, value, flag) for variable, pairs in PUBLISHED.items() for value, flag in around(*pairs)]
    told = flags(spark, mode, [{variable: value} for variable, value, _ in cases])
    assert [(case, flag) for case, (flag,) in zip(cases, told, strict=True) if flag != case[2]] == []


def test_every_variable_is_judged():
    assert set(PUBLISHED) == set(VARIABLES)


def test_a_number_that_stands_for_missing_is_missing(spark: SparkSession, mode: Runner):
    told = flags(spark, mode, [{variable: number} for variable, number in SENTINELS])
    assert [case for case, (flag,) in zip(SENTINELS, told, strict=True) if flag != MISSING] == []


def test_a_number_that_only_looks_like_missing_is_judged(spark: SparkSession):
    told = flags(spark, as_batch, [{variable: number} for variable, number, _ in NO_SENTINELS])
    assert told == [(flag,) for _, _, flag in NO_SENTINELS]


CONSISTENCY = [
    ({"air_temperature_c": 10.0, "dew_point_c": 10.0}, (GOOD, GOOD)),
    ({"air_temperature_c": 10.0, "dew_point_c": 9.9}, (GOOD, GOOD)),
    ({"air_temperature_c": 10.0, "dew_point_c": 10.1}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 5.0, "wind_gust_mps": 5.0}, (GOOD, GOOD)),
    ({"wind_speed_mps": 5.0, "wind_gust_mps": 5.1}, (GOOD, GOOD)),
    ({"wind_speed_mps": 5.0, "wind_gust_mps": 4.9}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 0.0, "wind_from_direction_deg": 0.0}, (GOOD, GOOD)),
    ({"wind_speed_mps": 0.0, "wind_from_direction_deg": 10.0}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 0.0, "wind_from_direction_deg": 360.0}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 1.0, "wind_from_direction_deg": 0.0}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 1.0, "wind_from_direction_deg": 360.0}, (GOOD, GOOD)),
    # 20 and 10 degrees imply 52.55 percent, so that 47.55 and 57.55 are the limits.
    ({"relative_humidity_pct": 57.54, "air_temperature_c": 20.0, "dew_point_c": 10.0}, (GOOD, GOOD, GOOD)),
    ({"relative_humidity_pct": 57.56, "air_temperature_c": 20.0, "dew_point_c": 10.0}, (SUSPECT, SUSPECT, SUSPECT)),
    ({"relative_humidity_pct": 47.56, "air_temperature_c": 20.0, "dew_point_c": 10.0}, (GOOD, GOOD, GOOD)),
    ({"relative_humidity_pct": 47.54, "air_temperature_c": 20.0, "dew_point_c": 10.0}, (SUSPECT, SUSPECT, SUSPECT)),
    # Two of three are not enough to imply anything.
    ({"relative_humidity_pct": 5.0, "dew_point_c": 10.0}, (GOOD, GOOD)),
    # A number that means missing contradicts nothing.
    ({"air_temperature_c": -9999.0, "dew_point_c": 10.0}, (MISSING, GOOD)),
    ({"wind_speed_mps": 0.0, "wind_from_direction_deg": 999.0}, (GOOD, MISSING)),
    # Bad by itself, and in contradiction.
    ({"air_temperature_c": -81.0, "dew_point_c": 0.0}, (BAD, SUSPECT)),
]


def test_variables_that_contradict_each_other_are_all_suspect(spark: SparkSession, mode: Runner):
    told = flags(spark, mode, [reading for reading, _ in CONSISTENCY])
    assert told == [expected for _, expected in CONSISTENCY]


def named_tests(mask: int) -> list[str]:
    return [test for bit, test in enumerate(TESTS) if mask >> bit & 1]


def test_the_masks_tell_which_tests_were_applied_and_failed(spark: SparkSession, mode: Runner):
    [row, coded] = judged(
        spark,
        mode,
        [{"air_temperature_c": 10.0, "dew_point_c": 11.0}, {"air_temperature_c": -9999.0, "dew_point_c": -81.0}],
    )
    applied = ["range:air_temperature_c", "range:dew_point_c", "dew_point_above_temperature"]
    assert (named_tests(row["tests_applied"]), named_tests(row["tests_failed"])) == (
        applied,
        ["dew_point_above_temperature"],
    )
    assert named_tests(coded["tests_applied"]) == named_tests(coded["tests_failed"]) == ["range:dew_point_c"]
    assert (row["quality_level"], row["rules_version"]) == (1, load_rules().version)


def test_the_bits_of_rows_that_were_written_long_ago_keep_their_meaning():
    assert TESTS[:13] == (
        *[f"range:{variable}" for variable in PUBLISHED],
        "dew_point_above_temperature",
        "gust_below_mean_speed",
        "calm_with_direction",
        "humidity_disagrees",
    )


def test_where_nothing_was_measured_everything_is_missing(spark: SparkSession, mode: Runner):
    [row] = judged(spark, mode, [{}])
    assert {row[flag_of(variable)] for variable in VARIABLES} == {MISSING}
    assert (row["tests_applied"], row["tests_failed"], row["quality_level"]) == (0, 0, 1)


@pytest.mark.parametrize("value", [-243.04, 1e308, -1e308])
def test_an_absurd_value_is_judged_and_never_fails_the_batch(spark: SparkSession, value: float):
    reading = {"air_temperature_c": value, "dew_point_c": value, "relative_humidity_pct": 50.0, "latitude_deg": 40.0}
    assert flags(spark, as_batch, [reading])[0][0] == BAD


def test_a_test_never_changes_a_value_nor_a_row(spark: SparkSession, mode: Runner):
    readings = [{"air_temperature_c": -9999.0}, {"air_temperature_c": 12.3, "wind_speed_mps": 99.0}]
    before = table(spark, readings)
    after = mode(before, lambda rows: judge(rows, load_rules())).orderBy("n").select(*before.columns)
    assert after.collect() == before.collect()


def test_what_parse_reads_can_be_judged_without_a_registry(spark: SparkSession):
    row = parsed_and_judged(spark, event(air_temperature_c=54.5, dew_point_c=7.0)).first()
    assert (row["air_temperature_c_flag"], row["dew_point_c_flag"]) == (SUSPECT, GOOD)


def test_without_overrides_the_expressions_ask_for_neither_station_nor_region(spark: SparkSession):
    rows = table(spark, [{}]).select("observed_at", "latitude_deg", *VARIABLES)
    assert judge(rows, load_rules()).count() == 1
