"""Assets: what a Dag publishes when a table has changed and passed its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset

from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from weahouse.schemas.kinds import Dataset


def asset_of(dataset: Dataset) -> Asset:
    """The asset of a Delta table; its events carry what the producer's application answered."""
    instance = settings()
    return Asset(name=dataset.name, uri=instance.hdfs + path(dataset, instance.hdfs_root), group=dataset.zone)


def lake_files() -> Asset:
    """The files of all tables; its events tell how many there were before and after compaction."""
    instance = settings()
    return Asset(name="lake.files", uri=instance.hdfs + instance.hdfs_root, group="lake")
