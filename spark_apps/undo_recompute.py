"""Undoes a recompute, or previews what that would change; prints one JSON object, with `error` where it cannot be."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from weahouse.batch.backfills import UndoError, undoable
from weahouse.batch.undo import undo
from weahouse.batch.what_if import preview_undo
from weahouse.io.app_log import begin_log
from weahouse.settings import settings


def main() -> int:
    begin_log()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run-id", required=True, help="of gold.backfill_runs")
    parser.add_argument("--preview", choices=["true", "false"], default="false", help="change nothing")
    asked = parser.parse_args()
    try:
        backfill = undoable(settings(), asked.run_id, datetime.now(UTC))
    except UndoError as error:
        print(json.dumps({"error": str(error)}))
        return 2
    spark = SparkSession.builder.appName("undo_recompute").getOrCreate()
    told = (
        preview_undo(spark, settings(), backfill) if asked.preview == "true" else undo(spark, settings(), asked.run_id)
    )
    print(json.dumps(told, default=str))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
