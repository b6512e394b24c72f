"""What became of every record: exactly one of curated, duplicate, superseded, quarantined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY
from weahouse.transforms.newest import VERSION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

DISPOSITIONS = ("curated", "duplicate", "superseded", "quarantined")
UNACCOUNTED, DOUBLED = "unaccounted", "doubled"


def dispose(parsed: DataFrame, curated: DataFrame, quarantine: DataFrame) -> DataFrame:
    """Coordinates of each Raw record with its `disposition`: one of DISPOSITIONS, unaccounted or doubled.

    `parsed` is `parse` of Raw. A record is doubled when Raw or the quarantine holds its offset twice, when Curated
    holds its key twice, or when it is both curated and quarantined.
    """
    records = parsed.groupBy("partition", "offset").agg(
        F.count("*").alias("copies"),
        F.first(
            F.struct("station_id", "observed_at", F.col("timestamp").alias("ingested_at"), "payload_hash", "reason")
        ).alias("r"),
    )
    rows = curated.groupBy(*KEY).agg(
        F.count("*").alias("rows"), F.max_by(F.struct("payload_hash", *VERSION), F.struct(*VERSION)).alias("c")
    )
    quarantined = quarantine.groupBy("partition", "offset").agg(F.count("*").alias("quarantines"))
    told = (
        records.select("partition", "offset", "copies", "r.*")
        .join(rows, list(KEY), "left")
        .join(quarantined, ["partition", "offset"], "left")
    )
    is_held = (F.col("c.kafka_partition") == F.col("partition")) & (F.col("c.kafka_offset") == F.col("offset"))
    is_readable = F.col("reason").isNull()
    version = F.struct(
        "ingested_at", F.col("partition").alias("kafka_partition"), F.col("offset").alias("kafka_offset")
    )
    is_older = version < F.struct(*[F.col(f"c.{column}").alias(column) for column in VERSION])
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


def missing_offsets(raw: DataFrame) -> DataFrame:
    """Per partition how many offsets between the first and the last are not in Raw: partition, missing."""
    span = F.max("offset") - F.min("offset") + 1
    return raw.groupBy("partition").agg((span - F.count_distinct("offset")).alias("missing"))


def differences(curated: DataFrame, served: DataFrame, columns: list[str]) -> DataFrame:
    """Rows that are not the same in both: the key and `difference`, one of absent, foreign, changed."""
    told = ["region", *[column for column in columns if column not in (*KEY, "region", "day")]]
    left = curated.select(*KEY, F.struct(*told).alias("curated"))
    right = served.select(*KEY, F.struct(*told).alias("served"))
    difference = (
        F.when(F.col("served").isNull(), "absent")
        .when(F.col("curated").isNull(), "foreign")
        .when(~F.col("curated").eqNullSafe(F.col("served")), "changed")
    )
    joined = left.join(right, list(KEY), "full_outer")
    return joined.select(*KEY, difference.alias("difference")).where(F.col("difference").isNotNull())
