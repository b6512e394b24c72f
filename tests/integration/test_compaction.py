"""Compaction on real HDFS: what pays, what it leaves, and a correction that comes in its midst."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.curated import MINUTE, NOON, curated, observation
from tests.integration.apart import apart
from tests.integration.batches import Batches
from tests.rows import event, records

from weahouse.batch.compaction import compact, partitions, plan, vacuum
from weahouse.io.delta import append_once, ensure_table, open_table, read_table
from weahouse.io.hdfs import Hdfs
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import path
from weahouse.streaming import upsert as upserting
from weahouse.transforms.parse import ingest_hour

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.settings import Settings

APPENDED_AT = datetime(2024, 5, 1, 13, 5, tzinfo=UTC)
BATCHES = 9


def many_files(spark: SparkSession, settings: Settings) -> None:
    """Readings of nine minutes, each in files of its own, as the stream leaves them."""
    for minute in range(BATCHES):
        rows = [observation(NOON + minute * MINUTE, station_id=name, air_temperature_c=float(minute)) for name in "ab"]
        append_once(curated(spark, rows).coalesce(1), settings, CURATED_OBSERVATIONS, "test", minute)
        raw = records(spark, event(), appended_at=APPENDED_AT + minute * MINUTE)
        raw = raw.withColumn("ingest_hour", ingest_hour()).coalesce(1)
        append_once(raw, settings, RAW_OBSERVATIONS, "test", minute)


@pytest.fixture(scope="module")
def settings(spark: SparkSession, platform: Settings) -> Settings:
    settings = apart(platform, "compaction").settings
    for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS):
        ensure_table(spark, settings, table)
    many_files(spark, settings)
    return settings


def files(settings: Settings, dataset: Any) -> int:
    (found,) = partitions(settings, dataset)
    return found.files


def at(minute: int, **members: Any) -> bytes:
    return event(observed_at=f"2024-05-01T12:{minute:02d}:00Z", **members)


def rows(spark: SparkSession, settings: Settings) -> list[Any]:
    return sorted(read_table(spark, settings, CURATED_OBSERVATIONS).collect())


def test_an_open_partition_is_left_alone(settings: Settings):
    within = APPENDED_AT + 50 * MINUTE
    assert plan(settings, [RAW_OBSERVATIONS, CURATED_OBSERVATIONS], within) == []


def test_a_closed_partition_of_many_files_becomes_one_and_no_row_changes(spark: SparkSession, settings: Settings):
    before = rows(spark, settings)
    wanted = plan(settings, [RAW_OBSERVATIONS, CURATED_OBSERVATIONS], datetime.now(UTC))
    assert [(each.dataset.name, each.value, each.files) for each in wanted] == [
        ("curated.observations", "2024-05-01", BATCHES),
        ("raw.observations", "2024-05-01T13", BATCHES),
    ]
    told = compact(spark, settings, wanted)
    assert [each["files_after"] for each in told] == [1, 1]
    assert files(settings, CURATED_OBSERVATIONS) == files(settings, RAW_OBSERVATIONS) == 1
    assert rows(spark, settings) == before
    assert plan(settings, [RAW_OBSERVATIONS, CURATED_OBSERVATIONS], datetime.now(UTC)) == []


def test_versions_of_the_last_week_can_still_be_read_after_a_vacuum(spark: SparkSession, settings: Settings):
    history = open_table(spark, settings, CURATED_OBSERVATIONS).history()
    version = history.where("operation != 'OPTIMIZE'").agg({"version": "max"}).first()[0]
    compact(spark, settings, plan(settings, [CURATED_OBSERVATIONS], datetime.now(UTC)))
    vacuum(spark, settings, [CURATED_OBSERVATIONS])
    assert read_table(spark, settings, CURATED_OBSERVATIONS, version).count() == 2 * BATCHES
    folder = f"{path(CURATED_OBSERVATIONS, settings.hdfs_root)}/observed_date=2024-05-01"
    assert len(Hdfs(settings).list(folder)) == BATCHES + 1


def test_a_merge_that_meets_a_compaction_is_done_again(
    spark: SparkSession, platform: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    stream = apart(platform, "compaction_met")
    for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, GOLD_STATIONS):
        ensure_table(spark, stream.settings, table)
    batches = Batches(spark, stream)
    for minute in (0, 1):
        batches.archive(at(minute, air_temperature_c=float(minute)), appended_at=APPENDED_AT + minute * MINUTE)
    # Of two files: whether it pays is another's question.
    wanted = partitions(stream.settings, CURATED_OBSERVATIONS)
    merge, merges = upserting.merge_by_key, []
    begun, compacted = tmp_path / "begun", tmp_path / "compacted"

    def compaction() -> None:
        while not begun.exists():
            time.sleep(0.1)
        compact(spark, stream.settings, wanted)
        compacted.touch()

    def slowly(batches: Iterator[Any]) -> Iterator[Any]:
        # Runs when the MERGE has begun: it has its version of the table by then.
        begun.touch()
        while not compacted.exists():
            time.sleep(0.1)
        yield from batches

    def met_by_a_compaction(rows: DataFrame, *arguments: Any, **options: Any) -> None:
        merges.append(rows)
        # In one task, or the compaction's would find no core.
        merge(rows.coalesce(1).mapInArrow(slowly, rows.schema), *arguments, **options)

    monkeypatch.setattr(upserting, "merge_by_key", met_by_a_compaction)
    beside = Thread(target=compaction)
    beside.start()
    counts = batches.archive(at(0, air_temperature_c=20.0), appended_at=APPENDED_AT + 2 * MINUTE)
    beside.join()
    assert (counts["updated"], len(merges)) == (1, 2)
    assert [row["air_temperature_c"] for row in rows(spark, stream.settings)] == [20.0, 1.0]
