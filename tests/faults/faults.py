"""The faults by name. Each strikes a stream while records are sent, and returns when what it took away is back."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.bed import SENDING_S, send_all
from tests.faults.schedule import KILLED_AT, RECOVERABLE, REFUSING
from tests.integration.conftest import eventually
from tests.rows import event
from weahouse.orchestration import driver
from weahouse.orchestration.status import belongs_to, stream_status
from weahouse.schemas.render import checkpoint_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.faults.bed import Bed
    from tests.faults.load import Record

PAUSED_S = 30.0
# Long enough that batches meet the outage, short enough for five minutes a seed.
AWAY_S = 8.0
_HIT_WITHIN_S = 120.0
LOST_RECORDS = 50
_REFUSED_WITHIN_S = 150.0
_WAY_OUT = "weahouse stream rebuild"


class FaultError(AssertionError):
    """A fault did not do what it should; `name` is that of the violation."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(f"{name}: {detail}")
        self.name, self.detail = name, detail


def strike(bed: Bed, fault: str, after_s: float) -> None:
    """Strike a recoverable fault, so many seconds from now where it is not bound to a point."""
    if fault in KILLED_AT:
        _await_kill(bed, KILLED_AT[fault])
    else:
        time.sleep(after_s)
        _STRIKES[fault](bed)


def _await_kill(bed: Bed, point: str) -> None:
    """A point is armed before the records come; see `Bed.arm`."""
    try:
        pid = eventually(lambda: bed.struck_pid(point), "a hit", _HIT_WITHIN_S)
    except AssertionError:
        bed.kill_at.unlink(missing_ok=True)
        raise FaultError("point_not_hit", f"no driver reached {point} within {_HIT_WITHIN_S:.0f} s") from None
    eventually(lambda: driver.live_pid(bed.settings) != pid, "the end of the killed driver", 10)
    if pid not in bed.hits(point):
        raise FaultError("point_not_hit", f"the log does not tell that driver {pid} was killed at {point}")


def _terminated(bed: Bed) -> None:
    pid = bed.live_pid()
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: driver.live_pid(bed.settings) != pid, "the end of the terminated driver", 60)


def _two_drivers(bed: Bed) -> None:
    """Another instance starts a driver on the same checkpoint; ours is replaced too, and the last to come stays."""
    first = bed.live_pid()
    rival = replace(bed.settings, home=bed.settings.home / "rival")
    pid = driver.start(rival)["pid"]
    try:
        eventually(lambda: belongs_to(_progress(bed).get("pid"), pid), "the rival's epoch", 120)
        eventually(lambda: driver.live_pid(bed.settings) != first, "the end of the first driver", 120)
        eventually(lambda: driver.live_pid(rival) is None, "the end of the rival", 180)
    finally:
        if driver.live_pid(rival) is not None:
            driver.kill(rival, pid)


def _progress(bed: Bed) -> driver.Document:
    with suppress(OSError):
        return bed.stream.progress("driver")
    return {}


def _worker_killed(bed: Bed) -> None:
    """Kill every worker of the driver's Python daemon, and wait until it has made new ones."""
    before = eventually(lambda: _workers(bed.live_pid()), "a Python worker", 120)
    for pid in before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: _workers(bed.live_pid()) - before, "another Python worker", 120)


def _workers(jvm: int) -> set[int]:
    """The processes that a driver's daemon has forked; the daemon leaves the driver's process group."""
    parents = {pid: _parent(pid) for pid in _pids() if "pyspark.worker" in _file(pid, "cmdline")}
    daemons = {pid for pid, parent in parents.items() if parent == jvm}
    return {pid for pid, parent in parents.items() if parent in daemons}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _parent(pid: int) -> int:
    fields = _file(pid, "stat").rpartition(")")[2].split()
    return int(fields[1]) if fields else 0


def _file(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def _safe_mode(bed: Bed) -> None:
    bed.hdfs_admin("-safemode", "enter")
    try:
        time.sleep(AWAY_S)
    finally:
        bed.hdfs_admin("-safemode", "leave")


def _quota_exceeded(bed: Bed) -> None:
    # Less than the block of 128 MiB that any new file asks for first.
    bed.hdfs_admin("-setSpaceQuota", "1m", bed.settings.hdfs_root)
    try:
        time.sleep(AWAY_S)
    finally:
        bed.hdfs_admin("-clrSpaceQuota", bed.settings.hdfs_root)


_STRIKES: dict[str, Callable[[Bed], None]] = {
    "terminated": _terminated,
    "two_drivers": _two_drivers,
    "worker_killed": _worker_killed,
    "safe_mode": _safe_mode,
    "quota_exceeded": _quota_exceeded,
    "cassandra_killed": lambda bed: bed.kill_server("cassandra", AWAY_S),
    "cassandra_paused": lambda bed: bed.pause_server("cassandra", PAUSED_S),
    "kafka_killed": lambda bed: bed.kill_server("kafka", AWAY_S),
    "kafka_paused": lambda bed: bed.pause_server("kafka", PAUSED_S),
    "datanode_killed": lambda bed: bed.kill_server("datanode", AWAY_S),
}
assert {*KILLED_AT, *_STRIKES} == {*RECOVERABLE}


def ruin(bed: Bed, fault: str, records: Sequence[Record]) -> None:
    """Strike a refusing fault while records are sent; wait until the stream has ended with the error that names it."""
    kind, error = _RUINS[fault]
    kind(bed, records)

    def refused() -> bool:
        return driver.live_pid(bed.settings) is None and bool(_progress(bed).get("refusal"))

    try:
        eventually(refused, "a refusal", _REFUSED_WITHIN_S)
    except AssertionError:
        raise FaultError("not_refused", f"{fault} did not end the stream: {stream_status(bed.settings)}") from None
    found = stream_status(bed.settings)
    if found["state"] != "failed" or not found["error"].startswith(f"{error}: ") or _WAY_OUT not in found["error"]:
        raise FaultError("refused_without_name", f"after {fault} the status is {found}")


def rebuild(bed: Bed) -> None:
    """The documented way out; the supervisor starts the stream again."""
    done = bed.stream.weahouse("stream", "rebuild", "--yes")
    if done.returncode:
        raise FaultError("not_rebuilt", done.stdout + done.stderr)


def _topic_recreated(bed: Bed, records: Sequence[Record]) -> None:
    bed.settle()
    bed.stream.recreate_topic()
    with bed.sending(records):
        pass


def _offsets_expired(bed: Bed, records: Sequence[Record]) -> None:
    bed.settle()
    unread = [(f"lost-{n}", event(station_id=f"lost-{n}")) for n in range(LOST_RECORDS)]
    with bed.supervisor.held():
        _kill(bed)
        bed.lost += send_all(bed.settings, unread, 0.0)
        bed.stream.expire()
        with bed.sending(records):
            pass


def _checkpoint_damaged(bed: Bed, records: Sequence[Record], query: str) -> None:
    with bed.sending(records):
        time.sleep(SENDING_S / 2)
        with bed.supervisor.held():
            _kill(bed)
            bed.stream.hdfs.delete(f"{checkpoint_path(query, bed.settings.hdfs_root)}/offsets")


def _kill(bed: Bed) -> None:
    # One that died meanwhile is not replaced while the supervisor is held.
    pid = driver.live_pid(bed.settings)
    if pid is not None:
        driver.kill(bed.settings, pid)


_RUINS: dict[str, tuple[Callable[[Bed, Sequence[Record]], None], str]] = {
    "topic_recreated": (_topic_recreated, "TopicRecreatedError"),
    "offsets_expired": (_offsets_expired, "OffsetsExpiredError"),
    "archive_checkpoint_damaged": (partial(_checkpoint_damaged, query="archive"), "CheckpointDamagedError"),
    "observations_checkpoint_damaged": (partial(_checkpoint_damaged, query="observations"), "CheckpointDamagedError"),
}
assert {*_RUINS} == {*REFUSING}
