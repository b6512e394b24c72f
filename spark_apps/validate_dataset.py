"""Checks a Delta table, or a span of it, against its schema and its rules under expectations/.

Prints a line for each expectation that was not met, and last one JSON object. Exit code 0 when all were met, 1 when one
was not, 2 when there is no verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from datetime import datetime

from pyspark.sql import SparkSession

from weahouse.batch.span import SpanError, span_of
from weahouse.batch.validation import NO_VERDICT, validate
from weahouse.io.app_log import say
from weahouse.schemas.datasets import DATASETS
from weahouse.settings import settings

_TABLES = {dataset.name: dataset for dataset in DATASETS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, choices=sorted(_TABLES))
    parser.add_argument("--from", dest="begin", type=datetime.fromisoformat, help="of the table's own time; UTC")
    parser.add_argument("--to", dest="end", type=datetime.fromisoformat, help="until before it")
    parser.add_argument("--ingest-hour", help="instead: UTC hour of append time, e.g. 2024-05-01T13")
    parser.add_argument("--version", type=int, help="of the table; else its newest")
    asked = parser.parse_args()
    dataset = _TABLES[asked.dataset]
    try:
        span = span_of(dataset, asked.begin, asked.end, asked.ingest_hour)
    except SpanError as error:
        parser.error(str(error))
    spark = SparkSession.builder.appName("validate_dataset").getOrCreate()
    try:
        answer, failures = validate(spark, settings(), dataset, span, asked.version)
        told, code = [*failures, json.dumps(answer)], int(bool(failures))
    except Exception:
        told, code = [traceback.format_exc()], NO_VERDICT
    say("\n".join(told), spark)
    return code


if __name__ == "__main__":
    sys.exit(main())
