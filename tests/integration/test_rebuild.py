"""What no restart mends: the stream ends with a name, `weahouse stream rebuild` is the way out, nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.integration.apart import Apart, apart
from tests.integration.conftest import eventually
from tests.rows import event

from weahouse.io.kafka import end_offsets
from weahouse.orchestration import driver
from weahouse.orchestration.status import stream_status
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.fields import FLAGS, MEASUREMENTS
from weahouse.schemas.render import checkpoint_path
from weahouse.streaming.fencing import TableLease
from weahouse.streaming.reconciliation import reconcile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

STATIONS, MINUTES = 12, 40
CONTENT = ", ".join(("observed_at", *MEASUREMENTS, *FLAGS))


def load(name: str, begin: int = 0, end: int = MINUTES) -> list[tuple[str, bytes]]:
    """Readings of 12 stations, some repeated, some corrected an hour of observation later, some unreadable."""
    start, sent = datetime(2024, 5, 1, tzinfo=UTC), []
    for minute in range(begin, end):
        for number in range(STATIONS):
            station = f"{name}-{number:02d}"

            def reading(of: int, temperature_c: float, station: str = station) -> tuple[str, bytes]:
                at = (start + timedelta(minutes=of)).isoformat()
                return station, event(station_id=station, observed_at=at, air_temperature_c=temperature_c)

            sent.append(reading(minute, 10 + number))
            if minute % 7 == 0:
                sent.append(reading(minute, 10 + number))
            if minute >= MINUTES // 2:
                # Of the first half, so that a correction meets what was there before the rebuild.
                sent.append(reading(minute - MINUTES // 2, 20 + number))
            if minute % 9 == 0:
                sent.append((station, b"{"))
    return sent


def content(stream: Apart, name: str) -> list[dict[str, object]]:
    station = f"substr(station_id, {len(name) + 2}) AS station"
    return stream.lake(
        f"SELECT {station}, {CONTENT} FROM curated.observations WHERE station_id LIKE '{name}-%' ORDER BY 1, 2"
    )


@pytest.fixture(scope="module")
def ruined(platform: Settings) -> Iterator[Apart]:
    """A stream with one load that nothing interrupted."""
    stream = apart(platform, "ruined")
    stream.start()
    stream.send(*load("calm"))
    stream.settle()
    yield stream
    driver.stop(stream.settings)


def rebuild(stream: Apart) -> None:
    done = stream.weahouse("stream", "rebuild", "--yes")
    assert done.returncode == 0, done.stderr
    stream.start()


def assert_whole(spark: SparkSession, stream: Apart, name: str) -> None:
    """The second half comes too; then the content is that of the calm load and every offset is accounted for."""
    stream.send(*load(name, MINUTES // 2))
    stream.settle()
    calm = content(stream, "calm")
    assert len(calm) == STATIONS * MINUTES
    assert content(stream, name) == calm
    told = reconcile(spark, stream.settings, None, None)
    assert (told["unaccounted"], told["doubled"], told["differing_cassandra"], told["examples"]) == (0, 0, 0, [])
    assert told["compared_cassandra"] >= 2 * len(calm)


@pytest.mark.long
def test_a_topic_that_is_created_again_under_the_running_stream(spark: SparkSession, ruined: Apart):
    ruined.start()
    ruined.send(*load("recreated", 0, MINUTES // 2))
    ruined.settle()
    offsets = reconcile(spark, ruined.settings, None, None)["offsets"]
    ruined.recreate_topic()
    # More than the old topic held: no offset alone shows that it is another one.
    filler = [(f"filler-{n % 7}", event(station_id=f"filler-{n % 7}")) for n in range(3000)]
    ruined.send(*filler)
    ruined.await_end()
    found = stream_status(ruined.settings)
    assert found["state"] == "failed"
    assert found["error"].startswith("TopicRecreatedError: topic ruined was deleted and created again")
    assert "weahouse stream rebuild" in found["error"]
    assert driver.start_or_adopt(ruined.settings)["action"] == "none"

    planned = ruined.weahouse("stream", "rebuild", "--dry-run")
    assert "created again" in planned.stdout
    assert stream_status(ruined.settings)["state"] == "failed"
    rebuild(ruined)
    assert stream_status(ruined.settings)["gaps"] == len(ruined.gaps()) == 3
    assert {(gap["cause"], gap["to_offset"]) for gap in ruined.gaps()} == {("topic_recreated", None)}
    assert_whole(spark, ruined, "recreated")
    told = reconcile(spark, ruined.settings, None, None)
    assert told["offsets"] == offsets + len(filler) + len(load("recreated", MINUTES // 2))


@pytest.mark.long
def test_offsets_that_expired_before_they_were_read(spark: SparkSession, ruined: Apart):
    ruined.start()
    lease = TableLease(ruined.hdfs, ruined.settings.hdfs_root, CURATED_OBSERVATIONS, "test", 1)
    with lease.held():
        # The archive goes on without the lease: Raw has what Curated has not.
        ruined.send(*load("expired", 0, MINUTES // 2))
        last = {str(partition): end for partition, end in end_offsets(ruined.settings).items()}
        eventually(lambda: ruined.progress("archive")["committed_offsets"] == last, "the archive's end")
        ruined.kill()
    assert content(ruined, "expired") == []
    unread = load("lost", 0, 3)
    ruined.send(*unread)
    ruined.expire()
    before = len(ruined.gaps())

    found = ruined.refusal()
    assert found["error"].startswith("OffsetsExpiredError: query ")
    rebuild(ruined)
    gaps = ruined.gaps()[before:]
    assert {gap["cause"] for gap in gaps} == {"offsets_expired"}
    assert sum(gap["to_offset"] - gap["from_offset"] for gap in gaps) == len(unread)
    assert content(ruined, "expired") != []
    assert_whole(spark, ruined, "expired")
    assert content(ruined, "lost") == []


@pytest.mark.long
@pytest.mark.parametrize("query", ["archive", "observations"])
def test_a_damaged_checkpoint(spark: SparkSession, ruined: Apart, query: str):
    ruined.start()
    ruined.send(*load(f"damaged-{query}", 0, MINUTES // 2))
    ruined.settle()
    ruined.kill()
    ruined.hdfs.delete(f"{checkpoint_path(query, ruined.settings.hdfs_root)}/offsets")
    before = len(ruined.gaps())

    found = ruined.refusal()
    assert found["error"].startswith("CheckpointDamagedError: ")
    rebuild(ruined)
    assert len(ruined.gaps()) == before
    assert_whole(spark, ruined, f"damaged-{query}")


def test_a_rebuild_waits_for_nobody_who_runs(ruined: Apart):
    ruined.start()
    refused = ruined.weahouse("stream", "rebuild", "--yes")
    assert refused.returncode == 1
    assert "weahouse stream stop" in refused.stderr
