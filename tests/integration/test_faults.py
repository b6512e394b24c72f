"""Kills and outages in the middle of a load: the content ends the same, and there is one driver."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.integration.conftest import eventually
from tests.rows import event

from weahouse.embedded import process, servers
from weahouse.orchestration import driver
from weahouse.orchestration.spark_submit import spark_environment, spark_submit_command
from weahouse.schemas.fields import FLAGS, MEASUREMENTS
from weahouse.streaming.reconciliation import reconcile

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from tests.integration.conftest import Stream

STATIONS, MINUTES = 20, 250
CONTENT = ", ".join(("observed_at", *MEASUREMENTS, *FLAGS))


def load(name: str) -> list[tuple[str, bytes]]:
    """Readings of 20 stations with every tenth sent twice, every 25th corrected and every 40th broken."""
    start = datetime(2024, 5, 1, tzinfo=UTC)
    sent = []
    for minute in range(MINUTES):
        for number in range(STATIONS):
            station, temperature_c = f"{name}-{number:02d}", 10 + number + minute % 60 / 10
            at = (start + timedelta(minutes=minute)).isoformat()
            reading = event(station_id=station, observed_at=at, air_temperature_c=temperature_c, dew_point_c=9.0)
            sent.append((station, reading))
            order = minute * STATIONS + number
            if order % 10 == 0:
                sent.append((station, reading))
            if order % 25 == 0:
                sent.append((station, event(station_id=station, observed_at=at, air_temperature_c=temperature_c + 1)))
            if order % 40 == 0:
                sent.append((station, reading[:-1]))
    return sent


def content(stream: Stream, name: str) -> list[dict[str, object]]:
    # The station's number without the load's name, so that two loads can be compared.
    station = f"substr(station_id, {len(name) + 2}) AS station"
    return stream.lake(
        f"SELECT {station}, {CONTENT} FROM curated.observations WHERE station_id LIKE '{name}-%' ORDER BY 1, 2"
    )


def kill_in_the_middle(stream: Stream) -> None:
    """Kill the driver after it has committed one more batch of the load, and start another."""
    batch = stream.progress("observations").get("batch_id", -1)
    eventually(lambda: stream.progress("observations").get("batch_id", -1) > batch, "another batch")
    pid = driver.live_pid(stream.settings)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: driver.live_pid(stream.settings) is None, "the end of the killed driver")
    stream.start()


def test_kills_in_the_middle_of_a_load_change_nothing(spark: SparkSession, stream: Stream):
    stream.send(*load("calm"))
    stream.settle()
    since = datetime.now(UTC)
    stream.send(*load("kill"))
    kill_in_the_middle(stream)
    kill_in_the_middle(stream)
    stream.settle()
    calm = content(stream, "calm")
    assert len(calm) == STATIONS * MINUTES
    assert content(stream, "kill") == calm
    told = reconcile(spark, stream.settings, since, None)
    assert (told["unaccounted"], told["doubled"], told["differing_cassandra"]) == (0, 0, 0)
    assert (told["offsets"], told["curated"], told["compared_cassandra"]) == (len(load("kill")), len(calm), len(calm))
    assert told["quarantined"] == STATIONS * MINUTES // 40
    # Every 50th reading was sent twice before it was corrected.
    assert told["superseded"] == STATIONS * MINUTES // 25 + STATIONS * MINUTES // 50


def test_the_stream_waits_for_cassandra_and_catches_up(spark: SparkSession, stream: Stream):
    [cassandra] = [service for service in servers.services(stream.settings) if service.name == "cassandra"]
    before, since = driver.live_pid(stream.settings), datetime.now(UTC)
    process.stop(stream.settings.home, "cassandra")
    stream.send(*load("wait")[:2_000])
    eventually(lambda: stream.progress("driver")["waiting_on"] == "cassandra", "waiting on Cassandra")
    process.start(cassandra, stream.settings.home)
    stream.settle()
    assert driver.live_pid(stream.settings) == before
    assert stream.progress("driver")["state"] == "running"
    told = reconcile(spark, stream.settings, since, None)
    assert (told["unaccounted"], told["doubled"], told["differing_cassandra"]) == (0, 0, 0)
    assert told["compared_cassandra"] > 0


def test_a_second_driver_ends_the_first(stream: Stream):
    first = driver.live_pid(stream.settings)
    epoch = stream.progress("driver")["epoch"]
    # By hand, past the lock and the pid file that keep `start` from having two.
    with (stream.settings.home / "logs" / "second.log").open("wb") as log:
        second = subprocess.Popen(
            spark_submit_command(stream.settings, "stream_observations.py"),
            env={**os.environ, **spark_environment(stream.settings)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        eventually(lambda: stream.progress("driver")["epoch"] == epoch + 1, "the second driver's epoch")
        stream.send(("fenced", event(station_id="fenced", air_temperature_c=1.0)))
        eventually(lambda: driver.live_pid(stream.settings) != first, "the end of the first driver")
        stream.settle()
        assert second.poll() is None
        rows = stream.lake("SELECT count(*) AS n FROM curated.observations WHERE station_id = 'fenced'")
        assert rows == [{"n": 1}]
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.wait()
