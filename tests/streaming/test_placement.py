from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from weahouse.streaming.placement import INTERPRETED_ROWS, Placement

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def compiled(session: SparkSession) -> int:
    """How many classes Spark has compiled so far."""
    assert session._jvm is not None
    count: int = session._jvm.org.apache.spark.metrics.source.CodegenMetrics.METRIC_COMPILATION_TIME().getCount()
    return count


@pytest.mark.parametrize(("rows", "compiles"), [(INTERPRETED_ROWS, False), (INTERPRETED_ROWS + 1, True)])
def test_java_is_compiled_for_batches_of_many_rows_only(spark: SparkSession, rows: int, compiles: bool) -> None:
    session = spark.newSession()
    Placement.for_rows(rows).suit(session)

    def ask() -> None:
        # Spark keeps what it has compiled: a literal that no plan had before needs a class of its own.
        new = uuid.uuid4().int % 1_000_000_007
        assert session.range(10).where((F.col("id") + new) % 2 == new % 2).count() == 5

    # What is the same for all plans, such as counting, is compiled once in any case.
    ask()
    before = compiled(session)
    ask()
    assert (compiled(session) > before) == compiles
