"""`make bench`: the whole stream beside its own parse expression, on one preloaded topic, each three times in turn.

Both are whole processes from a cold start; a rate counts from the first batch's start. CPU seconds are those of the
measured process and its children.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from weahouse.embedded.instance import start_servers, stop_servers
from weahouse.io.cassandra import connect, create_schema
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import begin_offsets, end_offsets, ensure_topic
from weahouse.orchestration import driver
from weahouse.orchestration.spark_submit import scratch_folder, spark_environment, spark_submit_command
from weahouse.orchestration.status import lag_by_query, read_progress
from weahouse.schemas.datasets import SERVING_TABLES
from weahouse.settings import ROOT, Settings, from_environment
from weahouse.sources import simulator
from weahouse.sources.network import network
from weahouse.sources.producer import send_all

HOME = ROOT / ".weahouse" / "bench"
STATIONS = 500
# The first day of the load: a fixed one, so that every run of the bench measures the same records.
FIRST_S = 1_700_000_000
INTERVAL_S = 60
_CHUNK = 50
_LIMIT_S = 900.0


@dataclass
class Sample:
    """One measured run."""

    records: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.records / self.seconds


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, prog="make bench")
    arguments.add_argument("--records", type=int, default=1_000_000, help="size of the preloaded topic")
    arguments.add_argument("--runs", type=int, default=3, help="runs of each, of which the median counts")
    asked = arguments.parse_args()
    settings = from_environment({"WEAHOUSE_HOME": str(HOME / "home"), "WEAHOUSE_PORT_OFFSET": "10000"})
    shutil.rmtree(settings.home, ignore_errors=True)
    with servers(settings):
        preload(settings, asked.records)
        samples: dict[str, list[Sample]] = {"stream.parse_only": [], "stream.whole": []}
        for _ in track(range(asked.runs), description="measuring"):
            samples["stream.parse_only"].append(parse_only(settings))
            samples["stream.whole"].append(whole(settings))
    results = [result(name, samples[name], samples["stream.parse_only"]) for name in samples]
    (HOME / "latest.json").write_text(json.dumps(results, indent=2) + "\n")
    show(results)
    return 0


@contextmanager
def servers(settings: Settings) -> Iterator[None]:
    """Kafka, Cassandra and HDFS of the bench's own."""
    start_servers(settings, print, only=("kafka", "cassandra", "namenode", "datanode"))
    try:
        ensure_topic(settings)
        create_schema(settings)
        yield
    finally:
        driver.stop(settings)
        stop_servers(settings)


def preload(settings: Settings, records: int) -> None:
    """Readings of 500 stations, one a minute, in order of time."""
    stations = network(seed=1, size=STATIONS)

    def load() -> Iterator[Any]:
        minutes = records // STATIONS
        for first in track(range(0, minutes, _CHUNK), description="preloading"):
            at = np.repeat(np.arange(first, min(first + _CHUNK, minutes)) * INTERVAL_S + FIRST_S, STATIONS)
            station = np.tile(np.arange(STATIONS), len(at) // STATIONS)
            readings = simulator.measure(stations, station, at, float(INTERVAL_S))
            yield from simulator.records(stations, station, at, readings)

    sender = send_all(settings, load(), None, lambda _: None)
    if sender.refusals:
        raise RuntimeError(f"the broker refused {len(sender.refusals)} records: {sender.refusals[0]}")


def parse_only(settings: Settings) -> Sample:
    """One run of the parse expression alone."""
    scratch_folder(settings, "parse_only").mkdir(parents=True, exist_ok=True)
    command = spark_submit_command(settings, str(ROOT / "bench" / "parse_only.py"))
    with (settings.home / "logs" / "parse_only.log").open("ab") as log:
        before = os.times()
        done = subprocess.run(
            command, env={**os.environ, **spark_environment(settings)}, stdout=subprocess.PIPE, stderr=log, check=True
        )
        after = os.times()
    told = json.loads(done.stdout.decode().splitlines()[-1])
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Sample(told["records"], told["seconds"], cpu_s)


def whole(settings: Settings) -> Sample:
    """One run of the stream from nothing until every sink holds every record."""
    forget(settings)
    pid = driver.start(settings)["pid"]
    process, cpu_s = psutil.Process(pid), 0.0
    deadline = time.monotonic() + _LIMIT_S
    began: float | None = None
    while True:
        cpu_s = max(cpu_s, _cpu_s(process))
        progress = read_progress(settings)
        if began is None and progress["driver"].get("state") == "running":
            began = time.time()
        if began and max(lag_by_query(progress, begin_offsets(settings), end_offsets(settings)).values()) == 0:
            break
        if time.monotonic() > deadline or not process.is_running():
            raise RuntimeError(f"the stream did not finish: see {settings.home}/logs/stream.log")
        time.sleep(0.2)
    seconds = time.time() - began
    driver.stop(settings)
    return Sample(sum(end_offsets(settings).values()), seconds, cpu_s)


def forget(settings: Settings) -> None:
    """Empty every table and checkpoint, so that the next run does all of the work again."""
    hdfs = Hdfs(settings)
    hdfs.delete(settings.hdfs_root)
    session = connect(settings)
    for table in SERVING_TABLES:
        session.execute(f"TRUNCATE {table.name}")
    session.cluster.shutdown()


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and its descendants, those that have ended included."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def result(name: str, samples: list[Sample], baseline: list[Sample]) -> dict[str, Any]:
    """One entry of latest.json; the ratio is the median of the runs' ratios, pair by pair."""
    is_baseline = samples is baseline
    return {
        "name": name,
        "unit": "records/s",
        "median": round(statistics.median(sample.rate for sample in samples), 1),
        "runs": [round(sample.rate, 1) for sample in samples],
        "cpu_s_per_million": round(statistics.median(1e6 * sample.cpu_s / sample.records for sample in samples), 2),
        "baseline": None if is_baseline else "stream.parse_only",
        "ratio": None
        if is_baseline
        else round(statistics.median(one.rate / other.rate for one, other in zip(samples, baseline, strict=True)), 3),
    }


def show(results: list[dict[str, Any]]) -> None:
    table = Table(title=f"bench of {datetime.now(UTC):%Y-%m-%d}", box=None)
    for column in ("name", "median", "unit", "runs", "CPU s per million", "ratio to parse_only"):
        table.add_column(column, justify="left" if column in ("name", "unit") else "right")
    for each in results:
        runs = " ".join(f"{rate:,.0f}" for rate in each["runs"])
        ratio = "" if each["ratio"] is None else f"{each['ratio']:.3f}"
        table.add_row(each["name"], f"{each['median']:,.0f}", each["unit"], runs, str(each["cpu_s_per_million"]), ratio)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
