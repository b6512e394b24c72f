"""Reconciliation: prints one JSON object, and exits with 1 when something differs or nothing was compared."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import SparkSession

from weahouse.batch.proof_page import proof_page, verdict
from weahouse.batch.proofs import is_faulty, prove, record_proof
from weahouse.io.proof_pages import keep_page
from weahouse.settings import settings
from weahouse.streaming.reconciliation import NothingToCompareError


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from", dest="begin", type=datetime.fromisoformat)
    arguments.add_argument("--to", dest="end", type=datetime.fromisoformat)
    arguments.add_argument(
        "--record",
        choices=["true", "false"],
        default="false",
        help="keep what was found in gold.reconciliation, and a page of it",
    )
    asked = arguments.parse_args()
    begin, end = (None if time is None else time.astimezone(UTC) for time in (asked.begin, asked.end))
    spark = SparkSession.builder.appName("reconcile_offsets").getOrCreate()
    try:
        found = prove(spark, settings(), begin, end)
    except NothingToCompareError as error:
        print(json.dumps({"error": str(error)}))
        return 1
    if asked.record == "true":
        found |= _keep(found, begin, end)
    print(json.dumps(found))
    return int(is_faulty(found))


def _keep(found: dict[str, Any], begin: datetime, end: datetime) -> dict[str, Any]:
    record_proof(settings(), begin, end, found)
    proved_at = datetime.now(UTC)
    page = proof_page(found, begin, end, proved_at)
    about = {"from": begin.isoformat(), "to": end.isoformat(), "offsets": found["offsets"], "verdict": verdict(found)}
    kept = keep_page(settings(), proved_at, page, about)
    return {"page": kept, "verdict": about["verdict"], "is_faulty": is_faulty(found)}


if __name__ == "__main__":
    sys.exit(main())
