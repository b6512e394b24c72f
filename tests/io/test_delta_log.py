"""A Delta log over more than a week of commits, in proportion: the log's own clearing keeps it bounded."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import delta.tables
import deltalake
import pytest
from pyspark.sql import SparkSession

from weahouse.io.delta import CHECKPOINT_INTERVAL, LOG_RETENTION_DAYS, PROPERTIES
from weahouse.streaming.bounds import log_entries

# Each of them clears the log once, as a commit in so many does at any pace.
COMMITS_PER_DAY = CHECKPOINT_INTERVAL
DAYS = LOG_RETENTION_DAYS + 4


class Table:
    """A table with the stream's properties, of whose commits only those with a checkpoint are made by its writer."""

    def __init__(self, spark: SparkSession, folder: Path, *, by_spark: bool) -> None:
        self.log = folder / "_delta_log"
        self._rows, self._uri, self._by_spark = spark.range(1), f"file:{folder}", by_spark
        builder = delta.tables.DeltaTable.createIfNotExists(spark).location(self._uri).addColumn("id", "bigint")
        for key, value in PROPERTIES.items():
            builder = builder.property(key, value)
        builder.execute()
        self.version = 0

    def commit(self) -> None:
        self.version += 1
        # deltalake counts the versions from one.
        if (self.version + (not self._by_spark)) % CHECKPOINT_INTERVAL == 0:
            if self._by_spark:
                self._rows.write.format("delta").mode("append").save(self._uri)
            else:
                deltalake.write_deltalake(str(self.log.parent), self._rows.toArrow(), mode="append")
            return
        said = {"timestamp": int(time.time() * 1000), "operation": "WRITE", "operationParameters": {}}
        self._file(self.version, "json").write_text(json.dumps({"commitInfo": said}) + "\n")
        if self._by_spark:
            # Nothing was added, so the table's checksum stays.
            shutil.copyfile(self._file(self.version - 1, "crc"), self._file(self.version, "crc"))

    def age_by_a_day(self) -> None:
        for entry in self.log.iterdir():
            then = entry.stat().st_mtime - 86400
            os.utime(entry, (then, then))

    def entries(self) -> int:
        # A local file system has a hidden checksum beside each file, and HDFS has none.
        return sum(not entry.name.startswith((".", "_")) for entry in self.log.iterdir())

    def _file(self, version: int, kind: str) -> Path:
        return self.log / f"{version:020d}.{kind}"


@pytest.mark.slow
@pytest.mark.parametrize(("by_spark", "files"), [(True, 2), (False, 1)])
def test_the_log_grows_for_a_week_and_then_no_further(spark: SparkSession, tmp_path: Path, by_spark: bool, files: int):
    table = Table(spark, tmp_path / "table", by_spark=by_spark)
    held = []
    for _ in range(DAYS):
        for _ in range(COMMITS_PER_DAY):
            table.commit()
        table.age_by_a_day()
        held.append(table.entries())
    assert held[: LOG_RETENTION_DAYS - 1] == sorted(set(held[: LOG_RETENTION_DAYS - 1]))
    assert len(set(held[LOG_RETENTION_DAYS + 1 :])) == 1
    assert LOG_RETENTION_DAYS * COMMITS_PER_DAY * files < max(held) <= log_entries(COMMITS_PER_DAY)
    assert spark.read.format("delta").load(f"file:{tmp_path / 'table'}").count() == DAYS
