"""Delta tables in a local folder, where jobs find what they find on HDFS."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from tests.instance import TEST_SETTINGS

from weahouse.batch.writer import Writer
from weahouse.io.delta import ensure_table, table_path
from weahouse.schemas.kinds import Dataset
from weahouse.settings import Settings

_EPOCHS = count(1)


def next_run(job: str) -> Writer:
    """The writer of a job's next run, beside which nobody writes."""
    return Writer(job, next(_EPOCHS), nullcontext)


def write(rows: DataFrame, settings: Settings, dataset: Dataset) -> None:
    """Put rows in the place of all of a table."""
    ensure_table(rows.sparkSession, settings, dataset)
    rows.coalesce(1).write.format("delta").mode("overwrite").save(table_path(settings, dataset))


@pytest.fixture(scope="module")
def local_lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An instance whose lake is a local folder; nothing of it needs a server."""
    root: Path = tmp_path_factory.mktemp("lake")
    return replace(TEST_SETTINGS, hdfs_url="file://", hdfs_root=str(root))
