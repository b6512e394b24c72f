"""`make model-skill`: what models are worth over the last year of the shipped file, by lead time and station.

The file goes through the platform's own functions, in a lake in a folder and without a server: parsed, judged by all
levels, summarised, made features of, trained with. Writes docs/reference/model_skill.md.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import functions as F

from bench.model_page import page
from bench.session import local_session
from weahouse.batch.aggregation import aggregate
from weahouse.batch.features import build_features, days_that_look_at, span_of
from weahouse.batch.judging import judge as judge_deeper
from weahouse.batch.registry import models
from weahouse.batch.training import train
from weahouse.batch.writer import Writer
from weahouse.cli.judging import records_table, with_registry
from weahouse.io.delta import ensure_table, read_table, table_path, version_of
from weahouse.orchestration.spark_submit import DRIVER_MEMORY
from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATION_FEATURES, GOLD_STATIONS, MODEL_KINDS
from weahouse.schemas.render import to_spark
from weahouse.settings import ROOT, from_environment
from weahouse.sources import isd
from weahouse.sources.records import Record, Refused
from weahouse.sources.stations import read_stations
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

FILE = ROOT / "data" / "isd-hourly-us5-2008-2014.csv.gz"
PAGE = ROOT / "docs" / "reference" / "model_skill.md"
HOME = ROOT / ".weahouse" / "model-skill"
_MINUTE_S = 60.0


class Lake(NamedTuple):
    """A lake in a folder, beside which nobody writes, and the session that works on it."""

    spark: SparkSession
    settings: Settings

    def write(self, rows: DataFrame, dataset: Dataset) -> None:
        ensure_table(self.spark, self.settings, dataset)
        placed = rows.select(*dataset.columns).repartition(*(dataset.partition_by or (1,)))
        placed.write.format("delta").mode("append").save(table_path(self.settings, dataset))


def main() -> int:
    asked = arguments().parse_args()
    shutil.rmtree(HOME, ignore_errors=True)
    settings = from_environment({"WEAHOUSE_HOME": str(HOME)})
    # The catalog makes this folder with the first table: without a scheme on HDFS, which nobody has started.
    alone = {"spark.driver.memory": DRIVER_MEMORY, "spark.sql.warehouse.dir": f"file:{HOME}/spark/warehouse"}
    spark = local_session(settings, "model_skill", "local[*]", **alone)
    # Only after the session, which takes no folder for a file system.
    lake = Lake(spark, replace(settings, hdfs_url="file://", hdfs_root=str(HOME / "lake")))
    began = time.monotonic()

    def step(text: str) -> None:
        print(f"{timedelta(seconds=int(time.monotonic() - began))}  {text}", flush=True)

    try:
        text = trained_page(lake, asked.first_year, asked.kinds, step)
    finally:
        spark.stop()
    if asked.first_year is None and tuple(asked.kinds) == MODEL_KINDS:
        PAGE.write_text(text)
        step(f"wrote {PAGE.relative_to(ROOT)}")
    else:
        print(text)
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, prog="make model-skill")
    parser.add_argument("--first-year", type=int, metavar="YEAR", help="leave out what is older, and write nothing")
    parser.add_argument("--kinds", nargs="+", choices=MODEL_KINDS, default=list(MODEL_KINDS))
    return parser


def trained_page(lake: Lake, first_year: int | None, kinds: Sequence[str], step: Callable[[str], None]) -> str:
    """Everything from the file to the page. Raises RuntimeError where a target could not be trained."""
    step(f"{curate(lake, first_year):,} readings of Curated")
    hours = judged_hours(lake)
    step(f"{len(hours):,} hours judged by all levels")
    aggregate(lake.spark, lake.settings, hours, writer=writer("aggregation"))
    step("hours and days of Gold")
    build_features(lake.spark, lake.settings, days_that_look_at(hours), writer=writer("features"))
    step("features")
    told = train(lake.spark, lake.settings, "model-skill", datetime.now(UTC), kinds=kinds)
    if told["refused"]:
        raise RuntimeError(f"not all targets could be trained: {told['refused']}")
    step("trained")
    span = span_of(read_table(lake.spark, lake.settings, GOLD_STATION_FEATURES))
    return page(models(lake.settings), span[1] if span else datetime.now(UTC))


def writer(job: str) -> Writer:
    return Writer(job, 1, nullcontext)


def curate(lake: Lake, first_year: int | None) -> int:
    """The file's readings as Curated has them after level 1, and the registry of their stations; how many they are."""
    since = datetime(first_year, 1, 1, tzinfo=UTC).timestamp() if first_year else 0.0
    sent = (one for one in isd.read(FILE) if isinstance(one, Record) and one.at >= since)
    records = records_table(lake.spark, HOME / "records", ((one.at + _MINUTE_S, one.value) for one in sent))
    newest = newest_of_each_key(observations(parse(records), lake.settings.lateness))
    ids = {row["station_id"] for row in newest.select("station_id").distinct().collect()}
    listed = (row for row in read_stations() if not isinstance(row, Refused))
    stations = {row["station_id"]: row for row in listed if row["station_id"] in ids}.values()
    of_registry = [tuple(station.get(name) for name in GOLD_STATIONS.columns) for station in stations]
    lake.write(lake.spark.createDataFrame(of_registry, to_spark(GOLD_STATIONS)), GOLD_STATIONS)
    rows = judge(with_registry(newest, stations), load_rules()).withColumn("revision", F.lit(0))
    lake.write(rows, CURATED_OBSERVATIONS)
    return read_table(lake.spark, lake.settings, CURATED_OBSERVATIONS).count()


def judged_hours(lake: Lake) -> list[datetime]:
    """Judge all rows by levels 2 and 3; the hours in which they lie."""
    version = version_of(lake.spark, lake.settings, CURATED_OBSERVATIONS)
    keys = read_table(lake.spark, lake.settings, CURATED_OBSERVATIONS, version)
    judgement = judge_deeper(lake.spark, lake.settings, keys, version, load_rules(), writer("curation"))
    judgement.keep_trust()
    return judgement.hours


if __name__ == "__main__":
    sys.exit(main())
