"""The stream's own parse expression over the observations topic to nowhere: what `stream.whole` is compared with."""

from __future__ import annotations

import json
import tempfile
import time

from pyspark.sql import SparkSession

from weahouse.settings import settings
from weahouse.streaming.source import read_stream
from weahouse.transforms.parse import observations, parse


def main() -> None:
    spark = SparkSession.builder.appName("parse_only").getOrCreate()
    rows = observations(parse(read_stream(spark, settings(), "bench")), settings().lateness)
    with tempfile.TemporaryDirectory() as checkpoint:
        began = time.monotonic()
        writer = rows.writeStream.format("noop").option("checkpointLocation", f"file://{checkpoint}")
        query = writer.trigger(availableNow=True).start()
        query.awaitTermination()
        seconds = time.monotonic() - began
    records = sum(json.loads(progress.json)["numInputRows"] for progress in query.recentProgress)
    print(json.dumps({"records": records, "seconds": seconds}))


if __name__ == "__main__":
    main()
