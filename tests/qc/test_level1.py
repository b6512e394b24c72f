"""The published thresholds, just inside and just outside each limit."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from tests.rows import event, judged

from weahouse.qc.level1 import BAD, GOOD, MISSING, SUSPECT, TESTS
from weahouse.qc.rules import load_rules
from weahouse.schemas.fields import VARIABLES, flag_of

STEP = 1e-6


def flags_of(spark: SparkSession, readings: list[dict[str, float]]) -> list[dict[str, int]]:
    values = [event(observed_at=f"2024-05-01T{i // 60:02d}:{i % 60:02d}:00Z", **r) for i, r in enumerate(readings)]
    rows = judged(spark, *values).orderBy("observed_at").collect()
    return [{variable: row[flag_of(variable)] for variable in VARIABLES} for row in rows]


def limits(variable: str) -> list[tuple[float, int]]:
    """Values at, just inside and just outside each limit of a variable, with the flag that they deserve."""
    suspect, bad = load_rules().ranges[variable].suspect, load_rules().ranges[variable].bad
    told = [(suspect[0], GOOD), (suspect[1], GOOD)]
    for side, outwards in ((0, -STEP), (1, STEP)):
        told.append((suspect[side] - outwards, GOOD))
        if suspect[side] != bad[side]:
            told += [(suspect[side] + outwards, SUSPECT), (bad[side], SUSPECT)]
        told.append((bad[side] + outwards, BAD))
    zeros_that_mean_missing = load_rules().missing[variable]
    return [(value, flag) for value, flag in told if value not in zeros_that_mean_missing]


def test_every_range_limit_is_sharp(spark: SparkSession):
    cases = [(variable, value, flag) for variable in VARIABLES for value, flag in limits(variable)]
    told = flags_of(spark, [{variable: value} for variable, value, _ in cases])
    wrong = [(case, flags[case[0]]) for case, flags in zip(cases, told, strict=True) if flags[case[0]] != case[2]]
    assert wrong == []


def test_a_number_that_stands_for_missing_is_missing(spark: SparkSession):
    cases = [(variable, value) for variable, values in load_rules().missing.items() for value in values]
    told = flags_of(spark, [{variable: value} for variable, value in cases])
    assert [flags[variable] for (variable, _), flags in zip(cases, told, strict=True)] == [MISSING] * len(cases)


CONSISTENCY = [
    ({"air_temperature_c": 10.0, "dew_point_c": 10.0}, (GOOD, GOOD)),
    ({"air_temperature_c": 10.0, "dew_point_c": 10.1}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 5.0, "wind_gust_mps": 5.0}, (GOOD, GOOD)),
    ({"wind_speed_mps": 5.0, "wind_gust_mps": 4.9}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 0.0, "wind_from_direction_deg": 0.0}, (GOOD, GOOD)),
    ({"wind_speed_mps": 0.0, "wind_from_direction_deg": 10.0}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 1.0, "wind_from_direction_deg": 0.0}, (SUSPECT, SUSPECT)),
    ({"wind_speed_mps": 1.0, "wind_from_direction_deg": 360.0}, (GOOD, GOOD)),
    # 20 and 10 degrees imply 52.5 percent.
    ({"relative_humidity_pct": 57.4, "air_temperature_c": 20.0, "dew_point_c": 10.0}, (GOOD, GOOD, GOOD)),
    ({"relative_humidity_pct": 57.6, "air_temperature_c": 20.0, "dew_point_c": 10.0}, (SUSPECT, SUSPECT, SUSPECT)),
]


def test_variables_that_contradict_each_other_are_all_suspect(spark: SparkSession):
    told = flags_of(spark, [reading for reading, _ in CONSISTENCY])
    found = [
        tuple(flags[variable] for variable in reading) for (reading, _), flags in zip(CONSISTENCY, told, strict=True)
    ]
    assert found == [expected for _, expected in CONSISTENCY]


def test_a_bad_value_stays_bad_where_it_also_contradicts(spark: SparkSession):
    [flags] = flags_of(spark, [{"air_temperature_c": -81.0, "dew_point_c": 0.0}])
    assert (flags["air_temperature_c"], flags["dew_point_c"]) == (BAD, SUSPECT)


def test_the_masks_tell_which_tests_were_applied_and_failed(spark: SparkSession):
    row = judged(spark, event(air_temperature_c=10.0, dew_point_c=11.0)).first()
    applied = [test for bit, test in enumerate(TESTS) if row["tests_applied"] >> bit & 1]
    failed = [test for bit, test in enumerate(TESTS) if row["tests_failed"] >> bit & 1]
    assert applied == ["range:air_temperature_c", "range:dew_point_c", "dew_point_above_temperature"]
    assert failed == ["dew_point_above_temperature"]
    assert (row["quality_level"], row["rules_version"]) == (1, load_rules().version)


@pytest.mark.parametrize("value", [-243.04, 1e308, -1e308])
def test_an_absurd_value_is_judged_and_never_fails_the_batch(spark: SparkSession, value: float):
    reading = {"air_temperature_c": value, "dew_point_c": value, "relative_humidity_pct": 50.0}
    assert flags_of(spark, [reading])[0]["air_temperature_c"] == BAD


def test_a_test_never_changes_a_value(spark: SparkSession):
    assert judged(spark, event(air_temperature_c=-9999.0)).first()["air_temperature_c"] == -9999.0
