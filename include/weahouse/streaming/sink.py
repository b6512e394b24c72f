"""The one way from rows of a serving table into Cassandra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.cassandra_writer import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from weahouse.schemas.kinds import ServingTable
    from weahouse.settings import Settings


def planned_write(rows: DataFrame, settings: Settings, table: ServingTable) -> Callable[[], int]:
    """What writes rows as `transforms.served` makes them, and returns how many were within the retention."""
    retention_s = settings.serving_retention_days * 86400
    target = Target(tuple(settings.cassandra), settings.cassandra_keyspace, table, retention_s)
    # A partition's rows must come together to share a request.
    sorted_rows = rows.sortWithinPartitions(*table.partition_key)
    written = sorted_rows.mapInArrow(target.write, "rows_written bigint").agg(F.sum("rows_written").alias("n"))

    def write() -> int:
        row = written.first()
        return int(row["n"] or 0) if row else 0

    return write
