"""Verification: forecasts valid in (from, to] beside what was observed; prints one JSON object with all skills."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from pyspark.sql import SparkSession

from weahouse.batch.verification import verify
from weahouse.io.app_log import answer, begin_log
from weahouse.settings import settings


def main() -> int:
    begin_log()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from", dest="begin", type=datetime.fromisoformat, required=True)
    arguments.add_argument("--to", dest="end", type=datetime.fromisoformat, required=True)
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("verify_forecasts").getOrCreate()
    try:
        told = verify(spark, settings(), asked.begin, asked.end)
    except ValueError as error:
        told = {"error": str(error)}
    return answer(told, spark)


if __name__ == "__main__":
    sys.exit(main())
