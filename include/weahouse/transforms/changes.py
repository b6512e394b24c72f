"""What a batch of newest records does to a keyed table: each record is one of five changes to the row of its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY
from weahouse.transforms.newest import VERSION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NEW = "new"
CORRECTION = "correction"
# The very record that the table holds: a batch that is being done a second time.
AGAIN = "again"
REPEAT = "repeat"
SUPERSEDED = "superseded"
WRITTEN = (NEW, CORRECTION, AGAIN)

# The day is named in the join because rows of both sides are placed by it.
_ON = (*KEY, "observed_date")


def resolve(newest: DataFrame, table: DataFrame) -> DataFrame:
    """The rows of both sides as the table is to hold them, with `change`, null where the batch says nothing of a key.

    Shape: newest's columns, of which those that the table has come from the side that wins, `revision`, `change`, and
    `was_present`: the mask of tests applied to the row that a correction replaces.
    """
    shared = [column for column in newest.columns if column in table.columns and column not in _ON]
    held = table.select(*_ON, *[F.col(column).alias(f"held_{column}") for column in (*shared, "revision")])
    version, held_version = F.struct(*VERSION), F.struct(*[F.col(f"held_{column}").alias(column) for column in VERSION])
    # With the append time, because a topic that was created again has the same offsets once more.
    is_same_record, is_newer = version == held_version, version > held_version
    change = (
        F.when(F.col("payload_hash").isNull(), F.lit(None))
        .when(F.col("held_payload_hash").isNull(), NEW)
        .when(is_same_record, AGAIN)
        .when(F.col("payload_hash") == F.col("held_payload_hash"), REPEAT)
        .when(is_newer, CORRECTION)
        .otherwise(SUPERSEDED)
    )
    told = newest.join(held, list(_ON), "full_outer").withColumn("change", change)

    wins = F.col("change").isin(*WRITTEN)
    rows = {column: F.when(wins, F.col(column)).otherwise(F.col(f"held_{column}")) for column in shared}
    revision = F.when(F.col("change") == CORRECTION, F.col("held_revision") + 1).otherwise(F.col("held_revision"))
    replaced = F.when(F.col("change") == CORRECTION, F.col("held_tests_applied")).otherwise(F.lit(0))
    return told.select(
        *[rows.get(column, F.col(column)).alias(column) for column in newest.columns],
        F.coalesce(revision, F.lit(0)).cast("int").alias("revision"),
        "change",
        replaced.cast("bigint").alias("was_present"),
    )
