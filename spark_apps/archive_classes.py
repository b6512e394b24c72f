"""Does a little of all that applications do, in a local folder; the JVM archives the classes that it took."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from weahouse.io.delta import append_once, ensure_table, merge_by_key, one_of, read_table
from weahouse.schemas.datasets import RAW_OBSERVATIONS
from weahouse.schemas.render import to_spark
from weahouse.settings import settings
from weahouse.streaming.checkpointed import checkpointed
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parse import observations, parse

_HOUR = "2024-05-01T12"
_EVENT = b'{"station_id": "a", "region": "us-ca", "observed_at": "2024-05-01T11:59:00Z", "air_temperature_c": 1.0}'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where its table stands; the caller removes it")
    folder = parser.parse_args().folder
    builder = SparkSession.builder.appName("archive_classes")
    # The catalog makes this folder with the first table; HDFS need not run.
    spark = builder.config("spark.sql.warehouse.dir", f"file:{folder}/warehouse").getOrCreate()
    local = replace(settings(), hdfs_url="file://", hdfs_root=folder)
    appended_at = datetime.fromisoformat(f"{_HOUR}:00:00Z").astimezone(UTC)
    records = [(b"a", _EVENT, "topic", 0, offset, appended_at, None, _HOUR) for offset in range(2)]
    raw = checkpointed(spark.createDataFrame(records, to_spark(RAW_OBSERVATIONS)))
    ensure_table(spark, local, RAW_OBSERVATIONS)
    append_once(raw, local, RAW_OBSERVATIONS, "archive_classes", 1)
    bounds = one_of("t.ingest_hour", [_HOUR])
    merge_by_key(raw, local, RAW_OBSERVATIONS, bounds, update_when="true", transaction=("archive_classes", 2))
    newest_of_each_key(observations(parse(read_table(spark, local, RAW_OBSERVATIONS)), local.lateness)).toArrow()
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
