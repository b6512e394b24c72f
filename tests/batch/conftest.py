"""Delta tables in a local folder, where jobs find what they find on HDFS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tests.instance import TEST_SETTINGS
from tests.ml.world import hourly, world

from weahouse.io.delta import ensure_table, table_path
from weahouse.schemas.gold import GOLD_HOURLY_SUMMARIES
from weahouse.settings import Settings


def write_hours(spark: SparkSession, settings: Settings, rows) -> None:
    """Put hours in the place of all of `gold.hourly_summaries`."""
    ensure_table(spark, settings, GOLD_HOURLY_SUMMARIES)
    table = hourly(spark, rows).repartition("observed_date").write.format("delta").mode("overwrite")
    table.save(table_path(settings, GOLD_HOURLY_SUMMARIES))


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An instance whose lake is a local folder; nothing of it needs a server."""
    root: Path = tmp_path_factory.mktemp("lake")
    return replace(TEST_SETTINGS, hdfs_url="file://", hdfs_root=str(root))


@pytest.fixture(scope="module")
def lake_with_hours(spark: SparkSession, lake: Settings) -> Settings:
    """The same with the hours of the tests' world."""
    write_hours(spark, lake, world())
    return lake
