"""Inference: forecasts of some full hours into gold.forecasts and Cassandra; prints one JSON object."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from pyspark.sql import SparkSession

from weahouse.batch.inference import infer
from weahouse.io.app_log import answer, begin_log
from weahouse.ml.errors import ModelError
from weahouse.settings import settings


def main() -> int:
    begin_log()
    arguments = argparse.ArgumentParser(description=__doc__)
    for name, what in (("from", "first"), ("to", "last")):
        arguments.add_argument(
            f"--{name}",
            dest=what,
            type=datetime.fromisoformat,
            required=True,
            help=f"{what} reference time, a full hour, e.g. 2024-05-01T12:00Z",
        )
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("infer_forecasts").getOrCreate()
    try:
        told = infer(spark, settings(), asked.first, asked.last)
    except (ModelError, ValueError) as error:
        told = {"error": f"{type(error).__name__}: {error}"}
    return answer(told, spark)


if __name__ == "__main__":
    sys.exit(main())
