"""Gold's hours and days of touched hours, made anew from a version of Curated; prints one JSON object of counts."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from weahouse.batch.aggregation import aggregate, hours_of
from weahouse.settings import settings

if TYPE_CHECKING:
    from datetime import datetime


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "--hours", type=_hours, required=True, help="starts of hours, RFC 3339, separated by commas; @FILE reads them"
    )
    arguments.add_argument("--curated-version", type=int, help="of curated.observations; the newest unless told")
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("aggregate_gold").getOrCreate()
    print(json.dumps(aggregate(spark, settings(), asked.hours, asked.curated_version)))
    spark.stop()
    return 0


def _hours(text: str) -> list[datetime]:
    try:
        return hours_of(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
