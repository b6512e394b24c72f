"""Cassandra's rows in Spark: each task reads the partitions that it is given, one query for each row of parameters.

The counterpart of `io.cassandra_writer`; it runs inside Spark's Python workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import rows_of_each
from weahouse.schemas.fields import FIELDS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from weahouse.settings import Settings

# What the rows that were read come to: as many other ones, or more, or fewer.
Told = Callable[[Iterable[dict[str, Any]]], Iterable[dict[str, Any]]]

# A task reads its partitions of Cassandra one after the other; more tasks than cores only cost their start.
_READERS = 2
# Some 2 kB each while they are Python's: a batch of 10,000 partitions would be gigabytes.
_ROWS_AT_ONCE = 20_000


def read_each(
    settings: Settings, select: str, columns: Sequence[str], parameters: DataFrame, told: Told | None = None
) -> DataFrame:
    """Columns of what a query gives for each row of its parameters; `told`: what those rows come to, if not these."""
    schema = ", ".join(f"{name} {FIELDS[name].type}" for name in columns)
    return parameters.repartition(_READERS).mapInArrow(_Reader(settings, select, tuple(columns), told).read, schema)


@dataclass(frozen=True)
class _Reader:
    """Made in the driver, used in Spark's Python workers."""

    settings: Settings
    select: str
    columns: tuple[str, ...]
    told: Told | None

    def read(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        arrow = {"double": pa.float64(), "tinyint": pa.int8(), "bigint": pa.int64(), "string": pa.string()}
        arrow["timestamp"] = pa.timestamp("us", "UTC")
        schema = pa.schema([(name, arrow[FIELDS[name].type]) for name in self.columns])
        for batch in batches:
            asked = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            found = rows_of_each(self.settings, self.select, asked)
            members = iter(self.told(found) if self.told else found)
            while some := list(islice(members, _ROWS_AT_ONCE)):
                # Times come without a zone and are UTC, which is how Arrow takes them.
                yield pa.RecordBatch.from_pylist(some, schema)
