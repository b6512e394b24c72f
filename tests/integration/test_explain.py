"""One reading explained on real servers: records of four hours, a ledger that knows some of them, Cassandra beside."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.apart import Apart, apart
from tests.rows import event, records

from weahouse.batch.curation import curate
from weahouse.cli.explain import trace
from weahouse.io.delta import append_once, ensure_table
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.streaming.fencing import TableLease, take_epoch
from weahouse.streaming.registry import Registry
from weahouse.streaming.run import Run
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import WRITTEN
from weahouse.transforms.parse import ingest_hour, observations, parse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

STATION, AT = "a", datetime(2024, 5, 1, 12, 50, tzinfo=UTC)
NOW = datetime(2024, 5, 3, tzinfo=UTC)
TIME = "2024-05-01T12:50:00Z"
MANY_HOURS_LATER = "2024-05-02T05"


def reading(**members: Any) -> bytes:
    return event(station_id=STATION, observed_at=TIME, **members)


CORRECTED = reading(air_temperature_c=2.0, dew_point_c=5.0)
CUT_OFF = b'{"station_id": "a", "observed_at": "2024-05-01T12:50:00Z", "a'
# What was appended at each time, in order; the last repeats the correction before it.
SENT = [
    (datetime(2024, 5, 1, 12, 51, tzinfo=UTC), [reading(air_temperature_c=1.0), CUT_OFF]),
    (datetime(2024, 5, 1, 13, 5, tzinfo=UTC), [event(station_id=STATION, observed_at="2024-05-01T13:00:00Z")]),
    (datetime(2024, 5, 1, 23, 5, tzinfo=UTC), [CORRECTED]),
    (datetime(2024, 5, 2, 5, 5, tzinfo=UTC), [CORRECTED]),
]


@pytest.fixture(scope="module")
def way(spark: SparkSession, platform: Settings) -> Apart:
    """Tables as the stream leaves them after the records above."""
    stream = apart(platform, "explained")
    settings = stream.settings
    for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, CURATED_QUARANTINE, GOLD_STATIONS):
        ensure_table(spark, settings, table)
    epoch = take_epoch(stream.hdfs, settings.hdfs_root)
    lease = TableLease(stream.hdfs, settings.hdfs_root, CURATED_OBSERVATIONS, "stream", epoch)
    run, registry = Run(settings, stream.hdfs, epoch, lease), Registry(settings, stream.hdfs)
    for number, (moment, values) in enumerate(SENT):
        batch = records(spark, *values, appended_at=moment)
        told = parse(batch).select(*RECORD_COLUMNS, "reason", ingest_hour())
        append_once(told.drop("reason"), settings, RAW_OBSERVATIONS, "test", number)
        append_once(told.where("reason IS NOT NULL"), settings, CURATED_QUARANTINE, "test", number)
        upsert(run, observations(parse(batch), settings.lateness), load_rules(), registry, WRITTEN)
    return stream


def ends(found: dict[str, Any]) -> list[str]:
    return [record["disposition"] for record in found["records"]]


def tables(found: dict[str, Any]) -> dict[str, tuple[bool | None, str]]:
    return {entry["table"]: (entry["holds"], entry["what"]) for entry in found["tables"]}


def test_each_record_is_told_with_its_end_and_each_table_with_what_it_holds(way: Apart):
    found = trace(way.settings, STATION, AT, NOW)
    assert ends(found) == ["superseded", "quarantined", "curated"]
    assert found["records"][1]["why"] == "value is not valid JSON"
    assert found["records"][2]["payload"] == CORRECTED
    assert found["curated"]["revision"] == 1
    held = tables(found)
    assert held["raw.observations"][0]
    assert held["curated.observations"][0]
    assert held["curated.quarantine"] == (True, "1 record")
    assert held["observations_by_station"] == (True, "as Curated has it")
    assert held["summaries_by_station"][0]
    assert held["alerts_by_region"] == (False, "none names it")


def test_the_judgement_is_the_rows_own(way: Apart):
    found = trace(way.settings, STATION, AT, NOW)
    told = {test["test"]: test["verdict"] for test in found["tests"]}
    assert told["dew_point_above_temperature"] == "failed"
    assert told["range:air_temperature_c"] == "passed"
    assert told["range:wind_gust_mps"] == "not applied"
    assert found["flags"]["dew_point_c"]["flag_name"] == "suspect"
    assert found["notes"] == []


def test_what_came_many_hours_later_is_found_everywhere_or_once_it_is_curated(spark: SparkSession, way: Apart):
    whole = ["superseded", "quarantined", "curated", "duplicate"]
    assert MANY_HOURS_LATER not in trace(way.settings, STATION, AT, NOW)["searched"]["raw_hours"]
    assert ends(trace(way.settings, STATION, AT, NOW, everywhere=True)) == whole
    for hour in ("2024-05-01T13", MANY_HOURS_LATER):
        curate(spark, way.settings, hour)
    found = trace(way.settings, STATION, AT, NOW)
    assert ends(found) == whole
    assert MANY_HOURS_LATER in found["searched"]["raw_hours"]


def test_an_hour_that_curation_has_been_through_without_the_reading_is_left_out(spark: SparkSession, way: Apart):
    curate(spark, way.settings, "2024-05-01T15")
    hours = trace(way.settings, STATION, AT, NOW)["searched"]["raw_hours"]
    assert "2024-05-01T15" not in hours
    assert "2024-05-01T16" in hours


def test_the_command_prints_the_way_and_json(way: Apart):
    printed = way.weahouse("explain", STATION, TIME)
    assert printed.returncode == 0, printed.stderr
    for words in ("superseded", "dew point ≤ temperature", "observations_by_station", "searched of Raw"):
        assert words in printed.stdout
    told = json.loads(way.weahouse("explain", STATION, TIME, "--json").stdout)
    assert told["observed_at"] == TIME
    assert told["records"][0]["payload"] == reading(air_temperature_c=1.0).decode()


@pytest.mark.parametrize(
    ("station", "time", "told"),
    [
        ("nobody", TIME, "station 'nobody' is not known"),
        (STATION, "2024-05-01T01:00:00Z", "nothing of a at 2024-05-01T01:00:00Z: not in Curated"),
    ],
)
def test_nothing_is_told_with_what_was_searched(way: Apart, station: str, time: str, told: str):
    done = way.weahouse("explain", station, time)
    assert done.returncode == 1
    assert told in done.stderr
    assert "hours 2024-05-01T" in done.stderr


def test_a_row_that_cassandra_lacks_is_told(way: Apart):
    # Last: it changes what the others read.
    way.served(
        "DELETE FROM observations_by_station WHERE station_id = ? AND day = ? AND observed_at = ?",
        STATION, AT.date(), AT,
    )  # fmt: skip
    way.served("DELETE FROM summaries_by_station WHERE station_id = ? AND day = ?", STATION, AT.date())
    found = tables(trace(way.settings, STATION, AT, NOW + timedelta(minutes=1)))
    assert found["observations_by_station"] == (
        False,
        "no row, and Curated has one: see `weahouse status`, `weahouse reconcile`",
    )
    assert found["summaries_by_station"] == (False, "no pane from 12:50 to 13:00")
