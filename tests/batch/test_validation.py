"""A whole check of a Delta table in a local folder, from its rows to the answer that is kept."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from weahouse.batch.span import Span, span_of
from weahouse.batch.validation import validate, validate_each
from weahouse.io.data_docs import answers, site
from weahouse.io.delta import ensure_table, table_path
from weahouse.orchestration.spark_submit import spark_environment, spark_submit_command
from weahouse.schemas.datasets import CURATED_GAPS
from weahouse.schemas.gold import GOLD_DATASETS, GOLD_HOURLY_SUMMARIES, GOLD_STATIONS
from weahouse.schemas.render import to_spark
from weahouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from weahouse.schemas.kinds import Dataset

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    """An instance whose tables are folders of this machine."""
    return Settings(home=tmp_path, hdfs_url="file://", hdfs_root=str(tmp_path / "lake"))


def append(spark: SparkSession, lake: Settings, dataset: Dataset, **row: object) -> None:
    ensure_table(spark, lake, dataset)
    rows = spark.createDataFrame([tuple(row.get(name) for name in dataset.columns)], to_spark(dataset))
    rows.write.format("delta").mode("append").save(table_path(lake, dataset))


def station(name: str, **more: object) -> dict[str, object]:
    return {"station_id": name, "region": "us-ca", "registry": "isd", **more}


def test_the_version_that_was_asked_for_is_checked_and_the_answer_is_kept(spark: SparkSession, lake: Settings) -> None:
    append(spark, lake, GOLD_STATIONS, **station("a"))
    append(spark, lake, GOLD_STATIONS, **station("a", latitude_deg=99.0))
    before, _ = validate(spark, lake, GOLD_STATIONS, Span(), version=1)
    newest, lines = validate(spark, lake, GOLD_STATIONS, Span())
    assert (before["version"], before["rows"], before["failed"]) == (1, 1, 0)
    assert (newest["version"], newest["rows"], newest["failed"]) == (2, 2, 3)
    assert len(lines) == 3
    assert answers(lake) == [newest, before]
    assert (site(lake) / newest["data_docs"]).read_text().startswith("<!DOCTYPE html>")


def test_a_table_that_does_not_exist_has_no_verdict(spark: SparkSession, lake: Settings) -> None:
    with pytest.raises(Exception, match=r"DELTA_MISSING_DELTA_TABLE|PATH_NOT_FOUND"):
        validate(spark, lake, CURATED_GAPS, span_of(CURATED_GAPS, NOON, NOON + timedelta(hours=1)))


def test_a_table_without_a_verdict_keeps_no_other_of_its_zone_from_its(spark: SparkSession, lake: Settings) -> None:
    append(spark, lake, GOLD_STATIONS, **station("a"))
    hour = {"window_start": NOON, "observed_date": NOON.date(), "report_count": 1}
    append(spark, lake, GOLD_HOURLY_SUMMARIES, station_id="a", region="us-ca", **hour)
    for file in (lake.home / "lake" / "gold" / "hourly_summaries").rglob("*.parquet"):
        file.write_bytes(b"damaged")
    found = list(validate_each(spark, lake, GOLD_DATASETS, NOON, NOON + timedelta(hours=1)))
    told = {dataset.name: (answer and answer["failed"], lines) for dataset, answer, lines in found}
    # What does not exist is not told of.
    assert told.keys() == {GOLD_STATIONS.name, GOLD_HOURLY_SUMMARIES.name}
    assert told[GOLD_STATIONS.name] == (0, [])
    failed, (traceback,) = told[GOLD_HOURLY_SUMMARIES.name]
    assert failed is None
    assert "Traceback" in traceback


def ran(lake: Settings, dataset: Dataset) -> subprocess.CompletedProcess[str]:
    (lake.home / "spark" / "validate_dataset").mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        spark_submit_command(lake, "validate_dataset.py", "--dataset", dataset.name, master="local[1]"),
        env=os.environ | spark_environment(lake),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_application_says_that_a_table_is_bad(spark: SparkSession, lake: Settings) -> None:
    append(spark, lake, GOLD_STATIONS, **station("a", latitude_deg=99.0, longitude_deg=1.0))
    done = ran(lake, GOLD_STATIONS)
    assert done.returncode == 1, done.stderr
    assert "FAILED expect_column_values_to_be_between(latitude_deg)" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["failed"] == 1


def test_the_application_says_that_it_has_no_verdict(clean_home: None, lake: Settings) -> None:
    done = ran(lake, GOLD_STATIONS)
    assert done.returncode == 2, done.stderr
    assert "Traceback" in done.stdout
