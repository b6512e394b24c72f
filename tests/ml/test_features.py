from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tests.ml.world import at, hour, hourly, places, world

from weahouse.ml.errors import FeatureSchemaError
from weahouse.ml.features import check_features, schema_hash, station_features
from weahouse.schemas.gold import GOLD_STATION_FEATURES
from weahouse.schemas.render import to_spark


def features(spark: SparkSession, rows: Iterable[Mapping[str, Any]], **stations: tuple[float, float]):
    """Features by (station, hours after the first midnight)."""
    made = station_features(hourly(spark, rows), places(spark, **stations))
    hours = ((F.unix_seconds("issued_at") - int(at(0).timestamp())) / 3600).cast("int").alias("hours")
    return {(row["station_id"], row["hours"]): row for row in made.select("*", hours).collect()}


def temperatures(*values: float | None, station: str = "a"):
    """Consecutive hours from midnight; None is an hour without any report."""
    return [hour(station, at(n), air_temperature_c=value) for n, value in enumerate(values) if value is not None]


def test_now_is_the_hour_before(spark: SparkSession):
    told = features(spark, temperatures(10.0, 11.0, 13.0))
    assert set(told) == {("a", 1), ("a", 2), ("a", 3)}
    assert told["a", 3]["air_temperature_c_now"] == 13.0
    assert told["a", 3]["air_temperature_c_change_1h"] == 2.0


def test_a_silent_hour_is_a_gap_and_moves_nothing(spark: SparkSession):
    told = features(spark, temperatures(10.0, None, 13.0, 17.0))
    assert told["a", 3]["air_temperature_c_change_1h"] is None
    assert told["a", 4]["air_temperature_c_change_1h"] == 4.0
    assert told["a", 4]["air_temperature_c_change_3h"] == 7.0


def test_a_suspect_value_is_in_no_feature_and_the_latest_good_one_takes_its_place(spark: SparkSession):
    rows = [
        hour("a", at(0), air_temperature_c=10.0),
        hour("a", at(1), air_temperature_c=40.0, suspect=["air_temperature_c"]),
        hour("a", at(2), dew_point_c=1.0),
    ]
    told = features(spark, rows)
    for hours, age in ((1, 0), (2, 1), (3, 2)):
        assert told["a", hours]["air_temperature_c_latest"] == 10.0
        assert told["a", hours]["air_temperature_age_h"] == age
    assert told["a", 2]["air_temperature_c_now"] is None


def test_the_latest_value_is_at_most_a_day_old(spark: SparkSession):
    rows = [hour("a", at(0), air_temperature_c=10.0), *[hour("a", at(n), dew_point_c=1.0) for n in (23, 24)]]
    told = features(spark, rows)
    assert told["a", 24]["air_temperature_c_latest"] == 10.0
    assert told["a", 25]["air_temperature_c_latest"] is None


def test_yesterday_shows_what_followed_this_time_of_day(spark: SparkSession):
    told = features(spark, temperatures(*[float(n * n) for n in range(26)]))
    # Now is the hour 24, a day ago the hour 0.
    assert told["a", 25]["air_temperature_c_yesterday_1h"] == 1.0
    assert told["a", 25]["air_temperature_c_yesterday_6h"] == 36.0
    assert told["a", 25]["air_temperature_c_change_24h"] == 576.0


def test_rain_is_summed_over_what_was_told_and_judged_only_where_all_three_hours_were(spark: SparkSession):
    rows = [hour("a", at(n), precipitation_mm=rain) for n, rain in enumerate((0.0, 0.07, 0.03, None, 2.0))]
    told = features(spark, rows)
    assert told["a", 3]["rain_past_3h"] == 1.0
    assert told["a", 3]["precipitation_mm_past_3h"] == pytest.approx(0.1)
    assert told["a", 2]["rain_past_3h"] is None
    assert told["a", 5]["rain_past_3h"] is None
    assert told["a", 5]["precipitation_mm_past_6h"] == pytest.approx(2.1)


def test_a_station_with_its_own_pressure_alone_has_a_tendency(spark: SparkSession):
    own = [hour("a", at(n), air_pressure_hpa=990.0 + n) for n in range(4)]
    sea = [hour("b", at(n), air_pressure_at_sea_level_hpa=1010.0 - n, air_pressure_hpa=990.0) for n in range(4)]
    mixed = [hour("c", at(0), air_pressure_hpa=990.0), hour("c", at(3), air_pressure_at_sea_level_hpa=1010.0)]
    told = features(spark, own + sea + mixed)
    name = "air_pressure_at_sea_level_hpa_change_3h"
    assert (told["a", 4][name], told["b", 4][name], told["c", 4][name]) == (3.0, -3.0, None)


def test_the_wind_is_a_vector_and_a_calm_is_zero(spark: SparkSession):
    rows = [
        hour("a", at(0), wind_speed_mps=4.0, wind_from_direction_deg=90.0),
        hour("a", at(1), wind_speed_mps=0.0),
        hour("a", at(2), wind_speed_mps=4.0),
    ]
    told = features(spark, rows)
    east = [told["a", hours]["wind_from_east_mps_now"] for hours in (1, 2, 3)]
    assert east == [pytest.approx(4.0), 0.0, None]
    assert told["a", 1]["wind_from_north_mps_now"] == pytest.approx(0.0, abs=1e-9)


def test_the_sun_stands_where_astronomy_has_it(spark: SparkSession):
    # Equinox at the equator and at 60 north, noon and midnight at Greenwich; an unknown place has no sun.
    equinox = at(0).replace(month=3, day=20)
    rows = [hour(station, equinox.replace(hour=n), air_temperature_c=1.0) for station in "abc" for n in (11, 5, 23)]
    told = station_features(hourly(spark, rows), places(spark, a=(0.0, 0.0), b=(60.0, 0.0)))
    found = {(r["station_id"], r["issued_at"].hour): r for r in told.collect()}
    assert found["a", 12]["solar_elevation_deg"] == pytest.approx(90, abs=1.5)
    assert found["b", 12]["solar_elevation_deg"] == pytest.approx(30, abs=1.5)
    assert found["a", 0]["solar_elevation_deg"] == pytest.approx(-90, abs=1.5)
    assert found["a", 6]["solar_elevation_deg_6h"] == pytest.approx(90, abs=1.5)
    assert found["c", 12]["solar_elevation_deg"] is None


def test_removing_the_future_changes_no_feature(spark: SparkSession):
    rows, now = world(days=4), at(60)
    places_of_all = {"a": (40.0, -74.0), "b": (34.0, -118.0)}
    whole = features(spark, rows, **places_of_all)
    past = features(spark, [row for row in rows if row["window_start"] < now], **places_of_all)
    assert {key for key in whole if key[1] <= 60} == set(past)
    assert len(past) == 120
    for key, row in past.items():
        assert row == whole[key]


def test_features_have_the_schema_of_their_table(spark: SparkSession):
    made = station_features(hourly(spark, temperatures(1.0)), places(spark))
    wanted = to_spark(GOLD_STATION_FEATURES)
    assert [(f.name, f.dataType) for f in made.schema] == [(f.name, f.dataType) for f in wanted]
    check_features(made)


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        (lambda df: df.drop("hour_sine"), "hour_sine is missing instead of double"),
        (lambda df: df.withColumn("hour_sine", F.lit("x")), "hour_sine is string instead of double"),
    ],
)
def test_a_drifted_schema_is_refused_with_the_column_and_the_way_out(spark: SparkSession, drift, said: str):
    made = station_features(hourly(spark, temperatures(1.0)), places(spark))
    with pytest.raises(FeatureSchemaError, match=f"{said}.*build it again"):
        check_features(drift(made))


def test_the_hash_of_the_features_is_the_same_each_time():
    assert schema_hash() == schema_hash()
    assert len(schema_hash()) == 12
