"""The observations query: exact repeats removed in its state, then every batch merged into Curated and Cassandra.

The removal is an economy and never the judge. Two cases in which it would be wrong are found in the progress of a
batch, and that batch's offsets are merged again without it: rows that the watermark dropped (partitions read far
apart), and a reading that returned to an earlier version (A, B, A), whose last record looks like a repeat of the first.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from weahouse.schemas.datasets import REPEAT_KEY
from weahouse.schemas.render import checkpoint_path
from weahouse.streaming.fault_points import OBSERVATIONS_PLANNED, OBSERVATIONS_WRITTEN, reached
from weahouse.streaming.identity import as_starting_offsets
from weahouse.streaming.source import read_range
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import CORRECTION, NEW, RESTORED, WRITTEN
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.qc.rules import Rules
    from weahouse.streaming.registry import Registry
    from weahouse.streaming.run import Run
    from weahouse.streaming.source import Offsets

log = logging.getLogger("weahouse.stream")

# The topic has more partitions than a machine has cores for its tasks.
_TASKS_OF_A_READ = 2


def without_exact_repeats(rows: DataFrame, horizon: timedelta) -> DataFrame:
    """Remove repeats of (key, payload) that come within the horizon of broker time; streaming only."""
    marked = rows.withWatermark("ingested_at", f"{horizon.total_seconds():g} seconds")
    return marked.dropDuplicatesWithinWatermark([*REPEAT_KEY])


@dataclass
class ObservationsQuery:
    """The state between batches: when records last contradicted each other, and what is to be merged again."""

    run: Run
    rules: Rules
    registry: Registry
    last_contested_at: datetime | None = None
    # The first batch may be one that another driver wrote in part.
    _changes: tuple[str, ...] = RESTORED
    _lock: Lock = field(default_factory=Lock)

    def transform(self, records: DataFrame) -> DataFrame:
        """Records as observations without exact repeats."""
        settings = self.run.settings
        few = records.coalesce(_TASKS_OF_A_READ)
        return without_exact_repeats(observations(parse(few), settings.lateness), settings.repeat_horizon)

    def batch(self, rows: DataFrame, batch_id: int) -> None:
        """One micro-batch into the tables."""
        self.run.before_batch()
        reached(OBSERVATIONS_PLANNED)
        with self._lock:
            counts = upsert(self.run, rows, self.rules, self.registry, self._changes)
            self._changes = WRITTEN
            self.run.placement.suit(rows.sparkSession)
        reached(OBSERVATIONS_WRITTEN)
        self.run.counts["observations"][batch_id] = counts

    def settle(self, spark: SparkSession, progress: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
        """Look at a committed batch's progress, merge its offsets again where the removal may have been wrong.

        Returns what the second merge counted, empty where none was needed.
        """
        if counts.get("contested"):
            self.last_contested_at = datetime.fromisoformat(progress["timestamp"])
        if not must_merge_again(progress, self.last_contested_at, self.run.settings.repeat_horizon):
            return {}
        source = progress["sources"][0]
        # The batch was committed, so what the table holds of it has been served too.
        return self._merge_again(
            spark, _offsets(source["startOffset"]), _offsets(source["endOffset"]), (NEW, CORRECTION)
        )

    def _merge_again(
        self, spark: SparkSession, start: Offsets, end: Offsets, changes: tuple[str, ...]
    ) -> dict[str, Any]:
        """Merge a range of offsets without removal of repeats; an empty `start` is where the stream began."""
        assert self.run.identity is not None
        start = start or as_starting_offsets(self.run.identity)
        log.info("merging offsets again, from %s to %s", start, end)
        records = read_range(spark, self.run.settings, start, end)
        rows = observations(parse(records), self.run.settings.lateness)
        with self._lock:
            return upsert(self.run, rows, self.rules, self.registry, changes)

    def settle_unpublished(self, spark: SparkSession, settled_batch: int) -> int:
        """Merge again what was committed but never settled, because a driver died between; returns the last batch."""
        committed = self._committed_batches()
        for batch_id in (batch for batch in committed if batch > settled_batch):
            # The driver may have died within a second merge, after Curated and before Cassandra: all is served again.
            counts = self._merge_again(spark, self.planned(batch_id - 1), self.planned(batch_id), RESTORED)
            if counts.get("contested"):
                self.last_contested_at = datetime.now(UTC)
        return max([settled_batch, *committed])

    def _committed_batches(self) -> list[int]:
        names = self.run.hdfs.list(f"{self._checkpoint}/commits")
        return sorted(int(name) for name in names if name.isdigit())

    def planned(self, batch_id: int) -> Offsets:
        """The end offsets of a batch as its checkpoint planned them; empty before the first."""
        text = self.run.hdfs.read_text(f"{self._checkpoint}/offsets/{batch_id}")
        return json.loads(text.splitlines()[2]) if text else {}

    @property
    def _checkpoint(self) -> str:
        return checkpoint_path("observations", self.run.settings.hdfs_root)


def must_merge_again(progress: dict[str, Any], last_contested_at: datetime | None, horizon: timedelta) -> bool:
    """Whether the removal of repeats may have removed a record that it must not; see the top of this module."""
    state = progress["stateOperators"][0] if progress["stateOperators"] else {}
    if state.get("numRowsDroppedByWatermark", 0):
        return True
    repeats = state.get("customMetrics", {}).get("numDroppedDuplicateRows", 0)
    watermark = progress.get("eventTime", {}).get("watermark")
    if not repeats or not watermark or last_contested_at is None:
        return False
    # The state forgets a record when the watermark passes its append time by one horizon more.
    return last_contested_at >= datetime.fromisoformat(watermark) - horizon


def _offsets(given: Any) -> Offsets:
    return json.loads(given) if isinstance(given, str) else given or {}
