"""Both modes of a shared transform: the same rows as a table and as a stream must give the same result."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pyspark.sql import DataFrame

Transform = Callable[[DataFrame], DataFrame]
Runner = Callable[[DataFrame, Transform], DataFrame]


def as_batch(rows: DataFrame, transform: Transform) -> DataFrame:
    return transform(rows)


def as_stream(rows: DataFrame, transform: Transform, folder: Path) -> DataFrame:
    """Each half of the rows is a micro-batch of its own, so that state and order matter."""
    spark = rows.sparkSession
    # The default file system is HDFS, as in every application of ours.
    source, name = f"file://{folder}/{uuid.uuid4().hex}", f"streamed_{uuid.uuid4().hex}"
    rows.repartition(2).write.parquet(source)
    stream = spark.readStream.schema(rows.schema).option("maxFilesPerTrigger", 1).parquet(source)
    result = transform(stream)
    # A grouped result is told whole after each trigger; Spark refuses that mode where nothing is grouped.
    mode = "complete" if "Aggregate" in result._jdf.queryExecution().logical().toString() else "append"
    query = (
        result.writeStream.format("memory")
        .queryName(name)
        .outputMode(mode)
        .option("checkpointLocation", f"file://{folder}/{name}")
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    return spark.table(name)


@pytest.fixture(params=["batch", "stream"])
def mode(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    """Both ways to run a transform; a room's conftest imports it."""
    return as_batch if request.param == "batch" else partial(as_stream, folder=tmp_path)
