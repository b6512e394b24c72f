"""What status and the supervisor read: a heartbeat of the driver and a document per query, on HDFS."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from weahouse.schemas.datasets import QUERIES
from weahouse.schemas.render import progress_path
from weahouse.streaming.checkpoint import read_checkpoint

if TYPE_CHECKING:
    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings
    from weahouse.streaming.run import Run

log = logging.getLogger("weahouse.stream")

HEARTBEAT_S = 5.0
# The driver's loop turns twice a second and is held up by a second merge of a batch. When it stands for this long
# without waiting for a server, the JVM is frozen, and a heart that went on beating would hide it.
_STANDSTILL_S = 120.0


class Heartbeat:
    """A thread that says every five seconds that the driver lives, in which state, and what it waits for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._started_at = _now()
        self._ended = Event()
        self._turned_at = time.monotonic()
        self.state = "starting"
        self.error: str | None = None
        self.refusal: str | None = None
        self._thread = Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._publish()
        self._thread.start()

    def set(self, state: str, error: str | None = None, refusal: str | None = None) -> None:
        """Change the state and say so at once; `refusal` names the reason that no restart mends."""
        self.state, self.error, self.refusal = state, error, refusal
        self._publish()

    def turn(self) -> None:
        """Say that the driver's loop goes round."""
        self._turned_at = time.monotonic()

    def end(self) -> None:
        self._ended.set()
        self._thread.join(timeout=HEARTBEAT_S)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            if self._run.waiting_on or time.monotonic() - self._turned_at < _STANDSTILL_S:
                self._publish()

    def _publish(self) -> None:
        document = {
            "epoch": self._run.epoch,
            # spark-submit's JVM is this interpreter's parent, and its death ends the stream.
            "pid": os.getppid(),
            "host": socket.gethostname(),
            "state": self.state,
            "started_at": self._started_at,
            "heartbeat_at": _now(),
            "waiting_on": self._run.waiting_on,
            "error": self.error,
            "refusal": self.refusal,
        }
        try:
            self._run.hdfs.write_json(progress_path("driver.json", self._run.settings.hdfs_root), document)
        except OSError as error:
            # A NameNode that is away comes back; the next beat tries again.
            log.warning("the heartbeat could not be written: %s", error)


def document(run: Run, query: str, progress: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    """A query's progress document from Spark's progress of its last committed batch and our counts of it."""
    source = progress["sources"][0]
    end = source.get("endOffset") or {}
    state = progress["stateOperators"][0] if progress.get("stateOperators") else {}
    return {
        "query": query,
        "epoch": run.epoch,
        "batch_id": progress["batchId"],
        "committed_offsets": end.get(run.settings.observations_topic, {}),
        "watermark": progress.get("eventTime", {}).get("watermark"),
        "last_batch_at": progress["timestamp"],
        "rows_in": progress["numInputRows"],
        "duration_s": progress["durationMs"].get("triggerExecution", 0) / 1000,
        "phases_s": {phase: ms / 1000 for phase, ms in progress["durationMs"].items()},
        "repeats_removed": state.get("customMetrics", {}).get("numDroppedDuplicateRows", 0),
        "dropped_by_watermark": state.get("numRowsDroppedByWatermark", 0),
        "waiting_on": run.waiting_on,
        **counts,
    }


def committed_by_all(hdfs: Hdfs, root: str) -> dict[int, int]:
    """By partition, the offset before which every query has committed; empty where one has committed nothing yet."""
    told = [
        (hdfs.read_json(progress_path(f"{query}.json", root)) or {}).get("committed_offsets") or {} for query in QUERIES
    ]
    partitions = set.intersection(*(set(offsets) for offsets in told))
    return {int(partition): min(offsets[partition] for offsets in told) for partition in partitions}


def tell_committed(hdfs: Hdfs, settings: Settings, query: str, **more: Any) -> None:
    """Publish a query's last committed batch: a driver may die before it has told, and an idle query never does."""
    checkpoint = read_checkpoint(hdfs, settings, query)
    if checkpoint is None or checkpoint.batch_id < 0:
        return
    place = progress_path(f"{query}.json", settings.hdfs_root)
    last = hdfs.read_json(place) or {}
    offsets = {str(partition): offset for partition, offset in checkpoint.offsets.items()}
    told = {"query": query, "batch_id": checkpoint.batch_id, "committed_offsets": offsets, **more}
    if told != {name: last.get(name) for name in told}:
        hdfs.write_json(place, {**last, **told})


def _now() -> str:
    return datetime.now(UTC).isoformat()
