"""Training: trains candidates from Gold, and decides which of them issue the forecasts; prints one JSON object.

Exit code 1 when nothing could be trained or promoted: the champions stay. `refused` has the targets that could not be
trained, each with its reason, while others were.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from weahouse.batch.registry import promote
from weahouse.batch.training import train
from weahouse.io.app_log import answer, begin_log
from weahouse.ml.errors import ModelError
from weahouse.ml.targets import TARGETS
from weahouse.schemas.gold import MODEL_KINDS, MODEL_TARGETS
from weahouse.settings import settings

ALL, TRAIN, PROMOTE = "all", "train", "promote"


def main() -> int:
    begin_log()
    now = datetime.now(UTC)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default=f"{now:%Y%m%dT%H%M%SZ}", help="name of the training")
    parser.add_argument(
        "--step",
        choices=[ALL, TRAIN, PROMOTE],
        default=ALL,
        help=f"{TRAIN}: leave candidates for somebody to look at; {PROMOTE}: decide on those of --version",
    )
    for option, known in (("kinds", MODEL_KINDS), ("targets", MODEL_TARGETS)):
        parser.add_argument(f"--{option}", type=partial(_named, known), default=known, help=f"any of {','.join(known)}")
    parser.add_argument("--features-version", type=int, help="version of gold.station_features; default: the newest")
    parser.add_argument("--hourly-version", type=int, help="version of gold.hourly_summaries; default: the newest")
    parser.add_argument(
        "--without-champion", choices=["true", "false"], default="false", help="where its files are lost"
    )
    asked = parser.parse_args()
    told: dict[str, Any] = {"model_version": asked.version}
    # Promotion reads and writes the registry alone.
    spark = None if asked.step == PROMOTE else SparkSession.builder.appName("train_models").getOrCreate()
    try:
        if spark is not None:
            told |= train(
                spark,
                settings(),
                asked.version,
                now,
                targets=[target for target in TARGETS if target.name in asked.targets],
                kinds=asked.kinds,
                without_champion=asked.without_champion == "true",
                features_version=asked.features_version,
                hourly_version=asked.hourly_version,
            )
        if asked.step != TRAIN:
            told["champions"] = promote(settings(), asked.version)
    except (ModelError, ValueError) as error:
        told["error"] = f"{type(error).__name__}: {error}"
    return answer(told, spark)


def _named(known: Sequence[str], text: str) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(text.split(",")))
    if unknown := [one for one in asked if one not in known]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
