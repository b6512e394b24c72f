"""The stream that faults strike: its supervisor, the sender that keeps account, and its servers one by one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import traceback
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import KafkaException

from tests.integration.apart import Apart, apart
from tests.integration.conftest import eventually
from weahouse.embedded import process, servers
from weahouse.embedded.config import conf_folder
from weahouse.embedded.java import java_home
from weahouse.io import kafka
from weahouse.orchestration import driver
from weahouse.orchestration.status import read_progress, stream_status
from weahouse.orchestration.supervision import Look, Watch
from weahouse.streaming.fault_points import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.faults.load import Record
    from weahouse.settings import Settings

# A chunk is sent in so many seconds, which is several batches: faults find some done and some to do.
SENDING_S = 5.0
# The promise: after the last fault nothing waits any more within two minutes.
SETTLED_WITHIN_S = 120.0
# Longer than the longest outage and the broker's way back.
_DELIVERED_WITHIN_S = 180
_RECOVERED_WITHIN_S = 180.0
_LOOK_EVERY_S = 1.0
# Airflow waits up to minutes; here only so long that a driver which dies at once does not keep a core busy.
_BACK_OFF_S = 3.0


class Acknowledged(NamedTuple):
    """A record that the broker has acknowledged; `at_ms` is its append time."""

    partition: int
    offset: int
    at_ms: int
    value: bytes


class Supervisor(Thread):
    """Airflow's part: whenever the stream must be restarted, by the judgement and the functions of the operator."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="supervisor", daemon=True)
        self._settings = settings
        self._watch = Watch()
        self._ended = Event()
        self._held = Event()

    def run(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_S):
            try:
                if not self._held.is_set() and self._look():
                    self._ended.wait(_BACK_OFF_S)
            except (OSError, process.EmbeddedError):
                # Servers that are away are waited for, as the trigger does.
                continue
            except Exception:
                # Airflow's task would fail here, and be tried again.
                traceback.print_exc()

    def end(self) -> None:
        self._ended.set()
        self.join()

    @contextmanager
    def held(self) -> Iterator[None]:
        """No driver is started meanwhile."""
        self._held.set()
        try:
            yield
        finally:
            self._held.clear()

    def _look(self) -> bool:
        pid, home = driver.live_pid(self._settings), self._settings.home
        started = process.pid_file(home, driver.SERVICE)
        age_s = time.time() - started.stat().st_mtime if started.exists() else 0.0
        look = Look(read_progress(self._settings), pid, age_s, {}, datetime.now(UTC))
        if self._watch.why_restart(look) is None:
            return False
        if pid is not None:
            driver.kill(self._settings, pid)
        return bool(driver.start_or_adopt(self._settings)["action"] == "started")


@dataclass
class Bed:
    """The stream, what was acknowledged of the current seed, and what is known to be lost of it."""

    stream: Apart
    # Whose servers they are.
    platform: Settings
    supervisor: Supervisor
    settled_within_s: float
    acknowledged: list[Acknowledged] = field(default_factory=list)
    lost: list[Acknowledged] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.stream.settings

    @property
    def kill_at(self) -> Path:
        return self.settings.home / "kill_at"

    @property
    def log(self) -> Path:
        return process.log_file(self.settings.home, driver.SERVICE)

    def arm(self, point: str) -> None:
        """Have the next driver that reaches the point killed there."""
        draft = self.kill_at.with_suffix(".draft")
        draft.write_text(point)
        draft.replace(self.kill_at)

    def struck_pid(self, point: str) -> int | None:
        """The pid of the driver that has reached the armed point; None before."""
        named, _, pid = self.kill_at.read_text().partition(" ")
        return int(pid) if named == point and pid else None

    def hits(self, point: str) -> list[int]:
        """The pids of the drivers that were killed at the point, as the log tells."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return [int(pid) for pid in re.findall(rf"fault point {point} is reached: driver (\d+) is killed", text)]

    def live_pid(self) -> int:
        """The pid of the driver, waited for where it is being replaced."""
        return int(eventually(lambda: driver.live_pid(self.settings), "a driver", _RECOVERED_WITHIN_S))

    def await_running(self) -> None:
        """Wait until the living driver says that its queries run."""

        def runs() -> bool:
            with suppress(OSError):
                return stream_status(self.settings)["state"] in ("running", "unsupervised")
            return False

        eventually(runs, "a running stream after a fault", _RECOVERED_WITHIN_S)

    def settle(self) -> float:
        """Wait until every query has committed every record; the seconds that it took. Raises AssertionError."""
        began = time.monotonic()

        def is_settled() -> bool:
            # A broker that has just come back refuses in other words than one that is away.
            with suppress(OSError, kafka.KafkaError, KafkaException):
                return self.stream.lag() == 0
            return False

        eventually(is_settled, "a lag of 0", self.settled_within_s)
        return time.monotonic() - began

    @contextmanager
    def sending(self, records: Sequence[Record]) -> Iterator[None]:
        """Send records in the course of some seconds, beside what is done here; at the end all are acknowledged."""
        failed: list[BaseException] = []

        def send() -> None:
            try:
                self.acknowledged += send_all(self.settings, records, SENDING_S)
            except BaseException as error:
                failed.append(error)

        sender = Thread(target=send, name="sender")
        sender.start()
        try:
            yield
        finally:
            sender.join()
        if failed:
            raise failed[0]

    def service(self, name: str) -> process.Service:
        return next(service for service in servers.services(self.platform) if service.name == name)

    def signal_server(self, name: str, number: signal.Signals) -> None:
        pid = process.running_pid(self.platform.home, name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, number)

    def kill_server(self, name: str, away_s: float) -> None:
        """Kill a server and start it again after some seconds."""
        self.signal_server(name, signal.SIGKILL)
        eventually(lambda: process.running_pid(self.platform.home, name) is None, f"the end of {name}", 10)
        time.sleep(away_s)
        process.start(self.service(name), self.platform.home)

    def pause_server(self, name: str, seconds: float) -> None:
        self.signal_server(name, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            self.signal_server(name, signal.SIGCONT)

    def hdfs_admin(self, *arguments: str) -> None:
        hdfs_admin(self.platform, *arguments)


def hdfs_admin(platform: Settings, *arguments: str) -> None:
    """Run Hadoop's own administration tool."""
    tool = ("org.apache.hadoop.hdfs.tools.DFSAdmin", *arguments)
    command = [str(java_home() / "bin" / "java"), f"@{conf_folder(platform, 'hdfs')}/jvm.options", *tool]
    run = subprocess.run(command, cwd=platform.home, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def send_all(settings: Settings, records: Sequence[Record], seconds: float) -> list[Acknowledged]:
    """Send records evenly over some seconds; what was acknowledged. Raises where a record was refused."""
    told: list[Acknowledged] = []
    refused: list[str] = []

    def delivered(error: object, message: object) -> None:
        if error is not None:
            refused.append(str(error))
        else:
            told.append(Acknowledged(message.partition(), message.offset(), message.timestamp()[1], message.value()))

    within = {"message.timeout.ms": _DELIVERED_WITHIN_S * 1000, "log_level": 2}
    producer = kafka.producer(settings, **within)
    began = time.monotonic()
    for number, (key, value) in enumerate(records):
        ahead = number / len(records) * seconds - (time.monotonic() - began)
        producer.poll(max(0.0, ahead))
        producer.produce(settings.observations_topic, value, key.encode(), on_delivery=delivered)
    producer.flush()
    assert not refused, f"{len(refused)} records were refused: {refused[0]}"
    assert len(told) == len(records)
    return told


@contextmanager
def bed(platform: Settings, name: str, settled_within_s: float = SETTLED_WITHIN_S) -> Iterator[Bed]:
    """A stream of its own under a supervisor, started."""
    stream = apart(platform, name)
    made = Bed(stream, platform, Supervisor(stream.settings), settled_within_s)
    stream.settings.home.mkdir(parents=True, exist_ok=True)
    made.kill_at.unlink(missing_ok=True)
    # Drivers inherit it; without the file it does nothing.
    os.environ[ENVIRONMENT] = str(made.kill_at)
    made.supervisor.start()
    try:
        yield made
    finally:
        made.supervisor.end()
        os.environ.pop(ENVIRONMENT, None)
        pid = driver.live_pid(stream.settings)
        if pid is not None:
            driver.kill(stream.settings, pid)
