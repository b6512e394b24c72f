"""Reconciliation: prints one JSON object, and exits with 1 when something differs or nothing was compared."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime

from pyspark.sql import SparkSession

from weahouse.batch.proofs import is_faulty, record_proof
from weahouse.settings import settings
from weahouse.streaming.reconciliation import NothingToCompareError, reconcile


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from", dest="begin", type=datetime.fromisoformat)
    arguments.add_argument("--to", dest="end", type=datetime.fromisoformat)
    arguments.add_argument(
        "--record", choices=["true", "false"], default="false", help="keep what was found in gold.reconciliation"
    )
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("reconcile_offsets").getOrCreate()
    try:
        found = reconcile(spark, settings(), asked.begin, asked.end)
    except NothingToCompareError as error:
        print(json.dumps({"error": str(error)}))
        return 1
    if asked.record == "true":
        record_proof(settings(), asked.begin, asked.end, found)
    print(json.dumps(found))
    return int(is_faulty(found))


if __name__ == "__main__":
    sys.exit(main())
