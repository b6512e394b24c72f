"""The stream whole on three loads, and its parse expression alone on the even one, all in turn and warm.

The first records of a run only warm the JVM up: its code is compiled while it runs, for minutes on two cores, and a
rate from a cold start would tell of that. Time and CPU count from the moment at which those records are done.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import psutil

from bench.instance import cpu_seconds, forget
from bench.loads import LOADS, preload
from bench.results import of_rate
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import end_offsets
from weahouse.orchestration import driver
from weahouse.orchestration.spark_submit import scratch_folder, spark_environment, spark_submit_command
from weahouse.schemas.datasets import QUERIES
from weahouse.schemas.render import progress_path
from weahouse.settings import ROOT
from weahouse.streaming.reconciliation import reconcile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.context import Bench
    from bench.loads import Load
    from bench.results import Sample
    from weahouse.settings import Settings

_LIMIT_S = 1800.0
_POLL_S = 0.2


def measure(bench: Bench) -> None:
    """Each wanted load in turn, as often as there are runs: what slows the machine for a while slows all of them."""
    chosen = [load for load in LOADS if bench.wants(load.name)]
    parsed = LOADS[:1] if bench.wants("stream.parse_only") else ()
    for load in dict.fromkeys((*parsed, *chosen)):
        bench.step(f"preloading {load.topic}")
        preload(bench.at(observations_topic=load.topic), load, bench.sizes.warm_up + _measured(bench, load))
    for run in range(bench.sizes.runs):
        if bench.wants("stream.parse_only"):
            bench.step(f"parse only, run {run + 1}")
            bench.add("stream.parse_only", parse_only(_parsed(bench), bench.sizes.warm_up))
        for load in chosen:
            bench.step(f"{load.name}, run {run + 1}")
            # A folder of its own: the session that reconciles must not know a table of that name from before.
            settings = bench.at(observations_topic=load.topic, hdfs_root=f"/{load.topic}-{run}")
            bench.add(load.name, whole(settings, bench.sizes.warm_up))
            prove(bench, settings)
            forget(settings)


def _measured(bench: Bench, load: Load) -> int:
    return int(bench.sizes.records * load.share)


def _parsed(bench: Bench) -> Settings:
    """The even load's topic; what is measured comes in three batches at least, of which none is over unseen."""
    at_once = min(bench.settings.max_offsets_per_trigger, bench.sizes.records // 3)
    return bench.at(observations_topic=LOADS[0].topic, max_offsets_per_trigger=at_once)


def parse_only(settings: Settings, warm_up: int) -> Sample:
    """One run of the parse expression alone."""
    scratch_folder(settings, "parse_only").mkdir(parents=True, exist_ok=True)
    command = spark_submit_command(settings, str(ROOT / "bench" / "parse_only.py"), str(warm_up))
    with (settings.home / "logs" / "parse_only.log").open("ab") as log:
        done = subprocess.run(
            command,
            # A script's own folder is on the path of modules, and not the checkout above it.
            env={**os.environ, **spark_environment(settings), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    return of_rate(**json.loads(done.stdout.decode().splitlines()[-1]))


def whole(settings: Settings, warm_up: int) -> Sample:
    """One run of the stream from nothing until every sink holds every record."""
    forget(settings)
    process = psutil.Process(driver.start(settings)["pid"])
    ends = end_offsets(settings)
    await_lag(settings, process, ends, sum(ends.values()) - warm_up)
    began, cpu_s, left = time.monotonic(), cpu_seconds(process), lag(settings, ends)
    await_lag(settings, process, ends, 0)
    sample = of_rate(left, time.monotonic() - began, cpu_seconds(process) - cpu_s)
    driver.stop(settings)
    return sample


def prove(bench: Bench, settings: Settings) -> None:
    """Raises RuntimeError where the stream has lost or doubled a record: such a run does not count."""
    began = time.monotonic()
    found: dict[str, Any] = reconcile(bench.spark, settings, None, None)
    if found["unaccounted"] or found["doubled"] or found["differing_cassandra"] or not found["compared_cassandra"]:
        raise RuntimeError(f"the stream was not exact, so its speed means nothing: {found}")
    bench.step(f"  reconciled {found['offsets']:,} records in {time.monotonic() - began:.0f} s")


def lag(settings: Settings, ends: dict[int, int], queries: Sequence[str] = QUERIES) -> int:
    """Records before `ends` that the slowest of the queries has not told to be committed.

    Two documents are read, and Kafka is not asked: the measure must cost nothing beside what it measures.
    """
    hdfs = Hdfs(settings)
    told = [hdfs.read_json(progress_path(f"{query}.json", settings.hdfs_root)) or {} for query in queries]
    committed = [document.get("committed_offsets") or {} for document in told]
    return max(
        sum(max(0, end - offsets.get(str(partition), 0)) for partition, end in ends.items()) for offsets in committed
    )


def await_lag(
    settings: Settings, process: psutil.Process, ends: dict[int, int], at_most: int, queries: Sequence[str] = QUERIES
) -> None:
    """Wait for the stream; raises RuntimeError where its driver ends (out of memory, say) or takes half an hour."""
    deadline = time.monotonic() + _LIMIT_S
    while lag(settings, ends, queries) > at_most:
        if time.monotonic() > deadline or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError(f"the stream did not finish: see {settings.home}/logs/stream.log")
        time.sleep(_POLL_S)
