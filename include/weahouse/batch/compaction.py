"""Compaction: many small files of a closed partition as few that are sorted for who reads them."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weahouse.io import lake
from weahouse.io.delta import open_table
from weahouse.io.delta_conflicts import CONFLICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pyspark.sql import SparkSession

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

log = logging.getLogger("weahouse.compaction")

MIB = 1024 * 1024
# HDFS's own block; the files that OPTIMIZE makes are up to eight times as large.
_FILE_BYTES = 128 * MIB
# A partition is rewritten whole: below this it would be done again for each handful of late readings.
_TIMES_FEWER = 8


@dataclass(frozen=True)
class Partition:
    """The files of one partition, as the table's log has them; `value` is that of its partition column."""

    dataset: Dataset
    value: str
    files: int
    size_bytes: int

    @property
    def pays(self) -> bool:
        """Whether compaction leaves at most an eighth of the files."""
        return self.files >= _TIMES_FEWER * math.ceil(self.size_bytes / _FILE_BYTES)

    @property
    def where(self) -> str:
        return f"{self.dataset.partition_by[0]} = '{self.value}'"


def plan(settings: Settings, datasets: Iterable[Dataset], now: datetime) -> list[Partition]:
    """The closed partitions whose compaction pays, those with most files first. Needs no Spark. Raises LakeError.

    A partition is closed when its hour or day is over: the stream goes on adding files to an open one.
    """
    found = [each for dataset in datasets for each in partitions(settings, dataset)]
    closed = [each for each in found if each.value < _open(each.dataset, now)]
    return sorted((each for each in closed if each.pays), key=lambda each: (-each.files, each.value))


def partitions(settings: Settings, dataset: Dataset) -> list[Partition]:
    """Every partition of a table; none where there is no table yet."""
    table = lake.open_table(settings, dataset)
    if table is None:
        return []
    (column,) = dataset.partition_by
    files: defaultdict[str, list[int]] = defaultdict(list)
    for action in lake.add_actions(table).to_pylist():
        files[str(action[f"partition.{column}"])].append(action["size_bytes"])
    return [Partition(dataset, value, len(sizes), sum(sizes)) for value, sizes in files.items()]


def compact(spark: SparkSession, settings: Settings, wanted: Sequence[Partition]) -> list[dict[str, Any]]:
    """Rewrite each partition; returns for each what it was and, as `files_after` and `bytes_after`, what it is.

    No row changes. Where the stream rewrites a file meanwhile, one of the two is refused by Delta: the stream does its
    merge again, and here the partition is left for the next time, with `conflict` instead of what it is.
    """
    told = []
    for number, each in enumerate(wanted, start=1):
        log.info("%d of %d: %s where %s, %d files", number, len(wanted), each.dataset.name, each.where, each.files)
        outcome = as_document(each)
        try:
            outcome |= _rewrite(spark, settings, each)
        except CONFLICTS as conflict:
            outcome["conflict"] = type(conflict).__name__
        told.append(outcome)
    return told


def vacuum(spark: SparkSession, settings: Settings, datasets: Iterable[Dataset]) -> None:
    """Delete the files that no version of the last week names; readers of older versions and undos end with it."""
    for dataset in datasets:
        if lake.open_table(settings, dataset) is not None:
            open_table(spark, settings, dataset).vacuum()


def as_document(partition: Partition) -> dict[str, Any]:
    """A partition as JSON can hold it."""
    return {
        "dataset": partition.dataset.name,
        "partition": partition.value,
        "files": partition.files,
        "bytes": partition.size_bytes,
    }


def _rewrite(spark: SparkSession, settings: Settings, partition: Partition) -> dict[str, int]:
    optimize = open_table(spark, settings, partition.dataset).optimize().where(partition.where)
    row = optimize.executeZOrderBy(*partition.dataset.sort_by).select("metrics").first()
    assert row is not None
    metrics = row["metrics"]
    added = metrics["filesAdded"]
    return {
        "files_after": partition.files - metrics["numFilesRemoved"] + metrics["numFilesAdded"],
        "bytes_after": partition.size_bytes - metrics["filesRemoved"]["totalSize"] + added["totalSize"],
    }


def _open(dataset: Dataset, now: datetime) -> str:
    """The value of the partition column that is being filled; text in which time's order is the alphabet's."""
    return now.strftime("%Y-%m-%dT%H" if dataset.partition_by == ("ingest_hour",) else "%Y-%m-%d")
