"""The streaming driver as a detached process: start or adopt it, stop it, never have two.

Used by the Airflow operator and by the command line; imports no Airflow. The process whose death ends the stream is
spark-submit's JVM, which leads a session of its own: it outlives the task that started it and every stop of Airflow.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weahouse.embedded import process
from weahouse.io.hdfs import Hdfs
from weahouse.orchestration.spark_submit import scratch_folder, spark_environment, spark_submit_command
from weahouse.schemas.render import progress_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from weahouse.settings import Settings

SERVICE = "stream"
APP = "stream_observations.py"
RUNNING, STOPPED = "running", "stopped"
# Longer than the driver's own patience with a running batch, so that it is the driver that gives up first.
GRACE_S = 130
TERM_S = 15

log = logging.getLogger(__name__)
Document = dict[str, Any]


def live_pid(settings: Settings) -> int | None:
    """The pid of this instance's driver while it lives."""
    return process.running_pid(settings.home, SERVICE)


def desired(settings: Settings) -> str:
    """What the user wants of the stream, `running` or `stopped`; a new instance's stream is to run."""
    return str(_control(Hdfs(settings), settings).get("desired", RUNNING))


def refusal(driver: Document) -> str | None:
    """Why the last driver refused to go on, where no restart mends it; None for any other end."""
    return str(driver.get("error")) if driver.get("refusal") else None


def start(settings: Settings) -> Document:
    """Want the stream running, and start or adopt its driver; see `start_or_adopt`."""
    with _lock(settings):
        return _start(settings)


def start_or_adopt(settings: Settings) -> Document:
    """The driver as {"action": started|adopted|none, "pid", "reason"}; `none` where the stream is to stay stopped.

    It is `none` too where the last driver refused to go on: `start` tries again, and a rebuild takes the reason away.
    Raises OSError when HDFS does not answer.
    """
    with _lock(settings):
        if desired(settings) == STOPPED:
            return _document("none", live_pid(settings), "the stream was stopped and stays so until it is started")
        error = refusal(Hdfs(settings).read_json(progress_path("driver.json", settings.hdfs_root)) or {})
        if error and live_pid(settings) is None:
            return _document("none", None, error)
        return _start(settings)


def stop(settings: Settings, keep_desired: bool = False) -> Document:
    """End the driver after its current batch, as {"action": stopped|terminated|killed|none, "pid", "reason"}.

    The stream then stays stopped until `start`, unless `keep_desired`: that is for a shutdown of the whole instance.
    """
    with _lock(settings):
        return _stop(settings, keep_desired)


def restart(settings: Settings) -> Document:
    """End the driver after its current batch and start another one; also starts a stopped stream."""
    with _lock(settings):
        ended = _stop(settings, keep_desired=True)
        started = _start(settings)
    return started | {"reason": f"{ended['reason']}; {started['reason']}"}


@contextmanager
def kept_away(settings: Settings) -> Iterator[int | None]:
    """Let no driver start meanwhile; gives the pid of one that lives, None where there is none."""
    with _lock(settings):
        yield live_pid(settings)


def kill(settings: Settings, pid: int) -> None:
    """End a driver that no longer answers, if it is still that one, so that the next start does not adopt it."""
    with _lock(settings):
        if live_pid(settings) == pid:
            _signal_group(pid, signal.SIGKILL)
            _gone(settings, TERM_S)


def belongs_to(pid: int | None, leader: int | None) -> bool:
    """Whether a process is one of the driver's; Python's own pid differs from the JVM's that started it."""
    if pid is None or leader is None:
        return False
    try:
        return os.getpgid(pid) == leader
    except ProcessLookupError:
        return False


def _start(settings: Settings) -> Document:
    hdfs = Hdfs(settings)
    pid = live_pid(settings)
    if pid is not None and _control(hdfs, settings).get("desired", RUNNING) == RUNNING:
        return _document("adopted", pid, f"driver {pid} is alive")
    if pid is not None:
        # It was told to stop and ends after its batch; only then may another one take over.
        _end(settings, pid, GRACE_S)
    # No driver of this instance lives now, so an old order to stop must not reach the next one. A Python that outlived
    # its JVM is killed by `process.start`: it would write beside the next driver.
    hdfs.write_json(progress_path("control.json", settings.hdfs_root), {"desired": RUNNING, "stop_epoch": 0})
    pid = process.start(_service(settings), settings.home)
    return _document("started", pid, f"no driver was alive; started {pid}")


def _stop(settings: Settings, keep_desired: bool) -> Document:
    pid = live_pid(settings)
    obeyed = _order_stop(settings, keep_desired, pid)
    if pid is None:
        return _document("none", None, "no driver was alive")
    action = _end(settings, pid, GRACE_S if obeyed else 0)
    return _document(action, pid, f"driver {pid} {action}")


def _order_stop(settings: Settings, keep_desired: bool, pid: int | None) -> bool:
    """Write the order to stop; True when a driver that reads it is at work, so that it is worth waiting for."""
    try:
        hdfs = Hdfs(settings)
        driver = hdfs.read_json(progress_path("driver.json", settings.hdfs_root)) or {}
        wanted = _control(hdfs, settings).get("desired", RUNNING) if keep_desired else STOPPED
        order = {"desired": wanted, "stop_epoch": driver.get("epoch", 0)}
        hdfs.write_json(progress_path("control.json", settings.hdfs_root), order)
    except OSError as error:
        if not keep_desired:
            raise
        log.warning("HDFS does not answer, so the driver cannot be asked to stop: %s", error)
        return False
    return belongs_to(driver.get("pid"), pid)


def _end(settings: Settings, pid: int, patience_s: float) -> str:
    if _gone(settings, patience_s):
        return "stopped"
    _signal_group(pid, signal.SIGTERM)
    if _gone(settings, TERM_S):
        return "terminated"
    _signal_group(pid, signal.SIGKILL)
    _gone(settings, TERM_S)
    return "killed"


def _service(settings: Settings) -> process.Service:
    def prepare() -> None:
        # What a killed driver left of its scratch files; the state itself is in the checkpoint.
        scratch = scratch_folder(settings, Path(APP).stem)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)

    return process.Service(
        SERVICE,
        tuple(spark_submit_command(settings, APP)),
        environment=spark_environment(settings),
        prepare=prepare,
        # Its readiness is its heartbeat, which the supervisor watches.
        ready=lambda: True,
    )


def _gone(settings: Settings, seconds: float) -> bool:
    return _wait(lambda: live_pid(settings) is None, seconds)


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.2)
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _control(hdfs: Hdfs, settings: Settings) -> Document:
    return hdfs.read_json(progress_path("control.json", settings.hdfs_root)) or {}


def _document(action: str, pid: int | None, reason: str) -> Document:
    return {"action": action, "pid": pid, "reason": reason}


@contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    """One start or stop at a time, whoever asks; released with the process that holds it."""
    path = settings.home / "run" / "stream.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
