"""Replay on real servers: what was left out comes back, what is there stays as it is, what broke off goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.apart import Apart, apart
from tests.rows import event

from weahouse.batch import replay as replaying
from weahouse.batch.backfills import DONE, FAILED, read_backfill
from weahouse.batch.replay import Plan, replay
from weahouse.io.delta import append_once, ensure_table, open_table, version_of
from weahouse.io.kafka import begin_offsets, end_offsets
from weahouse.orchestration.raw_records import held_by_raw
from weahouse.orchestration.replay_request import ReplayRequest
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.streaming.source import read_range
from weahouse.transforms.parse import ingest_hour

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

TABLES = ("observations_by_station", "latest_by_region", "summaries_by_station")
READINGS = 12


@pytest.fixture
def sent(spark: SparkSession, platform: Settings, request: pytest.FixtureRequest) -> Apart:
    """A topic of twelve readings of two stations, and one that cannot be read; nothing is in the tables yet."""
    found = apart(platform, f"replay_{abs(hash(request.node.name)) % 10**8}")
    for table in (CURATED_OBSERVATIONS, GOLD_STATIONS):
        ensure_table(spark, found.settings, table)
    values = [
        event(
            station_id="ab"[minute % 2], observed_at=f"2024-05-01T12:{minute:02d}:00Z", air_temperature_c=1.0 * minute
        )
        for minute in range(READINGS)
    ]
    found.send(*values, b"no JSON")
    return found


def plan(stream: Apart, run_id: str = "a", **narrowed: Any) -> Plan:
    end = end_offsets(stream.settings)
    return Plan(run_id, dict.fromkeys(end, 0), end, "a test", **narrowed)


def served(stream: Apart) -> list[Any]:
    """When each row of Cassandra was written."""
    columns = zip(TABLES, ("region", "air_temperature_c_latest_value", "air_temperature_c_pane"), strict=True)
    return [sorted(map(repr, stream.served(f"SELECT WRITETIME({column}) FROM {table}"))) for table, column in columns]


def test_what_the_tables_lack_comes_back_and_a_second_run_changes_nothing(spark: SparkSession, sent: Apart):
    settings = sent.settings
    told = replay(spark, settings, plan(sent), "somebody")
    counts = {name: told[name] for name in ("replayed", "inserted", "updated", "unchanged", "quarantined")}
    expected = {"replayed": 13, "inserted": READINGS, "updated": 0, "unchanged": 0, "quarantined": 1}
    assert (told["backfill_state"], counts) == (DONE, expected)
    assert (told["planned"], told["approved_by"]) == (13, "somebody")
    assert told["appended_from"] < told["appended_to"] <= datetime.now(UTC) + timedelta(seconds=1)
    before = (version_of(spark, settings, CURATED_OBSERVATIONS), served(sent))
    # Another run of the same range, for the first one is done and would read nothing.
    again = replay(spark, settings, plan(sent, "b"))
    assert (again["inserted"], again["updated"], again["unchanged"]) == (0, 0, READINGS)
    assert (version_of(spark, settings, CURATED_OBSERVATIONS), served(sent)) == before
    assert replay(spark, settings, plan(sent)) == read_backfill(settings, "a")


def test_it_is_narrowed_to_stations_and_regions(spark: SparkSession, sent: Apart):
    assert replay(spark, sent.settings, plan(sent, regions=("us-il",)))["inserted"] == 0
    told = replay(spark, sent.settings, plan(sent, "b", stations=("a",), regions=("us-ca",)))
    assert told["inserted"] == READINGS / 2


def test_a_run_that_broke_off_goes_on_after_its_last_chunk(
    spark: SparkSession, sent: Apart, monkeypatch: pytest.MonkeyPatch
):
    upsert, calls = replaying.upsert, []

    def breaks_off(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise ConnectionError("Cassandra is gone")
        return upsert(*arguments)

    monkeypatch.setattr(replaying, "CHUNK_RECORDS", 3)
    monkeypatch.setattr(replaying, "upsert", breaks_off)
    with pytest.raises(ConnectionError):
        replay(spark, sent.settings, plan(sent))
    held = read_backfill(sent.settings, "a")
    assert (held["backfill_state"], held["inserted"] < READINGS) == (FAILED, True)
    told = replay(spark, sent.settings, plan(sent))
    assert (told["backfill_state"], told["replayed"], told["inserted"]) == (DONE, READINGS + 1, READINGS)
    assert open_table(spark, sent.settings, CURATED_OBSERVATIONS).toDF().count() == READINGS


def test_what_has_expired_from_the_topic_comes_back_from_raw(spark: SparkSession, sent: Apart):
    settings, end = sent.settings, end_offsets(sent.settings)
    of_topic = {settings.observations_topic: {str(partition): offset for partition, offset in end.items()}}
    ensure_table(spark, settings, RAW_OBSERVATIONS)
    records = read_range(spark, settings, {}, of_topic).withColumn("ingest_hour", ingest_hour())
    append_once(records.coalesce(1), settings, RAW_OBSERVATIONS, "test", 1)
    sent.expire(keep=2)
    first, now = begin_offsets(settings), datetime.now(UTC)
    expired = sum(first.values())
    assert 0 < expired < READINGS
    times = {
        "start": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    asked = ReplayRequest.of({**times, "regions": None, "stations": None, "reason": "a test", "dry_run": False}, now)
    held = held_by_raw(settings, asked.start, asked.end, first)
    planned = asked.plan(first, end, first, end, held)
    assert (planned["records"], planned["from_raw"]) == (READINGS + 1, expired)
    # By offsets the same is found, and with Raw alone nothing is read from the topic.
    by_offset = dict.fromkeys(end, 0)
    assert held_by_raw(settings, by_offset, end, first) == held
    assert sum(each.records for each in held_by_raw(settings, asked.start, asked.end, None).values()) == READINGS + 1

    told = replay(spark, settings, Plan.of(planned))
    assert (told["replayed"], told["inserted"], told["quarantined"]) == (READINGS + 1, READINGS, 1)
