"""Delta tables through Spark: created from the schemas, read, appended once, merged and replaced by key."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from weahouse.io.appends import append_few
from weahouse.schemas.render import path, to_spark

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from delta.tables import DeltaMergeBuilder, DeltaTable
    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

# They pass through the driver's memory, a kilobyte each.
_FEW_ROWS = 20_000
LOG_RETENTION_DAYS = 7
# Every look at a table reads the commits since its last checkpoint, up to so many small files; and every checkpoint
# names all of the table's files.
CHECKPOINT_INTERVAL = 40
PROPERTIES = {
    # With deletion vectors a MERGE that touches files the session has read before fails (Delta 4.4.0 on Spark 4.2.0).
    "delta.enableDeletionVectors": "false",
    # A commit leaves up to two files, and an HDFS folder holds about a million: docs/operations.md has the sum. Delta
    # refuses a log that is kept for less time than the files it speaks of.
    "delta.logRetentionDuration": f"interval {LOG_RETENTION_DAYS} days",
    "delta.deletedFileRetentionDuration": f"interval {LOG_RETENTION_DAYS} days",
    "delta.checkpointInterval": str(CHECKPOINT_INTERVAL),
}


def table_path(settings: Settings, dataset: Dataset) -> str:
    """The full URI of a table."""
    return settings.hdfs + path(dataset, settings.hdfs_root)


def ensure_table(spark: SparkSession, settings: Settings, dataset: Dataset) -> None:
    """Create the table from its schema where it does not exist yet."""
    from delta.tables import DeltaTable

    builder = DeltaTable.createIfNotExists(spark).location(table_path(settings, dataset)).addColumns(to_spark(dataset))
    if dataset.partition_by:
        builder = builder.partitionedBy(*dataset.partition_by)
    kept = {"delta.dataSkippingStatsColumns": ",".join(dataset.skip_by)} if dataset.skip_by else {}
    for key, value in (PROPERTIES | kept).items():
        builder = builder.property(key, value)
    builder.execute()


def open_table(spark: SparkSession, settings: Settings, dataset: Dataset) -> DeltaTable:
    from delta.tables import DeltaTable

    return DeltaTable.forPath(spark, table_path(settings, dataset))


def read_table(spark: SparkSession, settings: Settings, dataset: Dataset, version: int | None = None) -> DataFrame:
    """The table's rows at a version, the newest one where it is None."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(table_path(settings, dataset))


def version_of(spark: SparkSession, settings: Settings, dataset: Dataset) -> int:
    """The table's newest version; raises AnalysisException where there is no table."""
    # The table's history has it too, for a third of a second and a job of Spark.
    log = spark.sparkContext._jvm.org.apache.spark.sql.delta.DeltaLog  # type: ignore[union-attr]
    version = int(log.forTableWithSnapshot(spark._jsparkSession, table_path(settings, dataset))._2().version())
    if version < 0:
        # What is no table has version -1; opening it raises.
        open_table(spark, settings, dataset)
    return version


def append_once(
    rows: DataFrame, settings: Settings, dataset: Dataset, writer: str, batch_id: int, *, count: int | None = None
) -> None:
    """Append a micro-batch; the same writer and batch_id a second time changes nothing.

    `writer` must name the query's checkpoint: with a new checkpoint batch ids begin again, and Delta would silently
    skip batches of a writer that it knows. `count`, how many rows there are, lets few of them be written without Spark.
    """
    told, transaction = rows.select(*dataset.columns), f"{writer}/{dataset.name}"
    if count is not None and count <= _FEW_ROWS:
        append_few(told.toArrow(), settings, dataset, transaction, batch_id)
        return
    (
        told.write.format("delta")
        .mode("append")
        .option("txnAppId", transaction)
        .option("txnVersion", batch_id)
        .save(table_path(settings, dataset))
    )


def merge_by_key(
    rows: DataFrame,
    settings: Settings,
    dataset: Dataset,
    bounds: Column,
    *,
    update_when: str | None,
    transaction: tuple[str, int],
) -> None:
    """Insert rows with new keys; update those that satisfy `update_when` (over t and s), or none where it is None.

    `bounds` are literal limits over the target's columns: without them MERGE reads the whole table. `transaction` is a
    writer and a number as in `append_once`.
    """
    merge = _merge(rows.select(*dataset.columns), settings, dataset, bounds)
    if update_when is not None:
        merge = merge.whenMatchedUpdateAll(condition=update_when)
    with _transaction(rows.sparkSession, *transaction):
        merge.whenNotMatchedInsertAll().execute()


def replace_by_key(
    rows: DataFrame,
    settings: Settings,
    dataset: Dataset,
    bounds: Column,
    *,
    gone_when: str,
    transaction: tuple[str, int],
) -> None:
    """Put each row in the place of the one with its key, or delete that where `gone_when` (over s), all in one commit.

    `bounds` and `transaction` as in `merge_by_key`; `rows` may have more columns than the table.
    """
    merge = _merge(rows, settings, dataset, bounds).whenMatchedDelete(condition=gone_when).whenMatchedUpdateAll()
    with _transaction(rows.sparkSession, *transaction):
        merge.whenNotMatchedInsertAll(condition=f"NOT ({gone_when})").execute()


def _merge(rows: DataFrame, settings: Settings, dataset: Dataset, bounds: Column) -> DeltaMergeBuilder:
    """A MERGE of rows `s` into the table `t` by the key; the partition too, so that files are skipped by it."""
    from pyspark.sql import functions as F

    on = bounds
    for column in (*dataset.primary_key, *dataset.partition_by):
        on = on & (F.col(f"t.{column}") == F.col(f"s.{column}"))
    return open_table(rows.sparkSession, settings, dataset).alias("t").merge(rows.alias("s"), on)


@contextmanager
def _transaction(spark: SparkSession, writer: str, number: int) -> Iterator[None]:
    """What options say of an append, said for a MERGE, which takes none."""
    told: dict[str, str | int] = {"txnAppId": writer, "txnVersion": number}
    for name, value in told.items():
        spark.conf.set(f"spark.databricks.delta.write.{name}", value)
    try:
        yield
    finally:
        for name in told:
            spark.conf.unset(f"spark.databricks.delta.write.{name}")


def one_of(column: str, values: Sequence[date] | Sequence[str], at_most: int = 400) -> Column:
    """Literal bounds over days or months: the listed values, or their range where a list made the plan too long."""
    from pyspark.sql import functions as F

    if len(values) <= at_most:
        return F.col(column).isin(list(values))
    return F.col(column).between(min(values), max(values))
