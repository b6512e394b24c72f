"""The platform under a steady load: freshness, reads, and how soon it is back after its driver was killed.

Kafka, Cassandra, HDFS, the driver, and the simulated network run on this machine, and this process with its idle Spark
session; Airflow does not. The driver is warm: it has taken in a day of 20 stations and the load for a while. The
network reports evenly, and 1,000 records/s are 1,000 stations once a second. The windows follow each other through more
than half of a pane of 10 minutes: a batch that cost more as its pane fills would be seen.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import psutil

from bench.instance import cpu_seconds, forget
from bench.probes import CassandraProbe, CuratedProbe
from bench.reads import MINUTES_OF_A_DAY, day_reader, latest_reader, of_latencies, timed
from bench.results import Sample
from bench.stream import await_lag, lag, prove
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import end_offsets, ensure_topic
from weahouse.orchestration import driver
from weahouse.orchestration.spark_submit import spark_environment
from weahouse.schemas.render import checkpoint_path
from weahouse.sources import simulator
from weahouse.sources.network import Network, network
from weahouse.sources.producer import send_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.context import Bench
    from bench.reads import Read
    from weahouse.settings import Settings

_E2E = tuple(f"e2e.{place}.{share}" for place in ("cassandra", "curated") for share in ("p50", "p99"))
_IDLE = ("read.latest.p50", "read.latest.p99", "read.day.p50", "read.day.p99")
_LOADED = "read.day.loaded.p99"

RATE = 1000
_SEED = 2
# The network's own stations have a day of one-minute data from the day before, some of them.
_STATIONS_WITH_A_DAY = 20
_PROBED = 4
_REGION = "us-ca"
# Ten reads a second see ten batches in 30 s and cost a core some percent.
_PAUSE_UNDER_LOAD_S = 0.1
# How often a dead driver is looked for; stream_supervision looks every 3 s, and Airflow needs some for its task.
_SUPERVISE_EVERY_S = 1.0
_POLL_S = 0.1
_RECOVERED_WITHIN_S = 300.0
# The query that people's reads wait for; the archive takes what has come every 30 s.
_SERVING = ("observations",)
# Records that wait for the next batch of a stream that keeps pace: some seconds' worth.
_CAUGHT_UP = 10 * RATE
_CAUGHT_UP_WITHIN_S = 180.0


def measure(bench: Bench) -> None:
    """Freshness, reads under load, recovery, and reads at rest, in this order on one stream."""
    settings = bench.at(hdfs_root="/live")
    forget(settings)
    ensure_topic(settings)
    stations = network(_SEED, RATE)
    yesterday = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    _send_a_day(settings, stations, yesterday)
    read_day = day_reader(settings, stations.ids[:_STATIONS_WITH_A_DAY], yesterday, timedelta(days=1))
    bench.step("live: the driver's first batches")
    _settle(settings)
    with _load(settings):
        bench.step("live: warming up under load")
        time.sleep(bench.sizes.window_s * 0.75)
        _catch_up(settings)
        if bench.wants(*_E2E):
            _freshness(bench, settings, stations)
        if bench.wants(_LOADED):
            _loaded_reads(bench, read_day)
        if bench.wants("recovery"):
            _recoveries(bench, settings)
    _settle(settings)
    if bench.wants(*_IDLE):
        _idle_reads(bench, settings, read_day, stations)
    driver.stop(settings)
    prove(bench, settings)
    forget(settings)


def _send_a_day(settings: Settings, stations: Network, day: datetime) -> None:
    minute = np.arange(MINUTES_OF_A_DAY) * 60 + int(day.timestamp())
    at, station = np.repeat(minute, _STATIONS_WITH_A_DAY), np.tile(np.arange(_STATIONS_WITH_A_DAY), MINUTES_OF_A_DAY)
    readings = simulator.measure(stations, station, at, 60.0)
    send_all(settings, simulator.records(stations, station, at, readings), None, lambda _: None)


@contextmanager
def _load(settings: Settings) -> Iterator[None]:
    """`weahouse simulate` at RATE beside us until the end; it must not have ended before, or there was no load."""
    command = [sys.executable, "-m", "weahouse.cli", "simulate"]
    command += ["--stations", str(RATE), "--rate", str(RATE), "--seed", str(_SEED)]
    with (settings.home / "logs" / "bench_load.log").open("wb") as log:
        load = subprocess.Popen(
            command, env={**os.environ, **spark_environment(settings)}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield
        if load.poll() is not None:
            raise RuntimeError(f"the load ended before its measure: see {settings.home}/logs/bench_load.log")
    finally:
        load.send_signal(signal.SIGINT)
        load.wait()


def _driver(settings: Settings) -> psutil.Process:
    return psutil.Process(driver.start(settings)["pid"])


def _settle(settings: Settings) -> None:
    await_lag(settings, _driver(settings), end_offsets(settings), 0)


def _catch_up(settings: Settings) -> None:
    """Wait, while the load goes on, until the stream keeps pace; one that never does is measured as it is."""
    deadline = time.monotonic() + _CAUGHT_UP_WITHIN_S
    while lag(settings, end_offsets(settings), _SERVING) > _CAUGHT_UP and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _freshness(bench: Bench, settings: Settings, stations: Network) -> None:
    process = _driver(settings)
    # Spread over the network, and so over the order in which a batch's rows are written.
    probed = stations.ids[:: RATE // _PROBED]
    for run in range(bench.sizes.runs):
        bench.step(f"live: freshness, run {run + 1}")
        with CassandraProbe(settings, probed) as cassandra, CuratedProbe(settings) as curated:
            begin_s, cpu_s = time.time(), cpu_seconds(process)
            time.sleep(bench.sizes.window_s)
            end_s, used_s = time.time(), cpu_seconds(process) - cpu_s
            # Records that wait at the end of the window are waited for: without them the slowest would be left out.
            await_lag(settings, process, end_offsets(settings), 0, _SERVING)
        per_million = 1e6 * used_s / (RATE * (end_s - begin_s))
        for place, probe in (("cassandra", cassandra), ("curated", curated)):
            for share, sample in of_latencies(probe.latencies(begin_s, end_s)).items():
                bench.add(f"e2e.{place}.{share}", Sample(sample.value, per_million))


def _loaded_reads(bench: Bench, read_day: Read) -> None:
    for run in range(bench.sizes.runs):
        bench.step(f"live: reads under load, run {run + 1}")
        bench.add(_LOADED, of_latencies(timed(read_day, MINUTES_OF_A_DAY, _PAUSE_UNDER_LOAD_S))["p99"])


def _idle_reads(bench: Bench, settings: Settings, read_day: Read, stations: Network) -> None:
    in_region = stations.regions.count(_REGION)
    for run in range(bench.sizes.runs):
        bench.step(f"live: reads at rest, run {run + 1}")
        told = {
            "latest": timed(latest_reader(settings, _REGION), in_region),
            "day": timed(read_day, MINUTES_OF_A_DAY),
        }
        for name, values in told.items():
            for share, sample in of_latencies(values).items():
                bench.add(f"read.{name}.{share}", sample)


def _recoveries(bench: Bench, settings: Settings) -> None:
    for run in range(bench.sizes.runs):
        bench.step(f"live: recovery, run {run + 1}")
        bench.add("recovery", Sample(_recovery_s(settings)))
        # The next death comes to a stream that has caught up again.
        _catch_up(settings)


def _recovery_s(settings: Settings) -> float:
    """Seconds from kill -9 until the query `observations` has committed a batch that had no commit before.

    Included: that the death is noticed (a look each second, as said above), spark-submit, the JVM, both queries'
    start from their checkpoints, and the first batch with all that has come meanwhile.
    """
    hdfs, commits = Hdfs(settings), f"{checkpoint_path('observations', settings.hdfs_root)}/commits"
    pid = driver.live_pid(settings)
    if pid is None:
        raise RuntimeError("there is no driver to kill")
    os.kill(pid, signal.SIGKILL)
    began = looked = time.monotonic()
    last = max(int(name) for name in hdfs.list(commits) if name.isdigit())
    while not hdfs.exists(f"{commits}/{last + 1}"):
        now = time.monotonic()
        if now - began > _RECOVERED_WITHIN_S:
            raise RuntimeError(f"the stream did not recover: see {settings.home}/logs/stream.log")
        if now - looked >= _SUPERVISE_EVERY_S:
            looked = now
            driver.start_or_adopt(settings)
        time.sleep(_POLL_S)
    return time.monotonic() - began
