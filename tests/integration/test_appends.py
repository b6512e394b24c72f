from __future__ import annotations

import dataclasses
import uuid
from typing import TYPE_CHECKING

import pytest
from deltalake.exceptions import CommitFailedError
from tests.rows import records

from weahouse.io import appends
from weahouse.io.appends import append_few
from weahouse.io.delta import append_once, ensure_table, read_table
from weahouse.io.lake import MissingTableError, existing_table
from weahouse.schemas.datasets import CURATED_QUARANTINE
from weahouse.transforms.parse import ingest_hour, parse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.settings import Settings

TABLE = CURATED_QUARANTINE


@pytest.fixture
def lake(spark: SparkSession, platform: Settings) -> Settings:
    """A lake of the test's own, with an empty quarantine."""
    settings = dataclasses.replace(platform, hdfs_root=f"/test/{uuid.uuid4().hex}")
    ensure_table(spark, settings, TABLE)
    return settings


@pytest.fixture(scope="module")
def told(spark: SparkSession) -> DataFrame:
    """Two unreadable records."""
    unreadable = parse(records(spark, b"{", b"\xff\x00")).withColumn("ingest_hour", ingest_hour())
    return unreadable.select(*TABLE.columns).localCheckpoint()


def held(lake: Settings) -> int:
    return existing_table(lake, TABLE).to_pyarrow_table().num_rows


def written_by(lake: Settings) -> str:
    name: str = existing_table(lake, TABLE).history(1)[0]["engineInfo"]
    return name


def test_rows_appended_without_spark_are_the_rows_that_spark_reads(
    spark: SparkSession, lake: Settings, told: DataFrame
) -> None:
    append_once(told, lake, TABLE, "w", 1, count=2)
    assert written_by(lake).startswith("delta-rs")
    read = read_table(spark, lake, TABLE)
    assert sorted(map(tuple, read.collect())) == sorted(map(tuple, told.collect()))


@pytest.mark.parametrize("first", [2, None])
@pytest.mark.parametrize("second", [2, None])
def test_a_number_counts_once_whoever_of_both_ways_wrote_it(
    lake: Settings, told: DataFrame, first: int | None, second: int | None
) -> None:
    append_once(told, lake, TABLE, "w", 5, count=first)
    for number in (5, 4):
        append_once(told, lake, TABLE, "w", number, count=second)
    assert held(lake) == 2
    append_once(told, lake, TABLE, "w", 6, count=second)
    append_once(told, lake, TABLE, "another", 5, count=second)
    assert held(lake) == 6


def test_a_writer_that_was_overtaken_while_it_wrote_is_refused(
    lake: Settings, told: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_before = existing_table(lake, TABLE)
    append_once(told, lake, TABLE, "w", 9, count=2)
    monkeypatch.setattr(appends, "existing_table", lambda *_: seen_before)
    with pytest.raises(CommitFailedError, match="Concurrent transaction"):
        append_once(told, lake, TABLE, "w", 8, count=2)
    assert held(lake) == 2


def test_many_rows_are_left_to_spark(lake: Settings, told: DataFrame) -> None:
    append_once(told, lake, TABLE, "w", 1, count=20_001)
    assert written_by(lake).startswith("Apache-Spark")


def test_a_table_that_is_not_there_is_named(lake: Settings, told: DataFrame) -> None:
    elsewhere = dataclasses.replace(lake, hdfs_root=f"{lake.hdfs_root}/elsewhere")
    with pytest.raises(MissingTableError, match=r"curated\.quarantine does not exist yet"):
        append_few(told.toArrow(), elsewhere, TABLE, "w", 1)
