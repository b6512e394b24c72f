"""The running stream, and what a test needs to send to it and to see what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from weahouse.io import cassandra, lake
from weahouse.io.kafka import begin_offsets, end_offsets
from weahouse.orchestration import driver
from weahouse.orchestration.status import lag_by_query, read_progress, stream_status
from weahouse.settings import Settings
from weahouse.sources.producer import Sender
from weahouse.sources.records import Record

# A driver starts in 20 s and does its first, cold batch in as much again, on an idle machine.
PATIENCE_S = 900.0


def eventually(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_S, every_s: float = 0.3) -> Any:
    """Wait until the condition gives something true, and give it back."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(every_s)
    raise AssertionError(f"{what} did not come true within {seconds:.0f} s")


@dataclass
class Stream:
    """The platform with its driver."""

    settings: Settings

    def start(self) -> int:
        """Start the driver, or adopt the one that runs, and wait until it runs; returns its pid."""
        driver.start(self.settings)
        found = eventually(self._running, "a running stream")
        return int(found["pid"])

    def send(self, *records: tuple[str | None, bytes | None] | bytes) -> None:
        """Send values, or (key, value) pairs, and wait until the broker has them all."""
        sender = Sender(self.settings)
        for record in records:
            key, value = record if isinstance(record, tuple) else ("key", record)
            sender.send(Record(0, None if key is None else key.encode(), value))
        assert sender.flush() == 0
        assert sender.refusals == []

    def settle(self) -> None:
        """Wait until every query has committed every record."""
        eventually(lambda: self.lag() == 0, "a lag of 0")

    def lake(self, sql: str) -> list[dict[str, Any]]:
        return lake.rows(lake.query(self.settings, sql))

    def served(self, cql: str, *parameters: object) -> list[dict[str, Any]]:
        return list(cassandra.rows(self.settings, cql, parameters))

    def progress(self, name: str) -> dict[str, Any]:
        return dict(read_progress(self.settings)[name])

    def lag(self) -> int:
        """Records that the slowest query has not committed."""
        lags = lag_by_query(read_progress(self.settings), begin_offsets(self.settings), end_offsets(self.settings))
        return max(lags.values())

    def _running(self) -> dict[str, Any] | None:
        found = stream_status(self.settings)
        return found if found["state"] in ("running", "unsupervised") else None


@pytest.fixture(scope="session")
def running(platform: Settings) -> Iterator[Stream]:
    stream = Stream(platform)
    stream.start()
    yield stream
    driver.stop(platform, keep_desired=True)


@pytest.fixture
def stream(running: Stream) -> Stream:
    """The running stream, started again where the test before has ended it."""
    running.start()
    return running
