"""What became of every record: exactly one of curated, duplicate, superseded, quarantined."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY
from weahouse.transforms.newest import VERSION
from weahouse.transforms.panes import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

DISPOSITIONS = ("curated", "duplicate", "superseded", "quarantined")
UNACCOUNTED, DOUBLED = "unaccounted", "doubled"
# Of the greater of two numbers, or of 1.
_TOLERANCE = 1e-9
_COORDINATES = ("topic", "partition", "offset", "timestamp")


def dispose(parsed: DataFrame, curated: DataFrame, quarantine: DataFrame) -> DataFrame:
    """Coordinates of each Raw record with its `disposition`: one of DISPOSITIONS, unaccounted or doubled.

    `parsed` is `parse` of Raw. A record is doubled when Raw or the quarantine holds it twice, when Curated holds its
    key twice, or when it is both curated and quarantined. Records are told apart by offset and append time: a topic
    that was created again has the same offsets once more, appended later.
    """
    records = parsed.groupBy(*_COORDINATES).agg(
        F.count("*").alias("copies"),
        F.first(
            F.struct("station_id", "observed_at", F.col("timestamp").alias("ingested_at"), "payload_hash", "reason")
        ).alias("r"),
    )
    rows = curated.groupBy(*KEY).agg(
        F.count("*").alias("rows"), F.max_by(F.struct("payload_hash", *VERSION), F.struct(*VERSION)).alias("c")
    )
    quarantined = quarantine.groupBy(*_COORDINATES).agg(F.count("*").alias("quarantines"))
    told = (
        records.select(*_COORDINATES, "copies", "r.*")
        .join(rows, list(KEY), "left")
        .join(quarantined, list(_COORDINATES), "left")
    )
    is_readable = F.col("reason").isNull()
    version = F.struct(
        "ingested_at", F.col("partition").alias("kafka_partition"), F.col("offset").alias("kafka_offset")
    )
    held = F.struct(*[F.col(f"c.{column}").alias(column) for column in VERSION])
    is_held, is_older = version == held, version < held
    quarantines, copies_in_curated = F.coalesce("quarantines", F.lit(0)), F.coalesce("rows", F.lit(0))
    disposition = (
        F.when((F.col("copies") > 1) | (quarantines > 1), DOUBLED)
        .when(is_readable & ((copies_in_curated > 1) | (quarantines > 0)), DOUBLED)
        .when(~is_readable & (quarantines == 1), "quarantined")
        .when(is_readable & is_held, "curated")
        .when(is_readable & (F.col("payload_hash") == F.col("c.payload_hash")), "duplicate")
        .when(is_readable & is_older, "superseded")
        .otherwise(UNACCOUNTED)
    )
    return told.select("partition", "offset", disposition.alias("disposition"))


def spans(raw: DataFrame) -> DataFrame:
    """Per topic, incarnation and partition the first and last offset in Raw and their count: first, last, held."""
    return raw.groupBy("topic", "incarnation", "partition").agg(
        F.min("offset").alias("first"), F.max("offset").alias("last"), F.count_distinct("offset").alias("held")
    )


def differences(curated: DataFrame, served: DataFrame, columns: Sequence[str], key: Sequence[str] = KEY) -> DataFrame:
    """Rows that are not the same in both: the key and `difference`, one of absent, foreign, changed."""
    told = [column for column in columns if column not in key]
    left = curated.select(*key, F.struct(*told).alias("curated"))
    right = served.select(*key, F.struct(*told).alias("served"))
    difference = (
        F.when(F.col("served").isNull(), "absent")
        .when(F.col("curated").isNull(), "foreign")
        .when(~F.col("curated").eqNullSafe(F.col("served")), "changed")
    )
    joined = left.join(right, list(key), "full_outer")
    return joined.select(*key, difference.alias("difference")).where(F.col("difference").isNotNull())


def pane_differences(made: DataFrame, served: DataFrame, *more: str) -> DataFrame:
    """Panes that are not the same in both, nor in `more` of their columns: the key, and `difference` as above.

    Sums of the same values in another order differ in their last digits.
    """
    key = ["station_id", "variable", "window_start"]
    told = [*STATISTICS, *more]
    left = made.select(*key, F.struct(*told).alias("made"))
    right = served.select(*key, F.struct(*told).alias("served"))
    are_equal = [F.col(f"made.{name}").eqNullSafe(F.col(f"served.{name}")) for name in more]
    are_close = reduce(and_, [*map(_are_close, STATISTICS), *are_equal])
    difference = (
        F.when(F.col("served").isNull(), "absent").when(F.col("made").isNull(), "foreign").when(~are_close, "changed")
    )
    joined = left.join(right, key, "full_outer")
    return joined.select(*key, difference.alias("difference")).where(F.col("difference").isNotNull())


def _are_close(name: str) -> Column:
    made, served = F.col(f"made.{name}"), F.col(f"served.{name}")
    size = F.greatest(F.abs(made), F.abs(served), F.lit(1.0))
    return made.eqNullSafe(served) | F.coalesce(F.abs(made - served) <= _TOLERANCE * size, F.lit(False))
