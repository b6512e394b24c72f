"""The limits of air temperature by latitude and season (WMO-No. 305), within those of the sensors (WMO AWS)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession
from tests.modes import Runner, as_batch
from tests.qc.readings import STEP, around, flags

from weahouse.qc.limits import Range
from weahouse.qc.masks import BAD, GOOD, SUSPECT
from weahouse.qc.rules import load_rules

JANUARY, JULY = datetime(2024, 1, 15, tzinfo=UTC), datetime(2024, 7, 15, tzinfo=UTC)
# Up to 45 degrees, then beyond; winter, then summer: suspect outside, bad outside. The -90 of the winter beyond 45
# degrees lies outside what sensors measure, -80 .. 60, so that nothing is suspect below its good values.
LOW_WINTER = ((-30.0, 50.0), (-40.0, 55.0))
LOW_SUMMER = ((-20.0, 50.0), (-30.0, 60.0))
HIGH_WINTER = ((-80.0, 35.0), (-80.0, 40.0))
HIGH_SUMMER = ((-30.0, 40.0), (-40.0, 50.0))
ANYWHERE = ((-51.1, 54.4), (-80.0, 60.0))
PLACES = [
    (37.6, JANUARY, LOW_WINTER),
    (37.6, JULY, LOW_SUMMER),
    (45.0, JANUARY, LOW_WINTER),
    (45.0 + STEP, JANUARY, HIGH_WINTER),
    (60.0, JANUARY, HIGH_WINTER),
    (60.0, JULY, HIGH_SUMMER),
    (-33.9, JANUARY, LOW_SUMMER),
    (-33.9, JULY, LOW_WINTER),
    (-45.0, JULY, LOW_WINTER),
    (-45.0 - STEP, JULY, HIGH_WINTER),
    (-77.8, JANUARY, HIGH_SUMMER),
    (-90.0, JULY, HIGH_WINTER),
    (90.0, JULY, HIGH_SUMMER),
    (0.0, JANUARY, LOW_WINTER),
    (-STEP, JANUARY, LOW_SUMMER),
    (None, JANUARY, ANYWHERE),
    (None, JULY, ANYWHERE),
]


def test_every_limit_is_sharp_in_its_zone_and_season(spark: SparkSession, mode: Runner):
    cases = [(place, value, flag) for place in PLACES for value, flag in around(*place[2])]
    readings = [{"latitude_deg": at[0], "observed_at": at[1], "air_temperature_c": value} for at, value, _ in cases]
    told = flags(spark, mode, readings)
    assert [(case, flag) for case, (flag,) in zip(cases, told, strict=True) if flag != case[2]] == []


# Winter lasts from the first second of October to the last of March in the north, and is the south's summer.
TURNS = [
    ("2024-09-30T23:59:59", "summer"),
    ("2024-10-01T00:00:00", "winter"),
    ("2024-12-31T23:59:59", "winter"),
    ("2024-03-31T23:59:59", "winter"),
    ("2024-04-01T00:00:00", "summer"),
]


def test_seasons_turn_with_the_month_in_both_hemispheres(spark: SparkSession, mode: Runner):
    # -25 degrees are good in the winter of the lower latitudes, and suspect in their summer.
    north = [GOOD if season == "winter" else SUSPECT for _, season in TURNS]
    south = [SUSPECT if season == "winter" else GOOD for _, season in TURNS]
    readings = [
        {"latitude_deg": latitude, "observed_at": datetime.fromisoformat(f"{at}+00:00"), "air_temperature_c": -25.0}
        for latitude in (40.0, -40.0)
        for at, _ in TURNS
    ]
    assert flags(spark, mode, readings) == [(flag,) for flag in north + south]


def test_cold_that_is_suspect_in_general_is_good_in_a_polar_winter(spark: SparkSession):
    cold = {"air_temperature_c": -60.0, "observed_at": JANUARY}
    readings = [cold, cold | {"latitude_deg": 62.0}, cold | {"latitude_deg": 40.0}]
    assert flags(spark, as_batch, readings) == [(SUSPECT,), (GOOD,), (BAD,)]


def test_no_zone_makes_good_what_no_sensor_can_measure():
    rules = load_rules()
    told = [rules.range_of("air_temperature_c", month, lat) for month in range(1, 13) for lat in (-90, -45, 0, 45, 90)]
    assert all(found.bad[0] >= -80.0 and found.bad[1] <= 60.0 and found.is_ordered for found in told)


def test_other_variables_are_judged_alike_everywhere(spark: SparkSession):
    readings = [{"latitude_deg": latitude, "dew_point_c": 33.0} for latitude in (0.0, 80.0, -80.0, None)]
    assert flags(spark, as_batch, readings) == [(SUSPECT,)] * 4


@pytest.mark.parametrize(("latitude", "at", "expected"), PLACES)
def test_the_limits_that_are_told_are_those_that_judge(latitude, at, expected):
    assert load_rules().range_of("air_temperature_c", at.month, latitude) == Range(*expected)
