"""Gold's hours, days and features of touched hours, made anew from a version of Curated; prints one JSON object.

The hours are named, or they are those that curated units have touched; then the units tell the version too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from weahouse.batch.aggregation import hours_of
from weahouse.batch.gold import make_gold
from weahouse.batch.units import UnitError, Versions, touched_by
from weahouse.io.app_log import begin_log
from weahouse.settings import settings

if TYPE_CHECKING:
    from datetime import datetime


def main() -> int:
    begin_log()
    arguments = argparse.ArgumentParser(description=__doc__)
    which = arguments.add_mutually_exclusive_group(required=True)
    which.add_argument("--hours", type=_hours, help="starts of hours, RFC 3339, separated by commas; @FILE reads them")
    which.add_argument("--ingest-hours", help="units of curated.ingest_units, e.g. 2024-05-01T13, separated by commas")
    arguments.add_argument("--curated-version", type=int, help="of curated.observations; the newest unless told")
    arguments.add_argument("--verdicts-version", type=int, help="of curated.verdicts; the newest unless told")
    asked = arguments.parse_args()
    hours, versions = asked.hours, Versions(asked.curated_version, asked.verdicts_version)
    if asked.ingest_hours:
        try:
            hours, versions = touched_by(settings(), asked.ingest_hours.split(","))
        except UnitError as error:
            print(error)
            return 2
    spark = SparkSession.builder.appName("aggregate_gold").getOrCreate()
    print(json.dumps(make_gold(spark, settings(), hours, versions)))
    spark.stop()
    return 0


def _hours(text: str) -> list[datetime]:
    try:
        return hours_of(Path(text[1:]).read_text() if text.startswith("@") else text)
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
