"""What a batch touched, in one small aggregate: by station and block of time, with the extremes that rules look at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.alerts.readings import TRUSTED_FLAGS
from weahouse.alerts.watch import EXTREMES, block_minutes
from weahouse.schemas.fields import flag_of
from weahouse.transforms.panes import window_start

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.alerts.rules import AlertRules


def touched_blocks(written: DataFrame, rules: AlertRules) -> DataFrame:
    """The columns of `watch.columns(rules)` per station, day and block: times observed and appended, and extremes.

    `seen_at` is the newest append of a record that was on time, null where all were late.
    """
    block = window_start(F.col("observed_at"), block_minutes(rules)).alias("block")
    # Numbers and times only: one text among the aggregates, and Spark sorts the batch instead of hashing it. By day
    # too, as a batch is placed, so that nothing moves. A batch knows one region of a station, the registry's.
    found = written.groupBy("station_id", "observed_date", "region", block).agg(*_aggregates(rules.variables))
    return found.drop("observed_date")


# Columns are built once: each costs several calls into the JVM, and every micro-batch needs the same ones.
@cache
def _aggregates(variables: tuple[str, ...]) -> list[Column]:
    return [
        F.min("observed_at").alias("first_at"),
        F.max("observed_at").alias("last_at"),
        F.max("ingested_at").alias("ingested_at"),
        F.max(F.when(F.col("late_by_s").isNull(), F.col("ingested_at"))).alias("seen_at"),
        *[column for variable in variables for column in _extremes(variable)],
    ]


def _extremes(variable: str) -> list[Column]:
    value = F.when(F.col(flag_of(variable)).isin(*TRUSTED_FLAGS), F.col(variable))
    # Of amounts: what is below zero would hide a sum that is reached without it.
    found = {"min": F.min(value), "max": F.max(value), "sum": F.sum(F.greatest(value, F.lit(0.0)))}
    return [found[name].alias(f"{variable}_{name}") for name in EXTREMES]
