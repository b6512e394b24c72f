"""Curation of an hour on real servers: what it records, twice the same, and what it finds where Curated was changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F
from tests.integration.apart import Apart, apart
from tests.integration.batches import Batches
from tests.rows import event, records

from weahouse.batch.curation import curate
from weahouse.batch.units import read_units
from weahouse.io.delta import append_once, ensure_table, open_table
from weahouse.io.lake import open_table as open_small
from weahouse.schemas.datasets import (
    CURATED_INGEST_UNITS,
    CURATED_OBSERVATIONS,
    CURATED_STATION_TRUST,
    CURATED_VERDICTS,
    RAW_OBSERVATIONS,
)
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.transforms.parse import ingest_hour

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

WRITTEN = (CURATED_INGEST_UNITS, CURATED_VERDICTS, CURATED_STATION_TRUST)
HOUR = "2024-05-01T13"
APPENDED_AT = datetime(2024, 5, 1, 13, 5, tzinfo=UTC)


def at(time: str, station: str = "a", **members: Any) -> bytes:
    return event(station_id=station, observed_at=f"2024-05-01T{time}Z", **members)


VALUES = (
    at("12:50:00", air_temperature_c=1.0),
    at("12:50:00", air_temperature_c=2.0),
    at("13:00:00", air_temperature_c=80.0),
    at("05:00:00", "b", air_temperature_c=3.0),
    b"no JSON",
)


@pytest.fixture(scope="module")
def hour(spark: SparkSession, platform: Settings) -> Apart:
    """Raw and Curated as the stream leaves them: an hour of five records, and one of the hour after."""
    stream = apart(platform, "curation")
    settings = stream.settings
    for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, GOLD_STATIONS):
        ensure_table(spark, settings, table)
    batches = Batches(spark, stream)
    batches.archive(*VALUES, appended_at=APPENDED_AT)
    batches.archive(at("14:00:00", air_temperature_c=4.0), appended_at=APPENDED_AT + timedelta(hours=1))
    return stream


def test_an_hour_is_recorded_with_what_it_holds_and_touched(spark: SparkSession, hour: Apart):
    unit, examples = curate(spark, hour.settings, HOUR)
    counts = ("records", "quarantined", "readings", "late", "corrected", "parity_compared", "parity_violations")
    assert {name: unit[name] for name in counts} == {
        "records": 5,
        "quarantined": 1,
        "readings": 3,
        "late": 1,
        "corrected": 1,
        "parity_compared": 3,
        "parity_violations": 0,
    }
    assert examples == []
    assert unit["offsets"] == '{"0": [0, 5]}'
    # The hour after is judged anew too: it holds the value to which the last one of this hour is the one before.
    assert [f"{hour:%H:%M}" for hour in unit["touched_hours"]] == ["05:00", "12:00", "13:00", "14:00"]
    assert (unit["earliest_observed_at"].hour, unit["latest_observed_at"].hour) == (5, 13)


def test_curating_it_again_changes_no_table_and_tells_the_same(spark: SparkSession, hour: Apart):
    def versions() -> list[int]:
        return [open_small(hour.settings, table).version() for table in WRITTEN]

    recorded, before = read_units(hour.settings)[HOUR], versions()
    again, _ = curate(spark, hour.settings, HOUR)
    assert again == recorded == read_units(hour.settings)[HOUR]
    assert versions() == before


def test_an_hour_in_which_nothing_was_appended_is_recorded_as_empty(spark: SparkSession, hour: Apart):
    unit, _ = curate(spark, hour.settings, "2024-05-01T20")
    assert (unit["records"], unit["readings"], unit["touched_hours"], unit["offsets"]) == (0, 0, [], "{}")
    assert read_units(hour.settings)["2024-05-01T20"]["latest_observed_at"] is None


def test_of_an_open_hour_that_is_curated_which_the_stream_had_committed(spark: SparkSession, hour: Apart):
    appended_at = APPENDED_AT + timedelta(hours=3)
    committed, ahead = at("16:00:00", air_temperature_c=5.0), at("16:01:00", air_temperature_c=6.0)
    Batches(spark, hour).send(committed, appended_at=appended_at)
    raw = records(spark, committed, ahead, appended_at=appended_at).withColumn("ingest_hour", ingest_hour())
    append_once(raw, hour.settings, RAW_OBSERVATIONS, "an archive that is ahead", 1)
    unit, examples = curate(spark, hour.settings, "2024-05-01T16", until={0: 1})
    assert (unit["offsets"], unit["parity_compared"], examples) == ('{"0": [0, 1]}', 1, [])


def test_what_was_changed_in_curated_is_found_by_name(spark: SparkSession, hour: Apart):
    curated = open_table(spark, hour.settings, CURATED_OBSERVATIONS)
    curated.update("observed_at = '2024-05-01T13:00:00Z'", {"air_temperature_c": F.lit(7.0)})
    curated.delete("station_id = 'b'")
    unit, examples = curate(spark, hour.settings, HOUR)
    assert unit["parity_violations"] == 2
    assert [(each["station_id"], each["fault"], each["differing"]) for each in examples] == [
        ("a", "different", ["air_temperature_c"]),
        ("b", "absent", []),
    ]
