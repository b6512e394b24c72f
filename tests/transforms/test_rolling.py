from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tests.curated import HOUR, MINUTE, NOON, Row, curated, drawn_day, observation
from tests.windows import check_span, equal

from weahouse.qc.masks import BAD
from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.transforms.panes import summarise
from weahouse.transforms.rolling import ROLLING_H, Features, features, merge, rolling_span

WHOLE_DAY = (NOON - timedelta(days=1), NOON + timedelta(days=1))


def panes(spark: SparkSession, rows: Sequence[Row], minutes: int = PANE_MINUTES) -> list[Row]:
    """The panes of observations as they are read from Cassandra: none where there is no value."""
    found = summarise(curated(spark, rows), minutes).where(F.col("value_count") > 0)
    return [row.asDict() | {"window_start": row["window_start"].astimezone(UTC)} for row in found.collect()]


def told(spark: SparkSession, *rows: Row) -> Any:
    return merge(panes(spark, rows), *WHOLE_DAY)


def test_a_day_of_minutes_equals_the_same_computed_from_the_observations(spark: SparkSession) -> None:
    rows = drawn_day(seed=7)
    found = features(panes(spark, rows), NOON + 5 * MINUTE)
    compared = [check_span(found.hours[hours], rows) for hours in ROLLING_H]
    assert compared[0] > 200
    assert compared[2] > 20 * compared[0]


@pytest.mark.parametrize("minutes", [60, 1440])
def test_hours_and_days_are_summarised_and_merged_like_panes(spark: SparkSession, minutes: int) -> None:
    rows, midnight = drawn_day(seed=8), NOON.replace(hour=0)
    assert check_span(merge(panes(spark, rows, minutes), midnight, midnight + timedelta(days=1)), rows) > 2000


def test_nothing_told_is_nothing_found() -> None:
    assert features([], NOON) == Features(NOON, {h: merge([], *rolling_span(h, NOON)) for h in ROLLING_H}, None)
    assert merge([], *WHOLE_DAY).variables == {}


def test_one_value_has_no_standard_deviation(spark: SparkSession) -> None:
    found = told(spark, observation(NOON, air_temperature_c=-3.0)).variables["air_temperature_c"]
    assert (found.count, found.mean, found.minimum, found.maximum, found.stddev) == (1, -3.0, -3.0, -3.0, None)


def test_bad_values_are_in_no_statistic(spark: SparkSession) -> None:
    span = told(spark, *[observation(NOON, wind_speed_mps=9.0, wind_speed_mps_flag=BAD, wind_from_direction_deg=90.0)])
    assert set(span.variables) == {"wind_from_direction_deg"}
    assert span.resultant_wind is None


def test_equal_values_have_no_spread(spark: SparkSession) -> None:
    rows = [observation(NOON + n * MINUTE, air_pressure_hpa=1013.1) for n in range(60)]
    assert told(spark, *rows).variables["air_pressure_hpa"].stddev == equal(0.0)


def test_directions_around_north_average_to_north(spark: SparkSession) -> None:
    rows = [observation(NOON + 10 * n * MINUTE, wind_from_direction_deg=d) for n, d in enumerate((350.0, 10.0))]
    wind = told(spark, *rows).variables["wind_from_direction_deg"]
    assert min(wind.mean, 360.0 - wind.mean) == equal(0.0)
    assert (wind.steadiness, wind.minimum, wind.sum) == (pytest.approx(0.9848, abs=1e-4), None, None)


def test_opposite_winds_cancel(spark: SparkSession) -> None:
    rows = [
        observation(NOON + n * MINUTE, wind_speed_mps=5.0, wind_from_direction_deg=d)
        for n, d in enumerate((90.0, 270.0))
    ]
    span = told(spark, *rows)
    assert (span.resultant_wind.count, span.resultant_wind.speed_mps) == (2, equal(0.0))
    assert span.resultant_wind.from_direction_deg is None
    assert span.variables["wind_from_direction_deg"].mean is None
    assert span.variables["wind_speed_mps"].mean == 5.0


def test_the_resultant_wind_weighs_directions_by_speed(spark: SparkSession) -> None:
    rows = [
        observation(NOON, wind_speed_mps=3.0, wind_from_direction_deg=0.0),
        observation(NOON + MINUTE, wind_speed_mps=4.0, wind_from_direction_deg=90.0),
    ]
    wind = told(spark, *rows).resultant_wind
    assert (wind.speed_mps, wind.from_direction_deg) == (equal(2.5), equal(53.13010235415598))


def test_a_calm_is_a_zero_vector_whatever_its_direction(spark: SparkSession) -> None:
    rows = [
        observation(NOON, wind_speed_mps=0.0),
        observation(NOON + MINUTE, wind_speed_mps=0.0, wind_from_direction_deg=90.0),
        observation(NOON + 2 * MINUTE, wind_speed_mps=6.0, wind_from_direction_deg=180.0),
        # A wind without direction is no vector.
        observation(NOON + 3 * MINUTE, wind_speed_mps=6.0),
    ]
    wind = told(spark, *rows).resultant_wind
    assert (wind.count, wind.speed_mps, wind.from_direction_deg) == (3, equal(2.0), equal(180.0))


def test_rain_alone_is_summed(spark: SparkSession) -> None:
    span = told(spark, *[observation(NOON + 10 * n * MINUTE, precipitation_mm=0.2) for n in range(3)])
    assert set(span.variables) == {"precipitation_mm"}
    assert span.variables["precipitation_mm"].sum == equal(0.6)


def test_the_peak_gust_tells_its_pane_and_the_first_of_several(spark: SparkSession) -> None:
    gusts = {0: 11.0, 15: 17.0, 19: 12.0, 40: 17.0}
    rows = [observation(NOON + minute * MINUTE, wind_gust_mps=gust) for minute, gust in gusts.items()]
    found = told(spark, *rows).variables["wind_gust_mps"]
    assert (found.maximum, found.maximum_at) == (17.0, NOON + 10 * MINUTE)


def test_a_span_ends_with_the_pane_that_still_fills(spark: SparkSession) -> None:
    held = panes(spark, [observation(NOON - HOUR + n * MINUTE, air_temperature_c=1.0) for n in range(120)])
    assert rolling_span(1, NOON + 5 * MINUTE) == (NOON - 50 * MINUTE, NOON + 10 * MINUTE)
    assert features(held, NOON + 5 * MINUTE).hours[1].variables["air_temperature_c"].count == 60


def tendency(spark: SparkSession, *pressures: tuple[timedelta, float], variable: str = "air_pressure_hpa") -> Any:
    held = panes(spark, [observation(NOON + when, **{variable: value}) for when, value in pressures])
    return features(held, NOON + 5 * MINUTE).pressure_tendency


def test_the_tendency_is_the_newest_pane_minus_the_one_three_hours_earlier(spark: SparkSession) -> None:
    found = tendency(spark, (-3 * HOUR, 1010.0), (-3 * HOUR + MINUTE, 1012.0), (-2 * HOUR, 990.0), (0 * HOUR, 1004.5))
    assert (found.variable, found.window_start, found.change_hpa) == ("air_pressure_hpa", NOON, equal(-6.5))


def test_an_hourly_report_has_a_tendency_for_an_hour(spark: SparkSession) -> None:
    pair = ((-3 * HOUR - 7 * MINUTE, 1010.0), (-7 * MINUTE, 1011.0))
    assert tendency(spark, *pair).change_hpa == equal(1.0)
    assert tendency(spark, *[(when - HOUR, value) for when, value in pair]) is None


def test_there_is_no_tendency_where_either_end_is_missing(spark: SparkSession) -> None:
    assert tendency(spark, (0 * HOUR, 1010.0), (-2 * HOUR, 1010.0)) is None
    assert tendency(spark, (-3 * HOUR, 1010.0)) is None


def test_the_pressure_at_sea_level_stands_in_and_the_two_are_never_mixed(spark: SparkSession) -> None:
    sea = "air_pressure_at_sea_level_hpa"
    assert tendency(spark, (-3 * HOUR, 1010.0), (0 * HOUR, 1011.0), variable=sea).variable == sea
    mixed = panes(spark, [observation(NOON - 3 * HOUR, air_pressure_hpa=900.0), observation(NOON, **{sea: 1010.0})])
    assert features(mixed, NOON).pressure_tendency is None
