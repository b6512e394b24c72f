"""What a batch of newest records does to a keyed table: each record is one of five changes to the row of its key."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY
from weahouse.transforms.newest import VERSION

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

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
    shared = tuple(column for column in newest.columns if column in table.columns and column not in _ON)
    held, result = _columns(tuple(newest.columns), shared)
    told = newest.join(table.select(*_ON, *held), list(_ON), "full_outer").withColumn("change", _change())
    return told.select(*result)


# Columns are built once: each costs several calls into the JVM, and every micro-batch needs the same ones.
@cache
def _change() -> Column:
    version, held_version = F.struct(*VERSION), F.struct(*[F.col(f"held_{column}").alias(column) for column in VERSION])
    says_the_same = F.col("payload_hash") == F.col("held_payload_hash")
    # A reading that returned to what it was (A, B, A) with B in this batch too: the row must carry the last record's
    # version, or B, which is newer than the first, would be neither held nor superseded.
    returned = F.col("contested") & (version > held_version)
    return (
        F.when(F.col("payload_hash").isNull(), F.lit(None))
        .when(F.col("held_payload_hash").isNull(), NEW)
        # With the append time, because a topic that was created again has the same offsets once more.
        .when(version == held_version, AGAIN)
        .when(says_the_same & ~returned, REPEAT)
        .when(version > held_version, CORRECTION)
        .otherwise(SUPERSEDED)
    )


@cache
def _columns(of_newest: tuple[str, ...], shared: tuple[str, ...]) -> tuple[list[Column], list[Column]]:
    """What is read of the table, and what comes of the join."""
    held = [F.col(column).alias(f"held_{column}") for column in (*shared, "revision")]
    wins, is_correction = F.col("change").isin(*WRITTEN), F.col("change") == CORRECTION
    winners = {column: F.when(wins, F.col(column)).otherwise(F.col(f"held_{column}")) for column in shared}
    revision = F.when(is_correction, F.col("held_revision") + 1).otherwise(F.col("held_revision"))
    replaced = F.when(is_correction, F.col("held_tests_applied")).otherwise(F.lit(0))
    return held, [
        *[winners.get(column, F.col(column)).alias(column) for column in of_newest],
        F.coalesce(revision, F.lit(0)).cast("int").alias("revision"),
        F.col("change"),
        replaced.cast("bigint").alias("was_present"),
    ]
