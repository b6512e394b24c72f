"""Replays a range of offsets from Kafka into Curated and Cassandra; prints the backfill as one JSON object."""

from __future__ import annotations

import argparse
import json
import sys

from pyspark.sql import SparkSession

from weahouse.batch.replay import Plan, replay
from weahouse.io.app_log import begin_log
from weahouse.settings import settings


def main() -> int:
    begin_log()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--plan",
        type=json.loads,
        required=True,
        help='{"run_id": "a1", "start": {"0": 0}, "end": {"0": 9}, "regions": [], "stations": [], "reason": "why"}',
    )
    parser.add_argument("--approved-by", help="who, for the ledger")
    asked = parser.parse_args()
    spark = SparkSession.builder.appName("replay_observations").getOrCreate()
    print(json.dumps(replay(spark, settings(), Plan.of(asked.plan), asked.approved_by), default=str))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
