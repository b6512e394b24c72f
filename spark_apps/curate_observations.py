"""Curates what was appended within one hour; prints the unit as one JSON object.

Exit code 1 when Curated holds something else than the hour's records say.
"""

from __future__ import annotations

import argparse
import json
import sys

from pyspark.sql import SparkSession

from weahouse.batch.curation import curate
from weahouse.settings import settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ingest-hour", required=True, help="UTC hour of append times, e.g. 2024-05-01T13")
    parser.add_argument(
        "--until", type=json.loads, default={}, help='of an open hour: before which offsets it ends, e.g. {"0": 120}'
    )
    asked = parser.parse_args()
    until = {int(partition): offset for partition, offset in asked.until.items()}
    spark = SparkSession.builder.appName("curate_observations").getOrCreate()
    unit, examples = curate(spark, settings(), asked.ingest_hour, until)
    for example in examples:
        print(f"parity violation: {json.dumps(example)}")
    # As many as there are hours in a backlog; the ledger has them.
    print(json.dumps({**unit, "touched_hours": len(unit["touched_hours"])}, default=str))
    spark.stop()
    return int(unit["parity_violations"] > 0)


if __name__ == "__main__":
    sys.exit(main())
