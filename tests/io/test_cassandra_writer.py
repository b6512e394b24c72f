from __future__ import annotations

import pyarrow as pa
import pytest

from weahouse.io.cassandra_writer import (
    PARTITIONS_PER_BATCH,
    bindable,
    columns_written,
    packed,
    single_partition_batches,
)
from weahouse.schemas.serving_tables import CONTROL_COLUMNS, DELETE, INSERT, OVERWRITE, STATIONS_BY_REGION

TABLE = STATIONS_BY_REGION
ROWS = TABLE.rows_per_request
ALL = (1 << len(TABLE.columns)) - 1
VALUE = TABLE.columns[-1]
WITHOUT_VALUE = ALL & ~(1 << TABLE.columns.index(VALUE))


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


def test_large_partitions_take_turns_and_share_no_request() -> None:
    sizes = {"a": 2 * ROWS + 1, "b": 2 * ROWS}
    requests = list(packed(single_partition_batches(_rows(sizes), TABLE), TABLE))
    assert [({row[0] for row in rows}, len(rows)) for rows in requests] == [
        ({"a"}, ROWS),
        ({"b"}, ROWS),
        ({"a"}, ROWS),
        ({"b"}, ROWS),
        ({"a"}, 1),
    ]


def test_small_partitions_share_requests_of_so_many_partitions_and_rows() -> None:
    alone = {f"{i:02}": 1 for i in range(PARTITIONS_PER_BATCH + 1)}
    requests = list(packed(single_partition_batches(_rows(alone), TABLE), TABLE))
    assert [len(rows) for rows in requests] == [PARTITIONS_PER_BATCH, 1]
    by_rows = list(packed(single_partition_batches(_rows({"a": 20, "b": 20, "c": 20}), TABLE), TABLE))
    assert [len(rows) for rows in by_rows] == [40, 20]
    assert [row for rows in by_rows for row in rows] == _rows({"a": 20, "b": 20, "c": 20})


def test_a_structure_is_bound_by_the_names_of_what_it_has() -> None:
    told = [{"value_count": 2, "value_sum": None}, None, {"value_count": 3, "value_sum": 1.5}]
    assert bindable(pa.array(told)) == [{"value_count": 2}, None, {"value_count": 3, "value_sum": 1.5}]
    assert bindable(pa.array([1, None])) == [1, None]


def test_a_structure_of_structures_is_bound_alike() -> None:
    told = [{"judged_version": 1, "pane": {"value_count": 0, "value_sum": None}}, {"judged_version": 2, "pane": None}]
    assert bindable(pa.array(told)) == [{"judged_version": 1, "pane": {"value_count": 0}}, {"judged_version": 2}]


def _rows(sizes: dict[str, int]) -> list[tuple[str, int]]:
    """So many rows of each partition, as they come sorted; the partition is TABLE's first column."""
    return [(partition, i) for partition, count in sizes.items() for i in range(count)]


def _batch(*rows: tuple[int, float | None]) -> pa.RecordBatch:
    columns = {name: pa.array(["x"] * len(rows)) for name in (*TABLE.columns, *CONTROL_COLUMNS)}
    columns["write_mode"] = pa.array([mode for mode, _ in rows], pa.int32())
    columns[VALUE] = pa.array([value for _, value in rows], pa.float64())
    return pa.RecordBatch.from_pydict(columns)
