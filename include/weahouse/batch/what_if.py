"""What a recompute, or its undoing, would change: the flags that come out otherwise, before anything is written."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.batch.recompute import chunks_of, plan_of
from weahouse.io.delta import ensure_table, read_table
from weahouse.io.hdfs import Hdfs
from weahouse.qc.bounds import CONTEXT_AFTER, CONTEXT_BEFORE
from weahouse.qc.level1 import judge
from weahouse.qc.verdicts import deepened, verdicts
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_STATION_TRUST, CURATED_VERDICTS, KEY
from weahouse.schemas.fields import FLAGS, VARIABLES, flag_of
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.streaming.checkpointed import checkpointed
from weahouse.streaming.extent import bounds_of
from weahouse.streaming.registry import Registry
from weahouse.transforms.changes import CORRECTION, NEW, REJUDGED, rebuild
from weahouse.transforms.newest import VERSION, newest_of_each_key

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

    from weahouse.batch.backfills import Backfill
    from weahouse.batch.recompute import Plan
    from weahouse.settings import Settings

# What a person reads before approving; the sums below it are of all.
_SHOWN = 100
_DAY = timedelta(days=1)

Told = dict[str, Any]


def preview(spark: SparkSession, settings: Settings, plan: Plan) -> Told:
    """What a plan would change in Curated and its verdicts, with the trust that stands; nothing is written.

    Returns inserted, updated and unchanged, in readings, changed_flags, and `changes`: of which station, variable and
    flags how many there are, the most first, up to a hundred of them. Of a plan for Gold alone there are none.
    """
    if "curated" not in plan.zones:
        return {"inserted": 0, "updated": 0, "unchanged": 0, **_told(None)}
    for dataset in (CURATED_VERDICTS, CURATED_STATION_TRUST):
        ensure_table(spark, settings, dataset)
    around = bounds_of([(plan.start - CONTEXT_BEFORE, plan.end + CONTEXT_AFTER)])
    held = checkpointed(read_table(spark, settings, CURATED_OBSERVATIONS).where(around))
    newest = Registry(settings, Hdfs(settings)).with_region(newest_of_each_key(plan.readings(spark, settings)))
    fresh = checkpointed(judge(newest, plan.rules()).drop("latitude_deg", "registered_at"))
    made = checkpointed(rebuild(fresh, held.where(plan.within())))
    context = held.where(~plan.within()).unionByName(made.select(*CURATED_OBSERVATIONS.columns))
    will = verdicts(
        context,
        read_table(spark, settings, GOLD_STATIONS),
        read_table(spark, settings, CURATED_STATION_TRUST).where(_from_the_day_before(plan)),
        plan.rules(),
        checkpointed,
    )
    said = read_table(spark, settings, CURATED_VERDICTS).where(bounds_of([(plan.start, plan.end)]))
    was = deepened(held.where(plan.within()), said)
    return {**_readings(made), **_told(_flag_changes(was, will))}


def preview_undo(spark: SparkSession, settings: Settings, backfill: Backfill) -> Told:
    """What undoing a recompute would change in Curated; nothing is written.

    Returns what `preview` does, and `kept`: readings that were replaced or came in since, or that the run had found in
    Raw alone, which stay as they are.
    """
    plan = plan_of(backfill)
    now = checkpointed(read_table(spark, settings, CURATED_OBSERVATIONS).where(plan.within()))
    parts = [
        read_table(spark, settings, CURATED_OBSERVATIONS, version).where(plan.within(begin, end))
        for begin, end, version in chunks_of(backfill)
    ]
    before = reduce(DataFrame.unionByName, parts)
    same_record = [*KEY, *VERSION]
    kept = before.select(*same_record, *FLAGS, "revision")
    both = checkpointed(
        now.select(*same_record, F.col("revision").alias("revision_now")).join(kept, same_record, "left")
    )
    row = both.agg(
        F.count_if(F.col("revision_now") > F.col("revision")).alias("updated"),
        F.count_if(F.col("revision_now") == F.col("revision")).alias("unchanged"),
        F.count_if(F.col("revision").isNull()).alias("kept"),
    ).first()
    assert row is not None
    return {**row.asDict(), **_told(_flag_changes(now, both.where("revision_now > revision")))}


def _from_the_day_before(plan: Plan) -> Column:
    first, last = plan.start - CONTEXT_BEFORE - _DAY, plan.end + CONTEXT_AFTER
    return F.col("observed_date").between(first.date(), last.date())


def _readings(made: DataFrame) -> dict[str, int]:
    change = F.col("change")
    row = made.agg(
        F.count_if(change == NEW).alias("inserted"),
        F.count_if(change.isin(CORRECTION, REJUDGED)).alias("updated"),
        F.count_if(change.isNull() | ~change.isin(NEW, CORRECTION, REJUDGED)).alias("unchanged"),
    ).first()
    assert row is not None
    return {name: int(count) for name, count in row.asDict().items()}


def _flag_changes(was: DataFrame, will: DataFrame) -> DataFrame:
    """Of which station, variable and flags how many `readings` of both sides differ: `flag_now`, `flag_then`."""
    now, then = was.select(*KEY, F.struct(*FLAGS).alias("now")), will.select(*KEY, F.struct(*FLAGS).alias("then"))
    each = F.array(
        *[
            F.struct(
                F.lit(variable).alias("variable"),
                F.col(f"now.{flag_of(variable)}").alias("flag_now"),
                F.col(f"then.{flag_of(variable)}").alias("flag_then"),
            )
            for variable in VARIABLES
        ]
    )
    flags = now.join(then, list(KEY)).select("station_id", F.inline(each)).where("flag_now != flag_then")
    return flags.groupBy("station_id", "variable", "flag_now", "flag_then").agg(F.count("*").alias("readings"))


def _told(changes: DataFrame | None) -> Told:
    if changes is None:
        return {"changed_flags": 0, "changes": []}
    rows = sorted((row.asDict() for row in changes.collect()), key=lambda row: (-row["readings"], row["station_id"]))
    return {"changed_flags": sum(row["readings"] for row in rows), "changes": rows[:_SHOWN]}
