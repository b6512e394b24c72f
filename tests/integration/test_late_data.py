"""Partitions that are idle, hot or read far apart, and clocks that are ahead: every reading arrives; late is late."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.integration.apart import Apart, apart
from tests.rows import event

from weahouse.embedded.process import log_file
from weahouse.io.kafka import end_offsets
from weahouse.orchestration import driver
from weahouse.streaming.reconciliation import reconcile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

HORIZON_S = 1
OLD, HOT = 300, 750
# Minutes before it was appended, by station; the last two have clocks ahead of the broker's.
DELAYS = {"punctual": 2, "just-in-time": 5 * 60 + 58, "hours-late": 7 * 60, "ahead": -9, "far-ahead": -12}


def series(station: str, count: int) -> list[tuple[str, bytes]]:
    start = datetime(2024, 5, 1, tzinfo=UTC)
    times = [(start + timedelta(minutes=minute)).isoformat() for minute in range(count)]
    return [(station, event(station_id=station, observed_at=at, air_temperature_c=1.0)) for at in times]


@pytest.fixture(scope="module")
def late(platform: Settings) -> Iterator[Apart]:
    """A backlog of two partitions, appended further apart than the horizon, read in batches that take from both."""
    horizon = timedelta(seconds=HORIZON_S)
    # One more partition than there are keys.
    stream = apart(platform, "late", topic_partitions=8, repeat_horizon=horizon, max_offsets_per_trigger=500)
    stream.send(*series("old", OLD))
    time.sleep(3 * HORIZON_S)
    stream.send(*series("hot", HOT))
    now = datetime.now(UTC)
    stream.send(
        *[
            (station, event(station_id=station, observed_at=(now - timedelta(minutes=minutes)).isoformat()))
            for station, minutes in DELAYS.items()
        ]
    )
    stream.start()
    stream.settle()
    yield stream
    driver.stop(stream.settings)


def counts(stream: Apart) -> dict[str, int]:
    rows = stream.lake("SELECT station_id, count(*) AS n FROM curated.observations GROUP BY station_id")
    return {row["station_id"]: row["n"] for row in rows}


def test_readings_of_partitions_read_far_apart_all_arrive(late: Apart):
    by_key = late.lake("SELECT DISTINCT cast(key AS text) AS station, partition FROM raw.observations")
    partitions = {row["station"]: row["partition"] for row in by_key}
    assert partitions["old"] != partitions["hot"]
    assert counts(late)["old"] == OLD
    # Some of them came behind the watermark and were merged again, or this would show nothing.
    assert "merging offsets again" in log_file(late.settings.home, driver.SERVICE).read_text()


def test_a_hot_partition_and_an_idle_one_hold_nothing_up(late: Apart):
    ends = end_offsets(late.settings)
    assert min(ends.values()) == 0
    assert max(ends.values()) >= HOT
    assert counts(late)["hot"] == HOT


def test_a_clock_ahead_of_the_brokers_makes_nobody_else_late(late: Apart):
    rows = late.lake("SELECT station_id, late_by_s FROM curated.observations WHERE station_id NOT IN ('old', 'hot')")
    known = {row["station_id"]: row["late_by_s"] for row in rows}
    assert {station: delay is not None for station, delay in known.items()} == {
        "punctual": False,
        "just-in-time": False,
        "hours-late": True,
        "ahead": False,
    }
    [quarantined] = late.lake("SELECT cast(key AS text) AS station, reason FROM curated.quarantine")
    assert quarantined["station"] == "far-ahead"
    assert "10 minutes ahead" in quarantined["reason"]


def test_every_offset_is_accounted_for(spark: SparkSession, late: Apart):
    told = reconcile(spark, late.settings, None, None)
    assert (told["unaccounted"], told["doubled"], told["differing_cassandra"]) == (0, 0, 0)
    assert told["offsets"] == OLD + HOT + len(DELAYS)
    assert told["compared_cassandra"] == told["curated"] == OLD + HOT + len(DELAYS) - 1


def test_lateness_tells_each_stations_delay_and_what_would_suit(late: Apart):
    found = json.loads(late.weahouse("stream", "lateness", "--json").stdout)
    stations = {row["station_id"]: row for row in found["stations"]}
    assert stations["punctual"]["max_s"] == pytest.approx(2 * 60, abs=60)
    assert stations["ahead"]["max_s"] == pytest.approx(-9 * 60, abs=60)
    assert stations["hours-late"]["late_share"] == 1.0
    assert found["overall"]["readings"] == sum(counts(late).values())
    assert found["overall"]["p50_s"] <= found["overall"]["p99_s"] <= found["overall"]["max_s"]
    # Readings of years ago are outliers beside those of today, of which the latest came after seven hours.
    assert set(found["outliers"]) == {"old", "hot"}
    assert found["suits_s"] == timedelta(hours=12).total_seconds()
    # Nothing of the last second: the question is answered, not refused.
    assert json.loads(late.weahouse("stream", "lateness", "--last", "0.001s", "--json").stdout)["overall"] is None


def test_the_doctor_finds_the_streams_folders_in_bounds(late: Apart):
    done = Apart(replace(late.settings, observations_trigger=timedelta(seconds=2))).weahouse(
        "doctor", "--folders", "--json"
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"]) == (0, "ok")
    held = {figure["what"]: figure["held"] for figure in told["figures"]}
    assert held["curated.observations log"] > 0
    assert held["raw.observations fullest folder"] > 0
    assert held["checkpoint observations state/0/0"] > 0
    assert held["checkpoint archive offsets"] <= 101


def test_the_doctor_asks_for_attention_when_a_log_would_outgrow_its_folder(late: Apart):
    # At the tests' pace of a batch each second.
    done = late.weahouse("doctor", "--folders", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["verdict"]) == (1, "attention")
    assert [f["what"] for f in told["figures"] if f["verdict"] == "attention"] == ["curated.observations log"]
