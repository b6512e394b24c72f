"""What becomes of a table's rows when others take their place."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from weahouse.schemas.kinds import Dataset
from weahouse.transforms.replacement import CHANGED, GONE, NEW, SAME, replacement

TABLE = Dataset("gold.made_up", "", columns=("place", "station_id", "hour", "mean"), primary_key=("station_id", "hour"))


def rows(spark: SparkSession, *told: tuple[str, str, int, float | None]) -> DataFrame:
    return spark.createDataFrame(list(told), "place string, station_id string, hour int, mean double")


def changes(fresh: DataFrame, held: DataFrame) -> dict[tuple[str, int], tuple[Any, ...]]:
    found = replacement(fresh, held, TABLE)
    assert found.columns == [*TABLE.columns, "change"]
    return {(row["station_id"], row["hour"]): (row["change"], row["place"], row["mean"]) for row in found.collect()}


def test_each_row_is_new_changed_gone_or_the_same(spark: SparkSession):
    held = rows(spark, ("x", "a", 1, 1.0), ("x", "a", 2, 2.0), ("x", "b", 1, None), ("x", "b", 2, None))
    fresh = rows(spark, ("x", "a", 1, 1.0), ("y", "a", 3, 3.0), ("x", "b", 1, None), ("x", "b", 2, 0.0))
    assert changes(fresh, held) == {
        ("a", 1): (SAME, "x", 1.0),
        ("a", 2): (GONE, "x", 2.0),
        ("a", 3): (NEW, "y", 3.0),
        ("b", 1): (SAME, "x", None),
        ("b", 2): (CHANGED, "x", 0.0),
    }


def test_numbers_are_compared_to_the_last_bit(spark: SparkSession):
    assert changes(rows(spark, ("x", "a", 1, 0.1 + 0.2)), rows(spark, ("x", "a", 1, 0.3)))["a", 1][0] == CHANGED
