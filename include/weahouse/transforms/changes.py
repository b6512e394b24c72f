"""What a batch of newest records does to a keyed table: each row is one of five changes."""

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

_KNOWN = ("payload_hash", *VERSION, "revision", "tests_applied")


def classify(newest: DataFrame, table: DataFrame) -> DataFrame:
    """Add `change`, `revision`, and `was_present`: the mask of tests applied to the row that a correction replaces."""
    held = table.select(*KEY, *[F.col(column).alias(f"held_{column}") for column in _KNOWN])
    version, held_version = F.struct(*VERSION), F.struct(*[F.col(f"held_{column}").alias(column) for column in VERSION])
    # With the append time, because a topic that was created again has the same offsets once more.
    is_same_record, is_newer = version == held_version, version > held_version
    change = (
        F.when(F.col("held_payload_hash").isNull(), NEW)
        .when(is_same_record, AGAIN)
        .when(F.col("payload_hash") == F.col("held_payload_hash"), REPEAT)
        .when(is_newer, CORRECTION)
        .otherwise(SUPERSEDED)
    )
    revision = F.when(change == CORRECTION, F.col("held_revision") + 1).when(change == AGAIN, F.col("held_revision"))
    was_present = F.when(change == CORRECTION, F.col("held_tests_applied")).otherwise(F.lit(0).cast("bigint"))
    joined = newest.join(held, list(KEY), "left")
    return joined.select(
        *newest.columns,
        change.alias("change"),
        F.coalesce(revision, F.lit(0)).cast("int").alias("revision"),
        was_present.alias("was_present"),
    )
