"""What curation finds where the table says something else than the records of an hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tests.rows import NOON, event, judged

from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parity import ABSENT, DIFFERENT, OUTDATED, compare

READING = event(air_temperature_c=1.0, wind_speed_mps=3.0)
LATER = NOON + timedelta(hours=1)


def unit(spark: SparkSession, *values: bytes, registered_at: datetime | None = None, **when: datetime) -> DataFrame:
    at, latitude_deg = F.lit(registered_at).cast("timestamp"), F.lit(40.0 if registered_at else None).cast("double")
    of_registry = {"registered_at": at, "latitude_deg": latitude_deg}
    return newest_of_each_key(judged(spark, *values, **when)).withColumns(of_registry)


def table(spark: SparkSession, *values: bytes, revision: int = 0, **when: datetime) -> DataFrame:
    return newest_of_each_key(judged(spark, *values, **when)).withColumn("revision", F.lit(revision))


def found(recomputed: DataFrame, curated: DataFrame) -> dict[str, Any]:
    (row,) = compare(recomputed, curated).collect()
    return row.asDict()


def test_what_the_stream_made_of_the_same_records_is_the_same(spark: SparkSession):
    row = found(unit(spark, READING), table(spark, READING))
    assert (row["fault"], row["differing"], row["is_compared"], row["is_corrected"]) == (None, [], True, False)


def test_a_reading_that_the_table_lacks_is_absent(spark: SparkSession):
    assert found(unit(spark, READING), table(spark, event(station_id="b")))["fault"] == ABSENT


def test_a_table_that_holds_an_older_record_is_outdated(spark: SparkSession):
    row = found(unit(spark, event(air_temperature_c=2.0), appended_at=LATER), table(spark, READING))
    assert row["fault"] == OUTDATED


def test_a_later_hours_correction_is_no_fault(spark: SparkSession):
    row = found(unit(spark, READING), table(spark, event(air_temperature_c=2.0), revision=1, appended_at=LATER))
    assert (row["fault"], row["is_compared"], row["is_corrected"]) == (None, False, True)


def test_a_repeat_says_the_same_as_the_record_that_the_table_holds(spark: SparkSession):
    # Appended six hours late, where the first record was on time.
    row = found(unit(spark, READING, appended_at=NOON + timedelta(hours=7)), table(spark, READING))
    assert (row["fault"], row["is_compared"]) == (None, True)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("air_temperature_c", 1.5),
        ("wind_speed_mps", None),
        ("wind_speed_mps_flag", 4),
        ("tests_failed", 1),
        ("late_by_s", 30),
        ("region", "us-il"),
    ],
)
def test_whatever_differs_is_named(spark: SparkSession, column: str, value: object):
    held = table(spark, READING)
    row = found(unit(spark, READING), held.withColumn(column, F.lit(value).cast(held.schema[column].dataType)))
    assert (row["fault"], row["differing"]) == (DIFFERENT, [column])


def test_flags_of_other_rules_are_not_compared_but_values_are(spark: SparkSession):
    other = {"rules_version": F.lit("other"), "wind_speed_mps_flag": F.lit(4).cast("tinyint")}
    row = found(unit(spark, READING), table(spark, READING).withColumns(other))
    assert (row["fault"], row["is_compared"]) == (None, False)
    other["wind_speed_mps"] = F.lit(9.0)
    assert found(unit(spark, READING), table(spark, READING).withColumns(other))["differing"] == ["wind_speed_mps"]


@pytest.mark.parametrize(("registered_at", "is_compared"), [(NOON - timedelta(minutes=1), True), (NOON, False)])
def test_flags_are_compared_where_the_registry_said_the_same_when_the_stream_judged(
    spark: SparkSession, registered_at: datetime, is_compared: bool
):
    # The reading was appended a minute after noon.
    assert found(unit(spark, READING, registered_at=registered_at), table(spark, READING))["is_compared"] == is_compared
