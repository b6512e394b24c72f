from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from weahouse.ml.baselines import LEAST_VALUES, climatology, normals, persistence
from weahouse.ml.targets import TEMPERATURE, target_of

NOON_H = 12


def observations(spark: SparkSession, values: dict[datetime, float]):
    """Outcomes of station `a`; a time is the beginning of its hour."""
    rows = [("a", begin + timedelta(hours=1), value) for begin, value in values.items()]
    return spark.createDataFrame(rows, "station_id string, valid_at timestamp, observed_value double")


def every_noon(year: int, first: str, days: int, value: float = 0.0) -> dict[datetime, float]:
    begin = datetime.strptime(f"{year}-{first}T12", "%Y-%m-%dT%H").replace(tzinfo=UTC)
    return {begin + timedelta(days=n): value + n for n in range(days)}


def usual(spark: SparkSession, values: dict[datetime, float]):
    """Normals by (calendar day, hour)."""
    rows = normals(observations(spark, values)).collect()
    return {(row["calendar_day"], row["hour_of_day"]): row["normal_value"] for row in rows}


def calendar_day(month: int, day: int) -> int:
    return datetime(2000, month, day, tzinfo=UTC).timetuple().tm_yday


def test_a_normal_is_the_mean_of_fifteen_days_before_and_after_at_that_hour(spark: SparkSession):
    told = usual(spark, every_noon(2010, "06-01", 61))
    day = calendar_day(7, 1)
    # 1 July is the 30th day: 15 to 45 surround it.
    assert told[day, NOON_H] == pytest.approx(30.0)
    assert (day, NOON_H + 1) not in told
    # At the edge of what there is, only the days within reach count.
    assert told[calendar_day(6, 1), NOON_H] == pytest.approx(sum(range(16)) / 16)


def test_new_year_is_no_border(spark: SparkSession):
    told = usual(spark, every_noon(2010, "12-22", 21))
    # 10 days before and 10 after: all 21 values, from 22 December to 11 January.
    assert told[calendar_day(1, 1), NOON_H] == pytest.approx(10.0)
    assert told[calendar_day(12, 31), NOON_H] == pytest.approx(10.0)
    # 16 January reaches back to 1 January alone.
    assert told[calendar_day(1, 16), NOON_H] == pytest.approx(sum(range(10, 21)) / 11)


def test_a_day_of_march_is_the_same_in_a_leap_year_and_in_others(spark: SparkSession):
    common, leap = (usual(spark, every_noon(year, "03-17", 15)) for year in (2011, 2012))
    assert common == leap
    assert common[calendar_day(3, 16), NOON_H] == pytest.approx(7.0)


def test_years_are_averaged_together(spark: SparkSession):
    told = usual(spark, every_noon(2010, "06-01", 31) | every_noon(2011, "06-01", 31, value=10.0))
    assert told[calendar_day(6, 16), NOON_H] == pytest.approx(20.0)


def test_a_mean_of_few_values_is_no_normal(spark: SparkSession):
    day = (calendar_day(6, 1), NOON_H)
    assert day not in usual(spark, every_noon(2010, "06-01", LEAST_VALUES - 1))
    assert day in usual(spark, every_noon(2010, "06-01", LEAST_VALUES))


def features(spark: SparkSession, issued_at: datetime, latest: float | None):
    schema = "station_id string, issued_at timestamp, air_temperature_c_latest double"
    return spark.createDataFrame([("a", issued_at, latest), ("elsewhere", issued_at, latest)], schema)


def test_climatology_forecasts_the_hour_that_ends_at_valid_at(spark: SparkSession):
    table = normals(observations(spark, every_noon(2010, "06-01", 31)))
    issued_at = datetime(2015, 6, 16, 7, tzinfo=UTC)
    told = climatology(features(spark, issued_at, 1.0), target_of(TEMPERATURE, 6), table).collect()
    # The hour from 12 to 13 is valid at 13; of the other station nothing is known.
    assert {row["station_id"]: row["predicted_value"] for row in told} == {"a": 15.0, "elsewhere": None}
    assert told[0].asDict().keys() == {"station_id", "issued_at", "air_temperature_c_latest", "predicted_value"}


def test_persistence_forecasts_the_last_good_value(spark: SparkSession):
    issued_at = datetime(2015, 6, 16, 7, tzinfo=UTC)
    for latest in (4.5, None):
        told = persistence(features(spark, issued_at, latest), target_of(TEMPERATURE, 24)).collect()
        assert {row["predicted_value"] for row in told} == {latest}
