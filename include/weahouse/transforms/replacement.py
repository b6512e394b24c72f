"""What must change in a keyed table so that it says what was computed anew, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from weahouse.schemas.kinds import Dataset

NEW, CHANGED, GONE, SAME = "new", "changed", "gone", "same"


def replacement(fresh: DataFrame, held: DataFrame, dataset: Dataset) -> DataFrame:
    """The rows of both sides with `change`: what becomes of them when `fresh` takes the place of `held`.

    Shape: the dataset's columns and `change`; of a key that both sides have, the row of `fresh`. Rows are the same when
    every column is: nulls equal nulls, and numbers are compared exactly.
    """
    key = dataset.primary_key
    rest = [column for column in dataset.columns if column not in key]
    sides = [side.select(*key, F.struct(*rest).alias(name)) for side, name in ((fresh, "fresh"), (held, "held"))]
    change = (
        F.when(F.col("held").isNull(), NEW)
        .when(F.col("fresh").isNull(), GONE)
        .when(F.col("fresh").eqNullSafe(F.col("held")), SAME)
        .otherwise(CHANGED)
    )
    both = sides[0].join(sides[1], list(key), "full_outer")
    rows = both.select(*key, F.coalesce("fresh", "held").alias("row"), change.alias("change"))
    return rows.select(*[column if column in key else f"row.{column}" for column in dataset.columns], "change")
