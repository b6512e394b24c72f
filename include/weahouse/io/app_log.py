"""What a Spark application says: lines on standard error beside Spark's own, and its answer on standard output."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession


def begin_log() -> None:
    """Show what our modules say from INFO on, without each call into the JVM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)


def answer(told: Mapping[str, Any], spark: SparkSession | None) -> int:
    """Print the answer as one JSON object and end the session; the exit code is 1 where it has an `error`."""
    say(json.dumps(told), spark)
    return int("error" in told)


def say(text: str, spark: SparkSession | None) -> None:
    """Print the last words, and end the session after them: what is printed while spark-submit ends may be lost."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    if spark is not None:
        spark.stop()
