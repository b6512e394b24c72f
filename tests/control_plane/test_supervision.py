"""Airflow's four processes and the stream on real servers: who starts it, who leaves it alone, who ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.control_plane.dag_runs import DagRun, ask
from tests.integration.conftest import eventually
from weahouse.embedded import airflow, process
from weahouse.embedded.instance import start_all
from weahouse.orchestration import driver, rest
from weahouse.orchestration.status import SUPERVISOR, stream_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.settings import Settings

# A driver starts in 20 s on an idle machine; the tests of others may run beside these.
PATIENCE_S = 240.0
wait_for = partial(eventually, seconds=PATIENCE_S)


@pytest.fixture(scope="module")
def supervised(control_plane: Settings) -> Iterator[Settings]:
    """The platform with Airflow and a stream that its Dag has started."""
    # Another module's driver would be adopted, and the state be "running" before the Dag has its first run.
    driver.stop(control_plane, keep_desired=True)
    rest.unpause(control_plane, SUPERVISOR)
    wait_for_state(control_plane, "running")
    yield control_plane
    # A supervisor that is still at work does not start a driver again that is not desired.
    driver.stop(control_plane)


def trigger(settings: Settings, conf: dict[str, object]) -> DagRun:
    return DagRun.trigger(settings, SUPERVISOR, conf)


def wait_for_state(settings: Settings, wanted: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        found = stream_status(settings)
        return found if found["state"] == wanted else None

    found: dict[str, Any] = wait_for(reached, f"the state {wanted}")
    return found


def test_a_killed_driver_is_restarted_and_the_reason_is_in_the_task_log(supervised: Settings) -> None:
    before = stream_status(supervised)
    (found,) = ask(supervised, "GET", f"dags/{SUPERVISOR}/dagRuns?state=running")["dag_runs"]
    run = DagRun(supervised, SUPERVISOR, found["dag_run_id"])
    os.kill(before["pid"], signal.SIGKILL)
    wait_for(lambda: driver.live_pid(supervised) not in (None, before["pid"]), "another driver")
    after = wait_for_state(supervised, "running")
    assert after["epoch"] == before["epoch"] + 1
    assert "the driver is gone" in run.log("watch_stream")
    assert "the driver is gone" in run.told()["note"]


def test_pausing_ends_supervision_and_not_the_stream(supervised: Settings) -> None:
    pid = stream_status(supervised)["pid"]
    ask(supervised, "PATCH", f"dags/{SUPERVISOR}", {"is_paused": True})
    try:
        assert wait_for_state(supervised, "unsupervised")["pid"] == pid
    finally:
        rest.unpause(supervised, SUPERVISOR)
    assert wait_for_state(supervised, "running")["pid"] == pid


def test_a_restart_of_airflow_leaves_the_stream_alone(supervised: Settings) -> None:
    before = stream_status(supervised)
    pids = {name: process.running_pid(supervised.home, name) for name in airflow.COMPONENT_OF}
    for pid in pids.values():
        assert pid is not None
        os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: not any(process.running_pid(supervised.home, name) for name in pids), "the end of Airflow")
    assert wait_for_state(supervised, "unsupervised")["pid"] == before["pid"]
    start_all(supervised, airflow.services(supervised), print)
    after = wait_for_state(supervised, "running")
    assert (after["pid"], after["epoch"]) == (before["pid"], before["epoch"])


def test_an_unknown_parameter_fails_its_run_by_name_and_the_stream_goes_on(supervised: Settings) -> None:
    pid = stream_status(supervised)["pid"]
    run = trigger(supervised, {"halt": True})
    run.await_state("failed")
    assert "unknown parameters halt" in run.log("start_stream")
    assert stream_status(supervised)["pid"] == pid


def test_the_parameter_stop_ends_the_stream_and_it_stays_stopped_until_started(supervised: Settings) -> None:
    run = trigger(supervised, {"stop": True})
    wait_for_state(supervised, "stopped")
    wait_for(lambda: "stopped: pid" in run.log("start_stream"), "a graceful end in the task log")
    # Several looks of the watch and the start of another run.
    time.sleep(15)
    assert stream_status(supervised)["state"] == "stopped"
    driver.start(supervised)
    wait_for_state(supervised, "running")


def test_two_starts_at_once_are_one_driver(supervised: Settings) -> None:
    driver.stop(supervised)
    command = (sys.executable, "-c", "from weahouse.cli import main; main()", "stream", "start")
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = sorted(start.communicate()[0].partition(":")[0] for start in starts)
    # The supervisor may have been first.
    assert told in (["adopted"] * 2 + ["started"], ["adopted"] * 3)
    wait_for_state(supervised, "running")
    drivers = [line for line in command_lines() if is_driver_of(supervised, line)]
    assert len(drivers) == 1


def command_lines() -> Iterator[str]:
    for running in psutil.process_iter():
        with suppress(psutil.Error):
            yield " ".join(running.cmdline())


def is_driver_of(settings: Settings, line: str) -> bool:
    return "org.apache.spark.deploy.SparkSubmit" in line and f"{settings.home}/spark/stream_observations" in line
