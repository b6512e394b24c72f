"""When records become readable: two probes that look every 50 ms while a load runs.

Both tell latencies from the broker's append time, which the record carries, to the moment of the look that saw it, on
the one clock of this machine: up to 50 ms too much, plus the look itself (some milliseconds), and never too little.
"""

from __future__ import annotations

import io
import json
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

import pyarrow.parquet as pq

from weahouse.io.cassandra import shared_session
from weahouse.io.hdfs import Hdfs
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.render import path
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weahouse.settings import Settings

LOOK_EVERY_S = 0.05
_SEEN = f"SELECT observed_at, ingested_at FROM {OBSERVATIONS_BY_STATION.name} WHERE station_id = ? AND day = ? "
# Older observations than these have been seen; a day begins a little later for the probe than for the clock.
_LOOK_BACK = timedelta(seconds=60)


class Probe(ABC):
    """Looks in a thread from `with` to its end; `latencies` then are of the records appended within a window."""

    def __init__(self) -> None:
        self._ended = Event()
        self._failure: Exception | None = None
        self._thread = Thread(target=self._look_on, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    @abstractmethod
    def look(self) -> None:
        """Note what can be read now and could not before."""

    @abstractmethod
    def latencies(self, begin_s: float, end_s: float) -> list[float]:
        """Seconds from append to readable of what was appended in [begin_s, end_s), epoch seconds."""

    def _look_on(self) -> None:
        try:
            while not self._ended.is_set():
                due = time.monotonic() + LOOK_EVERY_S
                self.look()
                self._ended.wait(max(0.0, due - time.monotonic()))
        except Exception as error:
            self._failure = error


class CassandraProbe(Probe):
    """Asks the newest observations of some stations: a sample of the records, each of which is seen once."""

    def __init__(self, settings: Settings, stations: Sequence[str]) -> None:
        super().__init__()
        self._session = shared_session(settings)
        self._newer = self._session.prepare(f"{_SEEN} AND observed_at > ?")
        self._newest = dict.fromkeys(stations, datetime.now(UTC).replace(tzinfo=None))
        self._seen: list[tuple[float, float]] = []

    def look(self) -> None:
        now = datetime.now(UTC)
        days = {(now - _LOOK_BACK).date(), now.date()}
        asked = [
            (station, self._session.execute_async(self._newer, (station, day, newest)))
            for station, newest in self._newest.items()
            for day in days
        ]
        answers = [(station, answer.result().all()) for station, answer in asked]
        seen_s = time.time()
        for station, found in answers:
            for row in found:
                self._newest[station] = max(self._newest[station], row["observed_at"])
                self._seen.append((row["ingested_at"].replace(tzinfo=UTC).timestamp(), seen_s))

    def latencies(self, begin_s: float, end_s: float) -> list[float]:
        return [seen - appended for appended, seen in self._seen if begin_s <= appended < end_s]


class CuratedProbe(Probe):
    """Waits for the next version of the Delta log; which records it brought is read from its files afterwards.

    Every record counts. A commit that rewrote files would bring old records once more; the load has no corrections.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._hdfs = Hdfs(settings)
        self._table = path(CURATED_OBSERVATIONS, settings.hdfs_root)
        names = self._hdfs.list(f"{self._table}/_delta_log")
        self._version = max(int(name[:20]) for name in names if name.endswith(".json"))
        self._seen: list[tuple[int, float]] = []

    def look(self) -> None:
        while self._hdfs.exists(self._log(self._version + 1)):
            self._version += 1
            self._seen.append((self._version, time.time()))

    def latencies(self, begin_s: float, end_s: float) -> list[float]:
        return [
            seen - appended
            for version, seen in self._seen
            for appended in self._appended(version)
            if begin_s <= appended < end_s
        ]

    def _log(self, version: int) -> str:
        return f"{self._table}/_delta_log/{version:020}.json"

    def _appended(self, version: int) -> list[float]:
        """When the records that a version brought were appended, in epoch seconds."""
        actions = [json.loads(line) for line in (self._hdfs.read_text(self._log(version)) or "").splitlines()]
        files = [unquote(action["add"]["path"]) for action in actions if "add" in action]
        appended: list[float] = []
        for file in files:
            content = io.BytesIO(self._hdfs.read_bytes(f"{self._table}/{file}") or b"")
            times = pq.read_table(content, columns=["ingested_at"])["ingested_at"]
            appended += [moment.timestamp() for moment in times.to_pylist()]
        return appended
