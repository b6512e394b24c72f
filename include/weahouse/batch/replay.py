"""Replay: records of a range of offsets are read once more, and go the stream's own way into the tables.

They are read from Kafka, and from Raw where the topic holds them no more.
Nothing changes where the tables hold what the records say. The live stream goes on beside it: both take turns, chunk by
chunk, under Curated's lease.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.batch.backfills import DONE, REPLAY, at_work, new_backfill, read_backfill
from weahouse.batch.writer import run_beside_the_stream
from weahouse.io.delta import read_table
from weahouse.io.hdfs import Hdfs
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.streaming.registry import Registry
from weahouse.streaming.source import read_range
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import WRITTEN
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from weahouse.batch.backfills import Backfill, Work
    from weahouse.settings import Settings
    from weahouse.streaming.run import Run

# The stream waits for the lease as long as a chunk's merge takes: a few seconds.
CHUNK_RECORDS = 50_000

Offsets = dict[int, int]


@dataclass(frozen=True)
class Plan:
    """What is replayed: by partition the offsets from `start` to before `end`; of `regions` and `stations`, or all.

    Before `raw_until`, by partition, they are read from Raw, of which `raw_hours`, first and last, hold them.
    """

    run_id: str
    start: Offsets
    end: Offsets
    reason: str
    regions: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    raw_until: Offsets = field(default_factory=dict)
    raw_hours: tuple[str, ...] = ()

    @classmethod
    def of(cls, told: dict[str, Any]) -> Plan:
        """From the JSON that the Dag plans."""
        start, end, raw_until = (
            {int(p): offset for p, offset in told.get(name, {}).items()} for name in ("start", "end", "raw_until")
        )
        regions, stations, raw_hours = (tuple(told.get(name, ())) for name in ("regions", "stations", "raw_hours"))
        return cls(told["run_id"], start, end, told["reason"], regions, stations, raw_until, raw_hours)


def replay(spark: SparkSession, settings: Settings, plan: Plan, approved_by: str | None = None) -> Backfill:
    """Carry a plan out, or go on with it where it was left; returns its row of the ledger.

    Repeating a plan that is done reads nothing and changes nothing.
    """
    held = read_backfill(settings, plan.run_id)
    if held is not None and held["backfill_state"] == DONE:
        return held
    fresh = new_backfill(plan.run_id, REPLAY, asdict(plan)) | {"done_offsets": json.dumps(plan.start)}
    told = {"approved_by": approved_by, "planned": _size(plan.start, plan.end)}
    with at_work(settings, (held or fresh) | told) as work:
        run, registry = run_beside_the_stream(settings, REPLAY), Registry(settings, Hdfs(settings))
        for start, end in chunks(_left(plan, work.row), plan.end, CHUNK_RECORDS):
            work.add(_replay_chunk(spark, run, registry, plan, start, end, work))
            work.record(done_offsets=json.dumps(end))
    return work.row


def chunks(start: Offsets, end: Offsets, records: int) -> Iterator[tuple[Offsets, Offsets]]:
    """Consecutive parts of a range of offsets, of at most so many records each, a like share of every partition."""
    share = max(1, records // max(1, len(end)))
    while any(start[partition] < end[partition] for partition in end):
        upto = {partition: min(start[partition] + share, end[partition]) for partition in end}
        yield start, upto
        start = upto


def _left(plan: Plan, backfill: Backfill) -> Offsets:
    done = json.loads(backfill["done_offsets"])
    return {partition: done[str(partition)] for partition in plan.end}


def _replay_chunk(
    spark: SparkSession, run: Run, registry: Registry, plan: Plan, start: Offsets, end: Offsets, work: Work
) -> dict[str, int]:
    parsed = parse(_records(spark, run.settings, plan, start, end)).persist()
    wanted = _wanted(observations(parsed, run.settings.lateness), plan, registry)
    counts = upsert(run, wanted, load_rules(), registry, WRITTEN)
    appended_s = F.unix_seconds("timestamp")
    read = parsed.agg(F.count("reason"), F.min(appended_s), F.max(appended_s)).first()
    assert read is not None
    unreadable, first_s, last_s = read
    work.has_read(first_s, last_s)
    parsed.unpersist()
    told = {name: counts.get(name, 0) for name in ("inserted", "updated")}
    # Served again, which writes what stands there with the time that it has; or not even that.
    told["unchanged"] = sum(counts.get(name, 0) for name in ("written", "repeats", "superseded")) - sum(told.values())
    return {"replayed": _size(start, end), "quarantined": unreadable, **told}


def _records(spark: SparkSession, settings: Settings, plan: Plan, start: Offsets, end: Offsets) -> DataFrame:
    """The records of a chunk: those before `raw_until` from Raw, the others from Kafka."""
    edge = {p: min(max(start[p], plan.raw_until.get(p, 0)), end[p]) for p in end}
    parts = []
    if _size(start, edge):
        parts.append(_from_raw(spark, settings, plan, start, edge))
    if _size(edge, end):
        topic = settings.observations_topic
        limits = [{topic: {str(partition): offset for partition, offset in each.items()}} for each in (edge, end)]
        parts.append(read_range(spark, settings, *limits))
    return reduce(DataFrame.unionByName, parts)


def _from_raw(spark: SparkSession, settings: Settings, plan: Plan, start: Offsets, end: Offsets) -> DataFrame:
    of_partitions = [
        (F.col("partition") == partition) & F.col("offset").between(start[partition], end[partition] - 1)
        for partition in end
        if start[partition] < end[partition]
    ]
    # Offsets of a topic that was created again were given before, in other hours.
    of_hours = F.col("ingest_hour").between(*plan.raw_hours) & (F.col("topic") == settings.observations_topic)
    raw = read_table(spark, settings, RAW_OBSERVATIONS).where(of_hours & reduce(or_, of_partitions))
    return raw.select(*RECORD_COLUMNS)


def _wanted(rows: DataFrame, plan: Plan, registry: Registry) -> DataFrame:
    """Observations of the plan's stations and regions; the registry knows a station's region best."""
    if plan.stations:
        rows = rows.where(F.col("station_id").isin(*plan.stations))
    if plan.regions:
        rows = registry.with_region(rows).where(F.col("region").isin(*plan.regions)).select(*rows.columns)
    return rows


def _size(start: Offsets, end: Offsets) -> int:
    return sum(offset - start[partition] for partition, offset in end.items())
