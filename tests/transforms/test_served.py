"""What a batch makes of the latest values of its stations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from tests.rows import event, judged

from weahouse.qc.masks import GOOD, MISSING, TESTS
from weahouse.schemas.fields import VARIABLES, latest_of
from weahouse.schemas.gold import GOLD_FORECASTS
from weahouse.schemas.render import to_spark
from weahouse.schemas.serving_tables import OVERWRITE
from weahouse.transforms.served import forecast_rows, latest_rows

TEMPERATURE = TESTS.index("range:air_temperature_c")


def written(spark: SparkSession, *values: bytes, withdrawn_at: str = "") -> DataFrame:
    """First writes, but for the row of `withdrawn_at`, which replaces one that had a temperature."""
    is_correction = F.col("observed_at") == F.lit(withdrawn_at or None).cast("timestamp")
    was_present = F.when(is_correction, 1 << TEMPERATURE).otherwise(0).cast("bigint")
    return judged(spark, *values).withColumns({"revision": F.lit(0), "was_present": was_present})


def latest(rows: DataFrame) -> dict[tuple[str, str], tuple[float | None, int]]:
    """(station, variable) to (value, flag), as Cassandra is left with them: of each column the later version."""
    left = {}
    for row in sorted(latest_rows(rows).collect(), key=lambda row: row["version"]):
        told = {variable: row[latest_of(variable)] for variable in VARIABLES}
        left |= {
            (row["station_id"], variable): (value["measured_value"], value["flag"])
            for variable, value in told.items()
            if value is not None
        }
    return left


def test_each_variable_has_its_own_newest_value_over_all_days(spark: SparkSession):
    rows = written(
        spark,
        event(observed_at="2024-04-30T23:50:00Z", air_temperature_c=1.0, dew_point_c=-1.0, wind_speed_mps=3.0),
        event(observed_at="2024-05-01T00:10:00Z", air_temperature_c=2.0, dew_point_c=-2.0),
        event(observed_at="2024-05-01T00:20:00Z", air_temperature_c=3.0),
        event(station_id="b", observed_at="2024-04-30T23:00:00Z", air_temperature_c=9.0),
    )
    assert latest(rows) == {
        ("a", "air_temperature_c"): (3.0, GOOD),
        ("a", "dew_point_c"): (-2.0, GOOD),
        ("a", "wind_speed_mps"): (3.0, GOOD),
        ("b", "air_temperature_c"): (9.0, GOOD),
    }


def test_a_newest_value_that_was_withdrawn_is_missing(spark: SparkSession):
    rows = written(
        spark,
        event(observed_at="2024-05-01T12:00:00Z", air_temperature_c=1.0),
        event(observed_at="2024-05-01T12:10:00Z", dew_point_c=-2.0),
        withdrawn_at="2024-05-01 12:10:00",
    )
    told = latest(rows)
    assert told["a", "air_temperature_c"] == (None, MISSING)
    assert told["a", "dew_point_c"] == (-2.0, GOOD)


def test_a_station_without_any_value_has_no_latest_one(spark: SparkSession):
    assert latest(written(spark, event())) == {}


def forecast(spark: SparkSession, issued_at: datetime, registry_version: int, features_version: int) -> Row:
    """The serving row of one forecast that was made with these versions of tables."""
    valid_at, day = issued_at + timedelta(hours=3), issued_at.date()
    row = ("a", issued_at, "rain_within_3h", 3, "learned", "1", valid_at, 0.5, None, None, day)
    given = spark.createDataFrame([row], to_spark(GOLD_FORECASTS))
    found = forecast_rows(given, registry_version, features_version)
    served = found.first()
    assert served is not None
    return served


def test_a_later_forecast_wins_then_a_later_registry_then_later_features(spark: SparkSession):
    noon, least = datetime(2024, 5, 1, 12, tzinfo=UTC), (0, 0)
    most = (2**20 - 1, 2**22 - 1)
    made = [
        (noon, *least),
        (noon, 0, 1),
        (noon, 0, most[1]),
        (noon, 1, 0),
        (noon, *most),
        (noon + timedelta(hours=1), *least),
    ]
    versions = [forecast(spark, *one)["version"] for one in made]
    assert versions == sorted(set(versions))
    assert versions[0] > 0
    assert forecast(spark, datetime(2139, 1, 1, tzinfo=UTC), *most)["version"] < 2**63


def test_a_forecast_without_bounds_writes_over_those_that_stood_there(spark: SparkSession):
    row = forecast(spark, datetime(2024, 5, 1, 12, tzinfo=UTC), 1, 1)
    assert (row["write_mode"], row["lower_bound"], row["predicted_value"]) == (OVERWRITE, None, 0.5)
    assert row["issued_at"] == pytest.approx(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp(), abs=0.001)
    assert row["ingested_at_s"] == int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp())
