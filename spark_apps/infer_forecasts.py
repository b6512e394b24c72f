"""Inference: forecasts of one full hour into gold.forecasts and Cassandra; prints one JSON object."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from datetime import datetime

from pyspark.sql import SparkSession

from weahouse.batch.inference import infer
from weahouse.ml.errors import ModelError
from weahouse.settings import settings


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("issued_at", type=datetime.fromisoformat, help="full hour, e.g. 2024-05-01T12:00Z")
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("infer_forecasts").getOrCreate()
    try:
        told = infer(spark, settings(), asked.issued_at)
    except (ModelError, ValueError) as error:
        told = {"error": f"{type(error).__name__}: {error}"}
    spark.stop()
    print(json.dumps(told))
    return int("error" in told)


if __name__ == "__main__":
    sys.exit(main())
