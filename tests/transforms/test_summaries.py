"""Hours and days of Gold: against numbers by hand, and against the panes' own statistics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import Row as SparkRow
from pyspark.sql import SparkSession
from tests.curated import HOUR, MINUTE, NOON, Row, curated, drawn_day, observation
from tests.modes import Runner, as_batch
from tests.windows import equal

from weahouse.qc.masks import BAD, MISSING, SUSPECT
from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.schemas.fields import VARIABLES
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES
from weahouse.schemas.render import to_spark
from weahouse.transforms.panes import summarise
from weahouse.transforms.rolling import Span, merge
from weahouse.transforms.summaries import daily, hourly

DAY = timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0)
# What `rolling.Statistics` calls a statistic, by its name in Gold.
TOLD_AS = {
    "count": "count",
    "suspect_count": "suspect_count",
    "mean": "mean",
    "min": "minimum",
    "max": "maximum",
    "stddev": "stddev",
    "sum": "sum",
    "steadiness": "steadiness",
}


def hours(spark: SparkSession, *rows: Row, mode: Runner = as_batch) -> dict[tuple[str, datetime], SparkRow]:
    found = mode(curated(spark, rows), hourly).collect()
    return {(row["station_id"], row["window_start"].astimezone(UTC)): row for row in found}


def days(spark: SparkSession, *rows: Row, mode: Runner = as_batch) -> dict[tuple[str, date], SparkRow]:
    found = mode(curated(spark, rows), daily).collect()
    return {(row["station_id"], row["observed_date"]): row for row in found}


def hour_of(spark: SparkSession, *rows: Row, mode: Runner = as_batch) -> SparkRow:
    [found] = hours(spark, *rows, mode=mode).values()
    return found


def day_of(spark: SparkSession, *rows: Row, mode: Runner = as_batch) -> SparkRow:
    [found] = days(spark, *rows, mode=mode).values()
    return found


def minutes(variable: str, *values: float | None, **members: Any) -> list[Row]:
    """An observation a minute from noon on."""
    return [observation(NOON + n * MINUTE, **{variable: value}, **members) for n, value in enumerate(values)]


@pytest.mark.parametrize(("transform", "dataset"), [(hourly, GOLD_HOURLY_SUMMARIES), (daily, GOLD_DAILY_SUMMARIES)])
def test_the_rows_have_the_columns_and_types_of_their_table(spark: SparkSession, transform, dataset):
    found = transform(curated(spark, [observation(NOON)])).schema
    assert [(field.name, field.dataType) for field in found] == [
        (field.name, field.dataType) for field in to_spark(dataset)
    ]


def test_an_hour_begins_with_its_first_second_and_a_day_at_midnight(spark: SparkSession, mode: Runner):
    edge = [observation(MIDNIGHT - timedelta(seconds=1)), observation(MIDNIGHT)]
    found = hours(spark, *edge, mode=mode)
    assert {start: row["observed_date"] for (_, start), row in found.items()} == {
        MIDNIGHT - HOUR: date(2024, 4, 30),
        MIDNIGHT: date(2024, 5, 1),
    }
    months = {day: row["observed_month"] for (_, day), row in days(spark, *edge, mode=mode).items()}
    assert months == {date(2024, 4, 30): "2024-04", date(2024, 5, 1): "2024-05"}


def test_an_hour_tells_what_its_values_are(spark: SparkSession):
    row = hour_of(spark, *minutes("air_temperature_c", 1.0, 3.0, 8.0))
    told = {name: row[f"air_temperature_c_{name}"] for name in ("count", "mean", "min", "max", "stddev")}
    assert told == {"count": 3, "mean": 4.0, "min": 1.0, "max": 8.0, "stddev": equal(math.sqrt(13.0))}


def test_stations_have_rows_of_their_own(spark: SparkSession):
    rows = [observation(NOON, station_id=name, air_temperature_c=float(n)) for n, name in enumerate("ab")]
    found = hours(spark, *rows)
    assert {name: row["air_temperature_c_mean"] for (name, _), row in found.items()} == {"a": 0.0, "b": 1.0}


def test_bad_and_missing_values_are_in_no_statistic_and_suspects_are_counted(spark: SparkSession, mode: Runner):
    rows = [
        observation(NOON, air_temperature_c=1.0),
        observation(NOON + MINUTE, air_temperature_c=3.0, air_temperature_c_flag=SUSPECT),
        observation(NOON + 2 * MINUTE, air_temperature_c=90.0, air_temperature_c_flag=BAD),
        observation(NOON + 3 * MINUTE, air_temperature_c=-999.0, air_temperature_c_flag=MISSING),
        observation(NOON + 4 * MINUTE),
    ]
    row = hour_of(spark, *rows, mode=mode)
    assert (row["report_count"], row["air_temperature_c_count"], row["air_temperature_c_suspect_count"]) == (5, 2, 1)
    assert (row["air_temperature_c_min"], row["air_temperature_c_max"]) == (1.0, 3.0)


def test_an_hour_of_reports_without_a_value_is_told_and_is_empty(spark: SparkSession):
    row = hour_of(spark, observation(NOON, dew_point_c=50.0, dew_point_c_flag=BAD)).asDict()
    numbers = {name: value for name, value in row.items() if name.startswith((*VARIABLES, "resultant"))}
    assert row["report_count"] == 1
    assert {name for name, value in numbers.items() if value is not None} == {
        name for name in numbers if name.endswith("count")
    }
    assert {value for value in numbers.values() if value is not None} == {0}


def test_one_value_has_no_spread(spark: SparkSession):
    row = hour_of(spark, *minutes("air_pressure_hpa", 1013.1))
    assert (row["air_pressure_hpa_mean"], row["air_pressure_hpa_stddev"]) == (1013.1, None)


def test_rain_has_a_sum(spark: SparkSession):
    assert hour_of(spark, *minutes("precipitation_mm", 0.2, None, 0.5))["precipitation_mm_sum"] == equal(0.7)


@pytest.mark.parametrize(
    ("directions", "mean", "steadiness"),
    [
        ((350.0, 10.0), 0.0, math.cos(math.radians(10))),
        ((80.0, 100.0), 90.0, math.cos(math.radians(10))),
        ((350.0, 340.0), 345.0, math.cos(math.radians(5))),
    ],
)
def test_directions_average_around_the_circle(spark: SparkSession, directions, mean, steadiness):
    row = hour_of(spark, *minutes("wind_from_direction_deg", *directions))
    away = (row["wind_from_direction_deg_mean"] - mean + 180.0) % 360.0 - 180.0
    assert (away, row["wind_from_direction_deg_steadiness"]) == (equal(0.0), equal(steadiness))
    assert 0.0 <= row["wind_from_direction_deg_mean"] < 360.0


def test_opposite_winds_come_from_nowhere(spark: SparkSession):
    winds = [minutes("wind_from_direction_deg", d, wind_speed_mps=5.0)[0] for d in (90.0, 270.0)]
    winds[1] |= {"observed_at": NOON + MINUTE}
    row = hour_of(spark, *winds)
    assert (row["wind_from_direction_deg_mean"], row["resultant_wind_from_direction_deg"]) == (None, None)
    assert (row["resultant_wind_count"], row["resultant_wind_speed_mps"]) == (2, equal(0.0))
    assert (row["wind_from_direction_deg_steadiness"], row["wind_speed_mps_mean"]) == (equal(0.0), 5.0)


def test_a_constant_wind_is_steady_and_no_steadier(spark: SparkSession):
    row = hour_of(spark, *minutes("wind_from_direction_deg", *[33.3] * 40))
    assert row["wind_from_direction_deg_steadiness"] == equal(1.0)
    assert row["wind_from_direction_deg_steadiness"] <= 1.0


def test_the_resultant_wind_weighs_directions_by_speed_and_counts_calms(spark: SparkSession):
    winds = [(3.0, 360.0), (4.0, 90.0), (0.0, None), (9.0, None)]
    rows = [
        observation(NOON + n * MINUTE, wind_speed_mps=v, wind_from_direction_deg=d) for n, (v, d) in enumerate(winds)
    ]
    row = hour_of(spark, *rows)
    assert (row["resultant_wind_count"], row["resultant_wind_speed_mps"]) == (3, equal(5.0 / 3))
    assert row["resultant_wind_from_direction_deg"] == equal(53.13010235415598)


def test_a_days_extremes_tell_when_they_were_observed_first(spark: SparkSession, mode: Runner):
    temperatures = {3: 1.5, 7: -2.0, 8: -2.0, 14: 9.0, 15: 9.0, 16: 9.0, 20: 4.0}
    rows = [observation(MIDNIGHT + at * HOUR + 5 * MINUTE, air_temperature_c=t) for at, t in temperatures.items()]
    # In another order than they were observed.
    row = day_of(spark, *rows[::-1], mode=mode)
    assert (row["air_temperature_c_min"], row["air_temperature_c_max"]) == (-2.0, 9.0)
    assert row["air_temperature_c_min_at"].astimezone(UTC) == MIDNIGHT + 7 * HOUR + 5 * MINUTE
    assert row["air_temperature_c_max_at"].astimezone(UTC) == MIDNIGHT + 14 * HOUR + 5 * MINUTE
    assert (row["dew_point_c_min_at"], row["dew_point_c_max_at"]) == (None, None)


def test_a_bad_extreme_tells_no_time(spark: SparkSession):
    rows = [
        observation(NOON, air_temperature_c=90.0, air_temperature_c_flag=BAD),
        observation(NOON + HOUR, air_temperature_c=9.0),
    ]
    assert day_of(spark, *rows)["air_temperature_c_max_at"].astimezone(UTC) == NOON + HOUR


def test_a_day_tells_in_how_many_hours_each_variable_and_any_has_a_value(spark: SparkSession, mode: Runner):
    rows = [
        observation(MIDNIGHT, air_temperature_c=1.0),
        observation(MIDNIGHT + 59 * MINUTE, air_temperature_c=2.0, wind_from_direction_deg=1.0),
        observation(MIDNIGHT + 60 * MINUTE, dew_point_c=1.0),
        observation(MIDNIGHT + 23 * HOUR, air_temperature_c=3.0),
        # Reports without a usable value fill no hour.
        observation(MIDNIGHT + 5 * HOUR),
        observation(MIDNIGHT + 6 * HOUR, air_temperature_c=99.0, air_temperature_c_flag=BAD),
    ]
    row = day_of(spark, *rows, mode=mode)
    told = {name: row[f"{name}_hours"] for name in VARIABLES if row[f"{name}_hours"]}
    assert told == {"air_temperature_c": 2, "dew_point_c": 1, "wind_from_direction_deg": 1}
    assert (row["completeness"], row["report_count"]) == (equal(3 / 24), 6)


def test_a_whole_day_is_complete(spark: SparkSession):
    row = day_of(spark, *[observation(MIDNIGHT + n * HOUR, air_temperature_c=1.0) for n in range(24)])
    assert (row["air_temperature_c_hours"], row["completeness"]) == (24, 1.0)


def test_a_station_that_moved_within_the_day_has_the_region_of_its_last_report(spark: SparkSession):
    rows = [observation(NOON + n * HOUR, region=region) for n, region in enumerate(("us-ny", "us-ca"))]
    assert day_of(spark, *rows)["region"] == "us-ca"


def panes_of(spark: SparkSession, rows: Iterable[Row]) -> list[Mapping[str, Any]]:
    found = summarise(curated(spark, rows), PANE_MINUTES).where("value_count > 0").collect()
    return [row.asDict() | {"window_start": row["window_start"].astimezone(UTC)} for row in found]


def check(row: SparkRow, span: Span) -> int:
    """Assert that a summary has the statistics of the merged panes; returns how many were compared."""
    told = row.asDict()
    compared = 0
    for variable in VARIABLES:
        statistics = span.variables.get(variable)
        for name, known_as in TOLD_AS.items():
            column = f"{variable}_{name}"
            if column not in told:
                continue
            expected = getattr(statistics, known_as) if statistics else 0 if name.endswith("count") else None
            assert told[column] == (expected if expected is None else equal(expected)), column
            compared += 1
    wind = span.resultant_wind
    assert told["resultant_wind_count"] == (wind.count if wind else 0)
    if wind:
        assert told["resultant_wind_speed_mps"] == equal(wind.speed_mps)
        assert told["resultant_wind_from_direction_deg"] == equal(wind.from_direction_deg)
    return compared


@pytest.mark.parametrize(("transform", "span"), [(hourly, HOUR), (daily, DAY)], ids=["hours", "days"])
def test_summaries_equal_what_the_panes_merge_to(spark: SparkSession, mode: Runner, transform, span):
    rows = drawn_day(seed=11)
    panes = panes_of(spark, rows)
    found = mode(curated(spark, rows), transform).collect()
    begins = "window_start" if span == HOUR else "observed_date"
    for row in found:
        at = row[begins]
        start = at.astimezone(UTC) if span == HOUR else datetime(at.year, at.month, at.day, tzinfo=UTC)
        assert check(row, merge(panes, start, start + span)) > 40
    assert len(found) == (26 if span == HOUR else 2)


def test_a_days_extremes_lie_in_the_panes_that_hold_them(spark: SparkSession):
    rows = drawn_day(seed=12)
    [row] = [row for row in daily(curated(spark, rows)).collect() if row["observed_date"] == NOON.date()]
    span = merge(panes_of(spark, rows), MIDNIGHT, MIDNIGHT + DAY)
    for variable, statistics in span.variables.items():
        if statistics.minimum_at is None or statistics.maximum_at is None:
            continue
        for name, pane in (("min_at", statistics.minimum_at), ("max_at", statistics.maximum_at)):
            at = row[f"{variable}_{name}"].astimezone(UTC)
            assert pane <= at < pane + PANE_MINUTES * MINUTE
