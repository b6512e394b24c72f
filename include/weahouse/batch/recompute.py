"""Recompute: Curated and Gold of a range of times of observation, made anew from Raw under given rules.

Rows go the stream's own way into the tables, chunk by chunk, each in turns with the stream under Curated's lease; then
levels 2 and 3, then Gold. Nothing changes where the tables hold what is made anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql import functions as F

from weahouse.batch.backfills import DONE, RECOMPUTE, UNDONE, at_work, new_backfill, read_backfill
from weahouse.batch.gold import make_gold
from weahouse.batch.judging import judge as judge_deeper
from weahouse.batch.serving import serve_verdicts
from weahouse.batch.writer import Writer, run_beside_the_stream
from weahouse.io.delta import read_table, version_of
from weahouse.io.hdfs import Hdfs
from weahouse.qc.entries import RulesError
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, KEY, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.streaming.checkpointed import checkpointed
from weahouse.streaming.extent import bounds_of
from weahouse.streaming.registry import Registry
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import REBUILT, REJUDGED, WRITTEN
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.batch.backfills import Backfill, Work
    from weahouse.qc.rules import Rules
    from weahouse.settings import Settings

# The stream waits for the lease as long as a chunk's merge takes: a few seconds.
CHUNK_RECORDS = 50_000
_HOUR = timedelta(hours=1)

Span = tuple[datetime, datetime]
# A span, and the version of Curated before anything of it was written.
Chunk = tuple[datetime, datetime, int]


class Hour(NamedTuple):
    """An hour of observation that rows tell of: how many, and of how many stations and times."""

    begin: datetime
    records: int
    readings: int


@dataclass(frozen=True)
class Plan:
    """What is made anew: readings of [start, end) that `units` hold, of `stations` or all, and in which zones.

    `units` are hours of append time, or FIRST..LAST of hours in a row.
    """

    run_id: str
    start: datetime
    end: datetime
    zones: tuple[str, ...]
    stations: tuple[str, ...]
    units: tuple[str, ...]
    rules_file: str | None
    rules_version: str
    told: dict[str, Any]

    @classmethod
    def of(cls, told: dict[str, Any]) -> Plan:
        """From the JSON that the Dag plans."""
        start, end = (datetime.fromisoformat(told[name]).astimezone(UTC) for name in ("start", "end"))
        zones, stations, units = (tuple(told[name]) for name in ("zones", "stations", "units"))
        return cls(told["run_id"], start, end, zones, stations, units, told["rules_file"], told["rules_version"], told)

    def rules(self) -> Rules:
        """The rules that were planned with; raises RulesError where their file has another content by now."""
        found = load_rules(Path(self.rules_file) if self.rules_file else DEFAULT_RULES)
        if found.version != self.rules_version:
            raise RulesError(
                f"the rules are {found.version}, and the plan was made with {self.rules_version}: plan again"
            )
        return found

    def within(self, begin: datetime | None = None, end: datetime | None = None) -> Column:
        """The rows of the plan in a table of observations, or those of a part of its range."""
        bounds = bounds_of([(begin or self.start, end or self.end)])
        return bounds & F.col("station_id").isin(*self.stations) if self.stations else bounds

    def readings(self, spark: SparkSession, settings: Settings) -> DataFrame:
        """Every record of the range that Raw holds in the plan's units, as an observation."""
        runs = [unit.split("..") for unit in self.units]
        of_units = reduce(or_, [F.col("ingest_hour").between(run[0], run[-1]) for run in runs])
        raw = read_table(spark, settings, RAW_OBSERVATIONS).where(of_units).select(*RECORD_COLUMNS)
        return observations(parse(raw), settings.lateness).where(self.within())


def recompute(spark: SparkSession, settings: Settings, plan: Plan, approved_by: str | None = None) -> Backfill:
    """Carry a plan out, or go on with it where it was left; returns its row of the ledger, and what Gold tells.

    Repeating a plan that is done reads nothing and changes nothing; one that was undone is done again. Raises
    RulesError where the rules are others than when it was planned.
    """
    held = read_backfill(settings, plan.run_id)
    if held is not None and held["backfill_state"] == DONE:
        return held
    rules = plan.rules()
    fresh = new_backfill(plan.run_id, RECOMPUTE, plan.told)
    backfill = fresh if held is None or held["backfill_state"] == UNDONE else held
    with at_work(settings, backfill | {"approved_by": approved_by}) as work:
        told = _carry_out(spark, settings, plan, rules, work)
    return work.row | told


def _carry_out(spark: SparkSession, settings: Settings, plan: Plan, rules: Rules, work: Work) -> dict[str, int]:
    of_gold_alone = "curated" not in plan.zones
    if of_gold_alone:
        rows = read_table(spark, settings, CURATED_OBSERVATIONS).where(plan.within())
    else:
        rows = checkpointed(plan.readings(spark, settings))
    appended_s = F.unix_seconds("ingested_at")
    read = rows.agg(F.min(appended_s), F.max(appended_s)).first()
    assert read is not None
    work.has_read(*read)
    hours = hours_of(rows)
    if of_gold_alone:
        return make_gold(spark, settings, [hour.begin for hour in hours]) if hours else {}
    _rebuild(spark, settings, plan, rules, work, rows, hours)
    return make_later_levels(spark, settings, rows, rules, with_gold="gold" in plan.zones)


def _rebuild(
    spark: SparkSession,
    settings: Settings,
    plan: Plan,
    rules: Rules,
    work: Work,
    rows: DataFrame,
    hours: Sequence[Hour],
) -> None:
    """Curated and Cassandra; the ledger's row is written as each chunk begins, so that it can be undone."""
    run, registry = run_beside_the_stream(settings, RECOMPUTE), Registry(settings, Hdfs(settings))
    begun, begins_at = chunks_of(work.row), plan.start
    work.row["planned"] = sum(hour.records for hour in hours)
    if begun:
        # Curated may hold it already, and Cassandra not: so it is served again, also where nothing changes any more.
        begin, begins_at, _ = begun[-1]
        counts = upsert(run, rows.where(bounds_of([(begin, begins_at)])), rules, registry, (*WRITTEN, REJUDGED))
        is_counted = work.row["replayed"] >= sum(hour.records for hour in hours if hour.begin < begins_at)
        work.add(_counted(counts, [] if is_counted else _within(hours, begin, begins_at)))
    for begin, end in spans(hours, begins_at, plan.end, CHUNK_RECORDS):
        begun.append((begin, end, version_of(spark, settings, CURATED_OBSERVATIONS)))
        work.record(chunks=json.dumps(begun, default=datetime.isoformat))
        counts = upsert(run, rows.where(bounds_of([(begin, end)])), rules, registry, REBUILT)
        work.add(_counted(counts, _within(hours, begin, end)))
    work.record()


def _within(hours: Iterable[Hour], begin: datetime, end: datetime) -> list[Hour]:
    return [hour for hour in hours if begin - _HOUR < hour.begin < end]


def _counted(counts: dict[str, Any], hours: Sequence[Hour]) -> dict[str, int]:
    told = {name: counts.get(name, 0) for name in ("inserted", "updated")}
    if hours:
        told["replayed"] = sum(hour.records for hour in hours)
        told["unchanged"] = sum(hour.readings for hour in hours) - sum(told[name] for name in ("inserted", "updated"))
    return told


def make_later_levels(
    spark: SparkSession, settings: Settings, keys: DataFrame, rules: Rules, *, with_gold: bool
) -> dict[str, int]:
    """Judge all that rows of `keys` may alter by levels 2 and 3, serve it, and make Gold of the hours of it."""
    version, writer = version_of(spark, settings, CURATED_OBSERVATIONS), Writer.on_hdfs(settings, RECOMPUTE)
    deeper = judge_deeper(spark, settings, keys.select(*KEY).distinct(), version, rules, writer)
    served = serve_verdicts(spark, settings, deeper.judged, writer)
    told = make_gold(spark, settings, deeper.hours) if with_gold and deeper.hours else {}
    deeper.keep_trust()
    return told | served | {"verdicts_changed": deeper.changed}


def hours_of(rows: DataFrame) -> list[Hour]:
    """The hours in which rows were observed, in their order."""
    second = F.unix_seconds(F.date_trunc("hour", "observed_at")).alias("second")
    found = rows.groupBy(second).agg(F.count("*").alias("records"), F.count_distinct(*KEY).alias("readings")).collect()
    return sorted(Hour(datetime.fromtimestamp(row["second"], UTC), row["records"], row["readings"]) for row in found)


def spans(hours: Iterable[Hour], begin: datetime, end: datetime, records: int) -> Iterator[Span]:
    """Parts of [begin, end) without a gap between them, cut at full hours, of at most so many records or of one hour.

    Panes lie within hours, so that none is made of two chunks.
    """
    held = 0
    for hour in hours:
        if hour.begin + _HOUR <= begin:
            continue
        if held and held + hour.records > records:
            yield begin, hour.begin
            begin, held = hour.begin, 0
        held += hour.records
    if held:
        yield begin, end


def plan_of(backfill: Backfill) -> Plan:
    """What was asked of a recompute."""
    return Plan.of(json.loads(backfill["parameters"]))


def chunks_of(backfill: Backfill) -> list[Chunk]:
    """The chunks that a recompute has begun, in their order."""
    read = json.loads(backfill["chunks"] or "[]")
    return [(datetime.fromisoformat(begin), datetime.fromisoformat(end), version) for begin, end, version in read]
