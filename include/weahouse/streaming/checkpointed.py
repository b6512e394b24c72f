"""Rows that a batch computes once and reads several times."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def checkpointed(rows: DataFrame) -> DataFrame:
    """The same rows, kept once they are computed, by the first look at all of them; `release` them afterwards.

    Not `persist`: Spark would send everything that led to the rows with each task of each later look, 4 MB of plans and
    generated code, which took longer than the tasks' own work.
    """
    return rows.localCheckpoint(eager=False)


def release(rows: DataFrame) -> None:
    """Let checkpointed rows go; Spark has no word for it, and would wait for the JVM to collect them."""
    jvm = rows.sparkSession.sparkContext._jsc.sc()
    jvm.unpersistRDD(rows._jdf.queryExecution().analyzed().rdd().id(), False)
