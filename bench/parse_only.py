"""The stream's own parse expression over the observations topic to nowhere: what `stream.whole` is compared with."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import psutil
from pyspark.sql import SparkSession

from bench.instance import cpu_seconds
from weahouse.settings import settings
from weahouse.streaming.source import read_stream
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from pyspark.sql.streaming.query import StreamingQuery


def main(warm_up: int) -> None:
    spark = SparkSession.builder.appName("parse_only").getOrCreate()
    rows = observations(parse(read_stream(spark, settings(), "bench")), settings().lateness)
    # spark-submit's JVM is this interpreter's parent, and does the work.
    process = psutil.Process(os.getppid())
    with tempfile.TemporaryDirectory() as checkpoint:
        writer = rows.writeStream.format("noop").option("checkpointLocation", f"file://{checkpoint}")
        query = writer.trigger(availableNow=True).start()
        while records(query) < warm_up:
            time.sleep(0.05)
        done, began, cpu_s = records(query), time.monotonic(), cpu_seconds(process)
        query.awaitTermination()
        seconds, used_s = time.monotonic() - began, cpu_seconds(process) - cpu_s
        print(json.dumps({"records": records(query) - done, "seconds": seconds, "cpu_s": used_s}))


def records(query: StreamingQuery) -> int:
    return sum(json.loads(progress.json)["numInputRows"] for progress in query.recentProgress)


if __name__ == "__main__":
    main(int(sys.argv[1]))
