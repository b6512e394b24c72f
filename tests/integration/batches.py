"""Batches through `upsert` without a driver, and Raw as the archive would have it beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.rows import LATENESS, records

from weahouse.io.delta import append_once
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS
from weahouse.streaming.fencing import TableLease, take_epoch
from weahouse.streaming.registry import Registry
from weahouse.streaming.run import Run
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import WRITTEN
from weahouse.transforms.parse import ingest_hour, observations, parse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from tests.integration.apart import Apart


class Batches:
    """One driver's batches; each is appended a second after the one before."""

    def __init__(self, spark: SparkSession, stream: Apart, lease: Any = None) -> None:
        settings = stream.settings
        self._spark, self._sent = spark, 0
        epoch = take_epoch(stream.hdfs, settings.hdfs_root)
        lease = lease or TableLease(stream.hdfs, settings.hdfs_root, CURATED_OBSERVATIONS, "stream", epoch)
        self.run = Run(settings, stream.hdfs, epoch, lease)
        self._registry = Registry(settings, stream.hdfs)

    def send(
        self, *events: bytes, changes: tuple[str, ...] = WRITTEN, appended_at: datetime | None = None
    ) -> dict[str, Any]:
        self._sent += 1
        appended_at = appended_at or datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=self._sent)
        rows = observations(parse(records(self._spark, *events, appended_at=appended_at)), LATENESS)
        return upsert(self.run, rows, load_rules(), self._registry, changes)

    def archive(self, *events: bytes, appended_at: datetime) -> dict[str, Any]:
        """The same, with the records in Raw too, in one file."""
        raw = records(self._spark, *events, appended_at=appended_at).withColumn("ingest_hour", ingest_hour())
        append_once(raw.coalesce(1), self.run.settings, RAW_OBSERVATIONS, "test", self._sent)
        return self.send(*events, appended_at=appended_at)
