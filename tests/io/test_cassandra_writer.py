from __future__ import annotations

import pyarrow as pa
import pytest

from weahouse.io.cassandra_writer import columns_written
from weahouse.schemas.datasets import CONTROL_COLUMNS, DELETE, INSERT, LATEST_BY_REGION, OVERWRITE

TABLE = LATEST_BY_REGION
ALL = (1 << len(TABLE.columns)) - 1
WITHOUT_VALUE = ALL & ~(1 << TABLE.columns.index("measured_value"))


@pytest.mark.parametrize(
    ("mode", "value", "written"),
    [
        (INSERT, 1.5, ALL),
        (INSERT, None, WITHOUT_VALUE),
        # A value that was withdrawn must not stay: its null is written.
        (OVERWRITE, None, ALL),
        (DELETE, 1.5, 0),
        (DELETE, None, 0),
    ],
)
def test_a_row_writes_what_it_has_unless_it_overwrites_or_deletes(mode: int, value: float | None, written: int) -> None:
    assert columns_written(_batch((mode, value)), TABLE).tolist() == [written]


def test_each_row_of_a_batch_is_judged_by_itself() -> None:
    batch = _batch((INSERT, None), (DELETE, 2.0), (INSERT, 3.0), (OVERWRITE, None))
    assert columns_written(batch, TABLE).tolist() == [WITHOUT_VALUE, 0, ALL, ALL]


def _batch(*rows: tuple[int, float | None]) -> pa.RecordBatch:
    columns = {name: pa.array(["x"] * len(rows)) for name in (*TABLE.columns, *CONTROL_COLUMNS)}
    columns["write_mode"] = pa.array([mode for mode, _ in rows], pa.int32())
    columns["measured_value"] = pa.array([value for _, value in rows], pa.float64())
    return pa.RecordBatch.from_pydict(columns)
