from __future__ import annotations

from typing import TYPE_CHECKING

from weahouse.io.python_daemon import NEEDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa
    from pyspark.sql import SparkSession


def test_a_worker_is_forked_from_our_daemon_with_what_it_needs(spark: SparkSession):
    needed = NEEDED

    def begin(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import os
        import sys
        from pathlib import Path

        lacking = [name for name in needed if name not in sys.modules]
        import pyarrow as pa

        parent = Path(f"/proc/{os.getppid()}/cmdline").read_text()
        yield pa.RecordBatch.from_pylist([{"parent": parent, "lacking": ",".join(lacking)}])

    (row,) = spark.range(1).coalesce(1).mapInArrow(begin, "parent string, lacking string").collect()
    assert "weahouse.io.python_daemon" in row["parent"]
    assert row["lacking"] == ""
