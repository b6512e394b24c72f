"""What a batch makes of the latest values of its stations."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tests.rows import event, judged

from weahouse.qc.masks import TESTS
from weahouse.schemas.serving_tables import DELETE, OVERWRITE
from weahouse.transforms.served import latest_rows

TEMPERATURE = TESTS.index("range:air_temperature_c")


def written(spark: SparkSession, *values: bytes, withdrawn_at: str = "") -> DataFrame:
    """First writes, but for the row of `withdrawn_at`, which replaces one that had a temperature."""
    is_correction = F.col("observed_at") == F.lit(withdrawn_at or None).cast("timestamp")
    was_present = F.when(is_correction, 1 << TEMPERATURE).otherwise(0).cast("bigint")
    return judged(spark, *values).withColumns({"revision": F.lit(0), "was_present": was_present})


def latest(rows: DataFrame) -> dict[tuple[str, str], tuple[float | None, int]]:
    """(station, variable) to (value, way of writing)."""
    return {
        (row["station_id"], row["variable"]): (row["measured_value"], row["write_mode"])
        for row in latest_rows(rows).collect()
    }


def test_each_variable_has_its_own_newest_value_over_all_days(spark: SparkSession):
    rows = written(
        spark,
        event(observed_at="2024-04-30T23:50:00Z", air_temperature_c=1.0, dew_point_c=-1.0, wind_speed_mps=3.0),
        event(observed_at="2024-05-01T00:10:00Z", air_temperature_c=2.0, dew_point_c=-2.0),
        event(observed_at="2024-05-01T00:20:00Z", air_temperature_c=3.0),
        event(station_id="b", observed_at="2024-04-30T23:00:00Z", air_temperature_c=9.0),
    )
    assert latest(rows) == {
        ("a", "air_temperature_c"): (3.0, OVERWRITE),
        ("a", "dew_point_c"): (-2.0, OVERWRITE),
        ("a", "wind_speed_mps"): (3.0, OVERWRITE),
        ("b", "air_temperature_c"): (9.0, OVERWRITE),
    }


def test_a_newest_value_that_was_withdrawn_is_removed(spark: SparkSession):
    rows = written(
        spark,
        event(observed_at="2024-05-01T12:00:00Z", air_temperature_c=1.0),
        event(observed_at="2024-05-01T12:10:00Z", dew_point_c=-2.0),
        withdrawn_at="2024-05-01 12:10:00",
    )
    told = latest(rows)
    assert told["a", "air_temperature_c"] == (None, DELETE)
    assert told["a", "dew_point_c"] == (-2.0, OVERWRITE)


def test_a_station_without_any_value_has_no_latest_one(spark: SparkSession):
    assert latest(written(spark, event())) == {}
