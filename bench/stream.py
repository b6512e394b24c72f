"""The stream whole, and its parse expression alone, each over the same topic and warm.

The first records of a run only warm the JVM up: its code is compiled while it runs, for minutes on two cores, and a
rate from a cold start would tell of that. Time and CPU count from the moment at which those records are done.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

from bench.instance import forget
from weahouse.cli.spark_app import run_app
from weahouse.io.kafka import begin_offsets, end_offsets
from weahouse.orchestration import driver
from weahouse.orchestration.spark_submit import scratch_folder, spark_environment, spark_submit_command
from weahouse.orchestration.status import lag_by_query, read_progress
from weahouse.settings import ROOT

if TYPE_CHECKING:
    from weahouse.settings import Settings

_LIMIT_S = 1800.0
_POLL_S = 0.2


@dataclass
class Sample:
    """One measured run."""

    records: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.records / self.seconds


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
    return Sample(**json.loads(done.stdout.decode().splitlines()[-1]))


def whole(settings: Settings, warm_up: int) -> Sample:
    """One run of the stream from nothing until every sink holds every record; only then is it a measurement at all."""
    forget(settings)
    process = psutil.Process(driver.start(settings)["pid"])
    total = sum(end_offsets(settings).values())
    _await_lag(settings, process, total - warm_up)
    began, cpu_s, left = time.monotonic(), cpu_seconds(process), lag(settings)
    _await_lag(settings, process, 0)
    sample = Sample(left, time.monotonic() - began, cpu_seconds(process) - cpu_s)
    driver.stop(settings)
    return sample


def reconcile(settings: Settings) -> dict[str, Any]:
    """Raises RuntimeError where the run has lost or doubled a record: such a run does not count."""
    _, found = run_app(settings, "reconcile_offsets.py", log_name="reconcile")
    if found["unaccounted"] or found["doubled"] or found["differing_cassandra"]:
        raise RuntimeError(f"the stream was not exact, so its speed means nothing: {found}")
    return found


def lag(settings: Settings) -> int:
    """Records that the slowest query has not committed."""
    lags = lag_by_query(read_progress(settings), begin_offsets(settings), end_offsets(settings))
    return max(lags.values())


def cpu_seconds(process: psutil.Process) -> float:
    """CPU seconds of a process and its descendants, those that have ended included."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _await_lag(settings: Settings, process: psutil.Process, at_most: int) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while lag(settings) > at_most:
        if time.monotonic() > deadline or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise RuntimeError(f"the stream did not finish: see {settings.home}/logs/stream.log")
        time.sleep(_POLL_S)
