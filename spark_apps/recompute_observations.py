"""Makes a range of Curated and Gold anew from Raw, or previews which flags would change; prints one JSON object."""

from __future__ import annotations

import argparse
import json
import logging
import sys

from pyspark.sql import SparkSession

from weahouse.batch.recompute import Plan, recompute
from weahouse.batch.what_if import preview
from weahouse.io.app_log import begin_log
from weahouse.settings import settings


def main() -> int:
    begin_log()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=json.loads, required=True, help="JSON, as the Dag raw_recompute plans it")
    parser.add_argument("--preview", choices=["true", "false"], default="false", help="change nothing")
    parser.add_argument("--approved-by", help="who, for the ledger")
    asked = parser.parse_args()
    plan = Plan.of(asked.plan)
    spark = SparkSession.builder.appName("recompute_observations").getOrCreate()
    told = (
        preview(spark, settings(), plan)
        if asked.preview == "true"
        else recompute(spark, settings(), plan, asked.approved_by)
    )
    for change in told.get("changes", []):
        logging.info("would change: %s", json.dumps(change))
    print(json.dumps(told, default=str))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
