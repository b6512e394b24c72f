"""Checks every table of a zone that exists, or one of them, against its schema and its rules under expectations/.

Prints a line for each expectation that was not met, and last one JSON object: the zone, the answers of its tables, and
those that have no verdict. Exit code 0 when all were met, 1 when one was not, 2 when a table has no verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession

from weahouse.batch.span import SpanError, span_of
from weahouse.batch.validation import NO_VERDICT, validate_each
from weahouse.io.app_log import say
from weahouse.schemas.datasets import DATASETS, ZONES
from weahouse.settings import settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zone", required=True, choices=ZONES)
    parser.add_argument("--dataset", choices=[dataset.name for dataset in DATASETS], help="only this table of the zone")
    parser.add_argument("--from", dest="begin", type=datetime.fromisoformat, help="of each table's own time; UTC")
    parser.add_argument("--to", dest="end", type=datetime.fromisoformat, help="until before it")
    asked = parser.parse_args()
    tables = [table for table in DATASETS if table.zone == asked.zone and asked.dataset in (None, table.name)]
    if not tables:
        parser.error(f"{asked.dataset} is no table of {asked.zone}")
    try:
        span_of(tables[0], asked.begin, asked.end)
    except SpanError as error:
        parser.error(str(error))
    spark = SparkSession.builder.appName("validate_zone").getOrCreate()
    told: dict[str, Any] = {"zone": asked.zone, "tables": [], "no_verdict": []}
    for table, answer, lines in validate_each(spark, settings(), tables, asked.begin, asked.end):
        if answer is None:
            told["no_verdict"].append(table.name)
        else:
            told["tables"].append(answer)
        print("\n".join([f"{table.name}: {_outcome(answer)}", *lines]), flush=True)
    say(json.dumps(told), spark)
    return NO_VERDICT if told["no_verdict"] else int(any(answer["failed"] for answer in told["tables"]))


def _outcome(answer: dict[str, Any] | None) -> str:
    if answer is None:
        return "no verdict"
    return f"{answer['failed']} of {answer['expectations']} expectations are not met by {answer['rows']:,} rows"


if __name__ == "__main__":
    sys.exit(main())
