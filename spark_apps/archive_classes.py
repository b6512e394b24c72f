"""Does a little of all that applications do, in a local folder; the JVM archives the classes that it took."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from weahouse.io.delta import append_once, ensure_table, merge_by_key, read_table
from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.settings import settings
from weahouse.streaming.checkpointed import checkpointed
from weahouse.streaming.extent import bounds_of
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parse import observations, parse
from weahouse.transforms.summaries import hourly

_NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
_EVENT = b'{"station_id": "a", "region": "us-ca", "observed_at": "2024-05-01T11:59:00Z", "air_temperature_c": 1.0}'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where its tables stand; the caller removes them")
    folder = parser.parse_args().folder
    builder = SparkSession.builder.appName("archive_classes")
    # The catalog makes this folder with the first table; HDFS need not run.
    spark = builder.config("spark.sql.warehouse.dir", f"file:{folder}/warehouse").getOrCreate()
    local = replace(settings(), hdfs_url="file://", hdfs_root=folder)
    schema = "value binary, partition int, offset bigint, timestamp timestamp"
    records = spark.createDataFrame([(_EVENT, 0, 0, _NOON), (_EVENT, 0, 1, _NOON)], schema)
    rows = checkpointed(
        judge(newest_of_each_key(observations(parse(records), local.lateness)), load_rules()).withColumn(
            "revision", F.lit(0)
        )
    )
    ensure_table(spark, local, CURATED_OBSERVATIONS)
    append_once(rows, local, CURATED_OBSERVATIONS, "archive_classes", 1)
    bounds = bounds_of([(_NOON - timedelta(hours=1), _NOON)], "t.")
    merge_by_key(rows, local, CURATED_OBSERVATIONS, bounds, update_when="true")
    hourly(read_table(spark, local, CURATED_OBSERVATIONS)).toArrow()
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
