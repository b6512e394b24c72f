"""Parity: what curation makes of records, against what the stream made of the same records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY
from weahouse.schemas.fields import FLAGS, VARIABLES
from weahouse.transforms.newest import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

# The table has no such row; it holds an older record; it holds the same reading, but says something else of it.
FAULTS = ABSENT, OUTDATED, DIFFERENT = "absent", "outdated", "different"
_ON = (*KEY, "observed_date")
_JUDGED = ("region", *FLAGS, "tests_applied", "tests_failed")
_HELD = (*VERSION, "payload_hash", "revision", "rules_version", "late_by_s", *VARIABLES, *_JUDGED)
# A driver reads the registry at the beginning of a batch; clocks of the broker and of who registers may differ.
_REGISTRY_MARGIN_S = 60


def compare(recomputed: DataFrame, curated: DataFrame) -> DataFrame:
    """Each reading of `recomputed` against what `curated` holds of its station and time.

    `recomputed`: newest records, judged, with `latitude_deg` and `registered_at` of their stations. Shape: its columns,
    `fault` (one of FAULTS, or null), `differing` (names of columns), `is_compared`: whether the judgements could be
    compared, made by the same rules and the same registry, and `is_corrected`: whether more than one record told of it.
    """
    held = curated.select(*_ON, *[F.col(name).alias(f"held_{name}") for name in _HELD])
    joined = recomputed.join(held, list(_ON), "left")
    is_said = F.col("payload_hash") == F.col("held_payload_hash")
    told = {
        "is_compared": F.coalesce(is_said & _is_comparable(), F.lit(False)),
        "is_corrected": F.coalesce(F.col("held_revision") > 0, F.lit(False)),
    }
    differing = F.array_compact(F.concat(_unequal(VARIABLES, is_said), _unequal(_JUDGED, F.col("is_compared"))))
    # A repeat may have been late where the first record was not.
    differing = F.array_compact(F.concat(differing, _unequal(["late_by_s"], _version() == _version("held_"))))
    fault = (
        F.when(F.col("held_payload_hash").isNull(), ABSENT)
        .when(~is_said & (_version() > _version("held_")), OUTDATED)
        .when(F.size("differing") > 0, DIFFERENT)
    )
    found = joined.withColumns(told).withColumn("differing", differing).withColumn("fault", fault)
    return found.select(*recomputed.columns, "fault", "differing", *told)


def _is_comparable() -> Column:
    margin_s = F.unix_seconds("held_ingested_at") - F.unix_seconds("registered_at")
    # Without a latitude the registry says no more than the station's own records do.
    is_known_since = F.col("latitude_deg").isNull() | (margin_s > _REGISTRY_MARGIN_S)
    return (F.col("rules_version") == F.col("held_rules_version")) & is_known_since


def _version(prefix: str = "") -> Column:
    return F.struct(*[F.col(f"{prefix}{column}").alias(column) for column in VERSION])


def _unequal(columns: Iterable[str], where: Column) -> Column:
    """The names of the columns that differ, with nulls for the others."""
    return F.array(*[F.when(where & ~F.col(name).eqNullSafe(F.col(f"held_{name}")), F.lit(name)) for name in columns])
