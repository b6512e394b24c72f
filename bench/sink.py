"""The stream's way of writing Cassandra beside the drivers alone: the same rows, the same table, in turn.

Rows are ready in Spark's cache, placed by station and day as the stream places them, so that only the way from there
into Cassandra is measured: their shape for the driver, the order of partitions, Python, and the requests.
"""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

import psutil
from pyspark import StorageLevel
from pyspark.sql import functions as F

from bench.drivers import DRIVERS, write
from bench.instance import cpu_seconds
from bench.loads import LOADS, records
from bench.results import of_rate
from weahouse.io.cassandra import connect, create_schema
from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION
from weahouse.streaming.placement import Placement
from weahouse.streaming.sink import planned_write
from weahouse.transforms.changes import NEW
from weahouse.transforms.parse import observations, parse
from weahouse.transforms.served import observation_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from bench.context import Bench
    from bench.results import Sample
    from weahouse.settings import Settings

# Each way writes what one full batch of the stream holds, twice.
_BATCHES = 2
# As the stream's full batches are placed: so many Python workers write, and so many processes of a driver alone.
_PLACEMENT = Placement()


def measure(bench: Bench) -> None:
    """The sink and each driver in turn; the fastest driver of this bench is what the sink is compared with."""
    settings = bench.at(cassandra_keyspace="bench_sink")
    create_schema(settings)
    bench.step("preparing the sink's rows")
    count = min(bench.sizes.records, _BATCHES * settings.max_offsets_per_trigger)
    batches = [_prepared(bench, settings, batch, count // _BATCHES) for batch in range(_BATCHES)]
    files = _as_files(batches, settings.home / "sink_rows")
    # Everything is warm when it is measured, as it is in the stream: a new node takes half of what it takes later.
    for way in (*DRIVERS, None):
        _sink(bench.spark, settings, batches) if way is None else write(way, settings, files)
    alone: dict[str, list[Sample]] = {name: [] for name in DRIVERS}
    for _ in range(bench.sizes.runs):
        for name in DRIVERS:
            _empty(settings)
            written = write(name, settings, files)
            alone[name].append(of_rate(written.rows, written.seconds, written.cpu_s))
            bench.step(f"  {name} alone: {alone[name][-1].value:,.0f} rows/s")
        _empty(settings)
        bench.add("sink.cassandra", _sink(bench.spark, settings, batches))
    fastest = max(alone, key=lambda name: median(sample.value for sample in alone[name]))
    for sample in alone[fastest]:
        bench.add("sink.driver_alone", sample)
    others = {name: round(median(sample.value for sample in told), 1) for name, told in alone.items()}
    bench.extra["sink.driver_alone"] = {"driver": fastest, "drivers": others}
    _empty(settings)
    for rows in batches:
        rows.unpersist()


def _prepared(bench: Bench, settings: Settings, batch: int, count: int) -> DataFrame:
    """One batch of the even load as the stream has it before it writes: judged, new, placed, cached."""
    text = settings.home / f"sink_records_{batch}.parquet"
    _write_records(text, batch * count, count)
    read = bench.spark.read.parquet(f"file://{text}").withColumn("timestamp", F.current_timestamp())
    told = observations(parse(read), settings.lateness)
    placed = _PLACEMENT.spread(told)
    changed = {
        "change": F.lit(NEW),
        "contested": F.lit(False),
        "revision": F.lit(0),
        "was_present": F.lit(0),
    }
    rows = judge(placed, load_rules()).withColumns(changed).persist(StorageLevel.MEMORY_AND_DISK_DESER)
    if rows.count() != count:
        raise RuntimeError(f"{rows.count()} of {count} records are observations")
    return rows


def _write_records(path: Path, first: int, count: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = [record.value for record in records(LOADS[0], first + count)][first:]
    offsets = pa.array(range(count), pa.int64())
    none = pa.nulls(count, pa.binary())
    partitions = pa.array([0] * count, pa.int32())
    topic = pa.array([LOADS[0].topic] * count)
    columns = {"key": none, "value": pa.array(values), "topic": topic, "partition": partitions, "offset": offsets}
    pq.write_table(pa.table(columns | {"headers": pa.nulls(count, pa.string())}), path)


def _as_files(batches: list[DataFrame], folder: Path) -> list[Path]:
    """The rows as the sink's writer gets them, one Arrow file a process, each with whole Cassandra partitions."""
    import pyarrow as pa

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{place}.arrow" for place in range(_PLACEMENT.places)]
    tables = [pa.concat_tables(parts) for parts in zip(*(_by_place(rows) for rows in batches), strict=True)]
    for file, table in zip(files, tables, strict=True):
        with pa.OSFile(str(file), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
    return files


def _by_place(rows: DataFrame) -> list[object]:
    ordered = observation_rows(rows).sortWithinPartitions(*OBSERVATIONS_BY_STATION.partition_key)
    told = ordered.withColumn("place", F.spark_partition_id())
    return [told.where(F.col("place") == place).drop("place").toArrow() for place in range(_PLACEMENT.places)]


def _sink(spark: SparkSession, settings: Settings, batches: list[DataFrame]) -> Sample:
    # The session's JVM is this process's child, and the Python workers are its.
    process = psutil.Process(spark.sparkContext._gateway.proc.pid)
    began, cpu_s, written = time.monotonic(), cpu_seconds(process), 0
    for rows in batches:
        written += planned_write(observation_rows(rows), settings, OBSERVATIONS_BY_STATION)()
    return of_rate(written, time.monotonic() - began, cpu_seconds(process) - cpu_s)


def _empty(settings: Settings) -> None:
    session = connect(settings)
    session.execute(f"TRUNCATE {OBSERVATIONS_BY_STATION.name}")
    session.cluster.shutdown()
