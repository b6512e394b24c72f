"""One hour of append time in Raw, and Curated as the stream makes it of that, without a driver.

The same records each time: a network that reports once a minute, with faults, repeats and broken JSON among them.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from zlib import crc32

from weahouse.batch.writer import run_beside_the_stream
from weahouse.io.delta import append_once, ensure_table
from weahouse.io.hdfs import Hdfs
from weahouse.io.small_tables import merge_rows
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.sources.faults import Faults
from weahouse.sources.live import Schedule, reading_of
from weahouse.sources.network import Network, network
from weahouse.sources.simulator import measure, records
from weahouse.streaming.registry import Registry
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import WRITTEN
from weahouse.transforms.parse import ingest_hour, observations, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings
    from weahouse.sources.records import Record

STATIONS = 500
INTERVAL_S = 60
OBSERVED_FROM = datetime(2026, 1, 14, tzinfo=UTC)
# Readings of the first hour are late.
APPENDED_FROM = OBSERVED_FROM + timedelta(hours=7)
HOUR = f"{APPENDED_FROM:%Y-%m-%dT%H}"
_REGISTERED_AT = OBSERVED_FROM - timedelta(days=1)
_SEED = 5
# Of sensors, and what a network does to records; each has the same meaning for whoever reads JSON.
_KINDS = ("spike", "missing", "duplicates", "malformed-json", "stuck-sensor", "drift")
_SHARE = 0.01
_PARTITIONS = 12
# As many as some seconds of the stream bring.
_AT_ONCE = 50_000


def fill(spark: SparkSession, settings: Settings, readings: int) -> int:
    """Write the unit of so many readings to Raw, and merge it into Curated; returns how many records Raw has of it."""
    import pyarrow.parquet as pq

    sites = network(_SEED, STATIONS)
    for table in (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, GOLD_STATIONS):
        ensure_table(spark, settings, table)
    # Known before the records came, so that parity is compared.
    merge_rows(settings, GOLD_STATIONS, [{**station, "registered_at": _REGISTERED_AT} for station in sites.stations()])
    run, registry = run_beside_the_stream(settings, "bench"), Registry(settings, Hdfs(settings))
    sent = list(sent_records(sites, readings))
    offsets: Counter[int] = Counter()
    for number, first in enumerate(range(0, len(sent), _AT_ONCE)):
        batch = sent[first : first + _AT_ONCE]
        file = settings.home / f"unit_{number}.parquet"
        pq.write_table(as_kafka_gives(batch, first, len(sent), offsets), file)
        told = spark.read.parquet(f"file://{file}")
        raw = told.select(*RECORD_COLUMNS).withColumn("ingest_hour", ingest_hour())
        append_once(raw.coalesce(2), settings, RAW_OBSERVATIONS, "bench", number)
        upsert(run, observations(parse(told), settings.lateness), load_rules(), registry, WRITTEN)
    return len(sent)


def sent_records(sites: Network, readings: int) -> Iterator[Record]:
    """What leaves a network that makes so many readings, in its order."""
    schedule = Schedule(sites, Fraction(len(sites), INTERVAL_S))
    faults = Faults(sites, _KINDS, _SHARE, reading_of(sites, INTERVAL_S))
    first = schedule.first_from(OBSERVED_FROM.timestamp())
    for begin in range(first, first + readings, _AT_ONCE):
        station, at, _ = schedule.readings(begin, min(begin + _AT_ONCE, first + readings))
        made = records(sites, station, at, measure(sites, station, at, INTERVAL_S))
        for outgoing, _ in faults.apply(station, at, made):
            yield from (each.record for each in outgoing)


def as_kafka_gives(batch: list[Record], first: int, of: int, offsets: Counter[int]) -> pa.Table:
    """Records placed by their station, appended evenly over the hour; `offsets` are those that come next."""
    import pyarrow as pa

    partitions = [crc32(record.key or b"") % _PARTITIONS for record in batch]
    places = []
    for partition in partitions:
        places.append(offsets[partition])
        offsets[partition] += 1
    start_us, step_us = int(APPENDED_FROM.timestamp()) * 1_000_000, 3_600_000_000 // of
    appended = [start_us + number * step_us for number in range(first, first + len(batch))]
    columns = {
        "key": pa.array([record.key for record in batch], pa.binary()),
        "value": pa.array([record.value for record in batch], pa.binary()),
        "topic": pa.array(["bench.unit"] * len(batch)),
        "partition": pa.array(partitions, pa.int32()),
        "offset": pa.array(places, pa.int64()),
        "timestamp": pa.array(appended, pa.timestamp("us", "UTC")),
        "headers": pa.nulls(len(batch), pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    }
    return pa.table(columns)
