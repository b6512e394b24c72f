"""The log of a Spark application: lines on standard error, beside Spark's own."""

from __future__ import annotations

import logging


def begin_log() -> None:
    """Show what our modules say from INFO on, without each call into the JVM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("py4j").setLevel(logging.WARNING)
