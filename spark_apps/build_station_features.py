"""Features: gold.station_features of the UTC days from one to before another, made anew; prints one JSON object."""

from __future__ import annotations

import argparse
import sys
from datetime import date

from pyspark.sql import SparkSession

from weahouse.batch.features import build_features, days_between
from weahouse.io.app_log import answer, begin_log
from weahouse.settings import settings


def main() -> int:
    begin_log()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--from", dest="begin", type=date.fromisoformat, required=True, help="first day")
    arguments.add_argument("--to", dest="end", type=date.fromisoformat, required=True, help="day after the last one")
    arguments.add_argument("--hourly-version", type=int, help="version of gold.hourly_summaries; default: the newest")
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("build_station_features").getOrCreate()
    try:
        days = days_between(asked.begin, asked.end)
        told: dict[str, object] = {**build_features(spark, settings(), days, asked.hourly_version)}
    except ValueError as error:
        told = {"error": str(error)}
    return answer(told, spark)


if __name__ == "__main__":
    sys.exit(main())
