"""The clients of Cassandra without Spark: what a machine can write when nothing but the client is in the way.

Each writes with as many processes, rows in a batch and requests in flight as the stream's sink does, from tuples that
are ready and grouped by partition before the clock starts. No row is converted, no column looked at.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import connect
from weahouse.io.cassandra_writer import IN_FLIGHT, single_partition_batches
from weahouse.schemas.fields import FIELDS
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from weahouse.settings import Settings

Row = Sequence[Any]
_TABLE = OBSERVATIONS_BY_STATION
_INSERT = (
    f"INSERT INTO {_TABLE.name} ({', '.join(_TABLE.columns)}) VALUES ({', '.join('?' * len(_TABLE.columns))}) "
    "USING TIMESTAMP ? AND TTL ?"
)
_PREPARED_WITHIN_S = 120.0
_ready: Any = None


@dataclass(frozen=True)
class Written:
    """What all processes of one run did together."""

    rows: int
    seconds: float
    cpu_s: float


def write(driver: str, settings: Settings, files: Sequence[Path]) -> Written:
    """Write Arrow files of rows, one process each; the clock runs from when all are ready until the last has written.

    The columns are those that the sink's writer is given. Raises what a process raises.
    """
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(len(files) + 1)
    with ProcessPoolExecutor(len(files), context, initializer=_share, initargs=(ready,)) as pool:
        writing = [pool.submit(_write, driver, settings, file) for file in files]
        ready.wait(_PREPARED_WITHIN_S)
        began = time.monotonic()
        done = [each.result() for each in writing]
        seconds = time.monotonic() - began
    return Written(sum(rows for rows, _ in done), seconds, sum(cpu_s for _, cpu_s in done))


def _share(ready: Any) -> None:
    # A barrier can be inherited by a process, and not sent to it.
    global _ready
    _ready = ready


def _write(driver: str, settings: Settings, file: Path) -> tuple[int, float]:
    """Rows written by this process, and its CPU seconds."""
    import pyarrow as pa

    try:
        rows = list(zip(*(column.to_pylist() for column in pa.ipc.open_file(file).read_all().columns), strict=True))
        write_all = DRIVERS[driver](settings, rows)
        _ready.wait(_PREPARED_WITHIN_S)
    except Exception:
        _ready.abort()
        raise
    cpu_s = time.process_time()
    write_all()
    return len(rows), time.process_time() - cpu_s


def _acsylla(settings: Settings, rows: Sequence[Row]) -> Callable[[], object]:
    import acsylla

    loop = asyncio.new_event_loop()
    batches = list(single_partition_batches(map(_in_order, rows), _TABLE))
    (host, port), *_ = settings.cassandra

    async def begin() -> tuple[Any, Any]:
        cluster = acsylla.create_cluster([host], port=port, log_level="CRITICAL")
        session = await cluster.create_session(keyspace=settings.cassandra_keyspace)
        return session, await session.create_prepared(_INSERT)

    session, prepared = loop.run_until_complete(begin())

    async def drain(left: Iterator[list[Row]]) -> None:
        for members in left:
            batch = acsylla.create_batch_unlogged()
            for row in members:
                statement = prepared.bind()
                statement.bind_list(row)
                batch.add_statement(statement)
            await session.execute_batch(batch)

    async def everything() -> None:
        left = iter(batches)
        await asyncio.gather(*(drain(left) for _ in range(IN_FLIGHT)))

    return lambda: loop.run_until_complete(everything())


def _cassandra_driver(settings: Settings, rows: Sequence[Row]) -> Callable[[], object]:
    from cassandra.concurrent import execute_concurrent
    from cassandra.query import BatchStatement, BatchType

    times = [i for i, name in enumerate(_TABLE.columns) if FIELDS[name].type in ("timestamp", "date")]

    def in_its_types(row: Row) -> Row:
        told = list(row)
        for i in times:
            moment = datetime.fromtimestamp(row[i], UTC)
            told[i] = moment.date() if FIELDS[_TABLE.columns[i]].type == "date" else moment
        return told

    batches = list(single_partition_batches((in_its_types(_in_order(row)) for row in rows), _TABLE))
    session = connect(settings)
    prepared = session.prepare(_INSERT)

    def requests() -> Iterator[tuple[Any, tuple[()]]]:
        for members in batches:
            batch = BatchStatement(BatchType.UNLOGGED)
            for row in members:
                batch.add(prepared, row)
            yield batch, ()

    return lambda: execute_concurrent(session, requests(), concurrency=IN_FLIGHT, raise_on_first_error=True)


def _in_order(row: Row) -> list[Any]:
    """The statement's parameters, which the C++ driver takes as a list: the columns, the version, a TTL of none."""
    *columns, _, version, _ = row
    return [*columns, version, 0]


DRIVERS = {"acsylla": _acsylla, "cassandra-driver": _cassandra_driver}
