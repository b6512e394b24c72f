"""The stream's way into Cassandra: Arrow batches in, unlogged batches of one partition, or of a few small ones, out.

Runs inside Spark's Python workers, one session a process. The DataStax C++ driver (acsylla) wrote 139,000 rows/s where
the Python driver wrote 21,000; every request carries its own timestamp, so that a repeated write changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cache
from itertools import groupby, zip_longest
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from weahouse.schemas.serving_tables import CONTROL_COLUMNS, DELETE, OVERWRITE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from weahouse.schemas.kinds import ServingTable

# With more of them Cassandra warns. Live readings come one or a few of each station, and a request for each station
# cost a node 0.4 ms of CPU, as much as 25 rows.
PARTITIONS_PER_BATCH = 10
# An answer takes the 10 ms for which Cassandra's log gathers a group; with 32 in flight that bounded small requests.
IN_FLIGHT = 128
_ATTEMPTS = 5
_REQUEST_TIMEOUT_S = 10.0

_Row = tuple[Any, ...]


@dataclass(frozen=True)
class Target:
    """Where a writer writes; rows live for `retention_s` from their append, 0: for ever."""

    contact_points: tuple[tuple[str, int], ...]
    keyspace: str
    table: ServingTable
    retention_s: int = 0

    def write(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write rows sorted by partition key but those beyond the retention; yields the number written per batch.

        Columns: the table's, with times as seconds and dates as seconds too, then `CONTROL_COLUMNS`.
        Raises acsylla's errors when Cassandra does not take a row.
        """
        expected = (*self.table.columns, *CONTROL_COLUMNS)
        for batch in batches:
            if tuple(batch.schema.names) != expected:
                raise ValueError(f"{self.table.name} takes the columns {expected}, not {tuple(batch.schema.names)}")
            loop, session = _session(self.contact_points)
            # The clock is asked here and not in the plan: Spark would compile a plan with a new literal anew each time.
            alive = with_ttl(batch, self.retention_s, int(time.time()))
            loop.run_until_complete(_Writer(session, self).write(alive))
            yield pa.RecordBatch.from_pydict({"rows_written": pa.array([alive.num_rows], pa.int64())})


def with_ttl(batch: pa.RecordBatch, retention_s: int, now_s: int) -> pa.RecordBatch:
    """Replace `ingested_at_s` by `ttl_s`, what is left of the retention (0: for ever); drop rows beyond it."""
    import pyarrow.compute as pc

    names = [*batch.schema.names[:-1], "ttl_s"]
    if retention_s == 0:
        forever = pa.array([0] * batch.num_rows, pa.int32())
        return pa.RecordBatch.from_arrays([*batch.columns[:-1], forever], names)
    left_s = pc.add(batch.column("ingested_at_s"), retention_s - now_s)
    told = pa.RecordBatch.from_arrays([*batch.columns[:-1], left_s.cast(pa.int32())], names)
    return told.filter(pc.greater(left_s, 0))


@cache
def _session(contact_points: tuple[tuple[str, int], ...]) -> tuple[asyncio.AbstractEventLoop, Any]:
    loop = asyncio.new_event_loop()
    return loop, loop.run_until_complete(_connect(contact_points))


async def _connect(contact_points: tuple[tuple[str, int], ...]) -> Any:
    import acsylla

    cluster = acsylla.create_cluster(
        [host for host, _ in contact_points],
        port=contact_points[0][1],
        request_timeout=_REQUEST_TIMEOUT_S,
        log_level="CRITICAL",
    )
    return await cluster.create_session()


@cache
def _prepared(session_id: int, statement: str) -> Any:
    """The future of a prepared statement; there is one statement for each set of columns that rows have."""
    del session_id, statement
    return []


class _Writer:
    """One Arrow batch's requests on their way to one table."""

    def __init__(self, session: Any, target: Target) -> None:
        self._session = session
        self._table = target.table
        self._name = f"{target.keyspace}.{target.table.name}"
        # By the set of columns that are written: a prepared statement, and what of a row it is bound to.
        self._statements: dict[int, tuple[Any, Callable[[_Row], _Row]]] = {}

    async def write(self, batch: pa.RecordBatch) -> None:
        # Looked at by column and not by row: that took as long as everything else of a row together.
        written = columns_written(batch, self._table)
        for columns in np.unique(written).tolist():
            self._statements[columns] = await self._statement(columns)
        rows = zip(*map(bindable, batch.columns), written.tolist(), strict=True)
        requests = packed(single_partition_batches(rows, self._table), self._table)
        await asyncio.gather(*(self._drain(requests) for _ in range(IN_FLIGHT)))

    async def _drain(self, requests: Iterator[list[_Row]]) -> None:
        import acsylla

        for rows in requests:
            if len(rows) == 1:
                await _patiently(self._session.execute, self._bound(rows[0]))
                continue
            batch = acsylla.create_batch_unlogged()
            for row in rows:
                batch.add_statement(self._bound(row))
            await _patiently(self._session.execute_batch, batch)

    def _bound(self, row: _Row) -> Any:
        prepared, values = self._statements[row[-1]]
        statement = prepared.bind()
        statement.bind_list(list(values(row)))
        return statement

    async def _statement(self, columns: int) -> tuple[Any, Callable[[_Row], _Row]]:
        width, keys = len(self._table.columns), len(self._table.key)
        _, version, ttl_s = range(width, width + 3)
        if not columns:
            # The key's columns come first in every serving table.
            return await self._prepare(_delete(self._name, self._table)), itemgetter(version, *range(keys))
        wanted = [i for i in range(width) if columns >> i & 1]
        return await self._prepare(_insert(self._name, self._table, wanted)), itemgetter(*wanted, version, ttl_s)

    async def _prepare(self, statement: str) -> Any:
        held = _prepared(id(self._session), statement)
        if not held:
            held.append(await self._session.create_prepared(statement))
        return held[0]


def bindable(column: pa.Array) -> list[Any]:
    """A column's values; of a structure those of its members that are not null, by name, as a user type is bound.

    A user type of others is bound as such a structure of structures.
    """
    if not isinstance(column, pa.StructArray):
        return list(column.to_pylist())
    # By member: Arrow's own way builds each structure's objects one by one, which takes several times as long.
    names = [field.name for field in column.type]
    members = zip(*map(bindable, column.flatten()), strict=True)
    told = ({name: value for name, value in zip(names, each, strict=True) if value is not None} for each in members)
    return [each or None for each in told]


def single_partition_batches(rows: Iterable[_Row], table: ServingTable) -> Iterator[list[_Row]]:
    """Rows that come sorted by partition, as what one request takes of one partition.

    Each partition's first request, then each one's second: a node makes writes of one partition wait for each other.
    """
    partitions = groupby(rows, key=itemgetter(*range(len(table.partition_key))))
    requests = [_cut(list(partition), table.rows_per_request) for _, partition in partitions]
    return (request for nth in zip_longest(*requests) for request in nth if request)


def _cut(partition: list[_Row], rows: int) -> list[list[_Row]]:
    return [partition[i : i + rows] for i in range(0, len(partition), rows)]


def packed(requests: Iterable[list[_Row]], table: ServingTable) -> Iterator[list[_Row]]:
    """Small requests that follow each other as one, of a few partitions; full ones stay as they are."""
    pack: list[_Row] = []
    partitions = 0
    for rows in requests:
        if pack and (len(pack) + len(rows) > table.rows_per_request or partitions == PARTITIONS_PER_BATCH):
            yield pack
            pack, partitions = [], 0
        pack, partitions = pack + rows, partitions + 1
    if pack:
        yield pack


def columns_written(batch: pa.RecordBatch, table: ServingTable) -> NDArray[np.int64]:
    """Per row the table's columns that it writes, as bits: those with a value, all to overwrite, none to delete."""
    width = len(table.columns)
    written = np.zeros(batch.num_rows, np.int64)
    for i, column in enumerate(batch.columns[:width]):
        has_value = True if column.null_count == 0 else column.is_valid().to_numpy(zero_copy_only=False)
        written |= np.where(has_value, 1 << i, 0)
    mode = batch.column(width).to_numpy()
    written[mode == OVERWRITE] = (1 << width) - 1
    written[mode == DELETE] = 0
    return written


def _insert(name: str, table: ServingTable, wanted: Sequence[int]) -> str:
    names = ", ".join(table.columns[i] for i in wanted)
    marks = ", ".join("?" for _ in wanted)
    return f"INSERT INTO {name} ({names}) VALUES ({marks}) USING TIMESTAMP ? AND TTL ?"


def _delete(name: str, table: ServingTable) -> str:
    where = " AND ".join(f"{column} = ?" for column in table.columns[: len(table.key)])
    return f"DELETE FROM {name} USING TIMESTAMP ? WHERE {where}"


async def _patiently(execute: Callable[[Any], Awaitable[Any]], request: Any) -> None:
    # A node that flushes or compacts refuses for moments; one that is gone is the caller's to wait for.
    for attempt in range(_ATTEMPTS):
        try:
            await execute(request)
        except Exception:
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.1 * 2**attempt)
        else:
            return
