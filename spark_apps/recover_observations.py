"""Recovery: merges spans of Raw into Curated, Cassandra and the quarantine; prints one JSON object of counts."""

from __future__ import annotations

import argparse
import json
import sys

from pyspark.sql import SparkSession

from weahouse.io.app_log import begin_log
from weahouse.settings import settings
from weahouse.streaming.rebuild import Span
from weahouse.streaming.recovery import recover


def main() -> int:
    begin_log()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "spans", type=json.loads, help='[{"topic": "t", "partition": 0, "start": 0, "end": 9, "after": null}]'
    )
    spans = [Span(**span) for span in arguments.parse_args().spans]
    spark = SparkSession.builder.appName("recover_observations").getOrCreate()
    print(json.dumps(recover(spark, settings(), spans)))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
