"""Training: trains candidates from Gold and promotes them; prints one JSON object.

Exit code 1 when a target could not be trained or promoted: its champion stays.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from weahouse.batch.registry import promote
from weahouse.batch.training import train
from weahouse.ml.errors import ModelError
from weahouse.settings import settings


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
    now = datetime.now(UTC)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--version", default=f"{now:%Y%m%dT%H%M%SZ}", help="name of the training")
    arguments.add_argument("--features-version", type=int, help="version of gold.station_features; default: the newest")
    arguments.add_argument("--hourly-version", type=int, help="version of gold.hourly_summaries; default: the newest")
    arguments.add_argument("--without-champion", action="store_true", help="where the champion's files are lost")
    step = arguments.add_mutually_exclusive_group()
    step.add_argument("--only-train", action="store_true", help="leave candidates for somebody to approve")
    step.add_argument("--only-promote", action="store_true", help="decide on the candidates of --version")
    asked = arguments.parse_args()
    spark = SparkSession.builder.appName("train_models").getOrCreate()
    told: dict[str, object] = {"model_version": asked.version, "refused": {}}
    try:
        if not asked.only_promote:
            told = train(
                spark,
                settings(),
                asked.version,
                now,
                without_champion=asked.without_champion,
                features_version=asked.features_version,
                hourly_version=asked.hourly_version,
            )
        if not asked.only_train:
            told["champions"] = promote(spark, settings(), asked.version)
    except (ModelError, ValueError) as error:
        told["error"] = f"{type(error).__name__}: {error}"
    spark.stop()
    print(json.dumps(told))
    return int(bool(told["refused"]) or "error" in told)


if __name__ == "__main__":
    sys.exit(main())
