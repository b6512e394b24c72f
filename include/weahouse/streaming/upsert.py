"""The one way into Curated and the serving tables: for a micro-batch, a second merge of it, a replay, a recompute."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel
from pyspark.sql import functions as F

from weahouse.alerts.touched import touched_blocks
from weahouse.io.cassandra_writer import Target
from weahouse.io.delta import merge_by_key, one_of, read_table
from weahouse.qc.level1 import judge
from weahouse.schemas.datasets import (
    CURATED_OBSERVATIONS,
    LATEST_BY_REGION,
    OBSERVATIONS_BY_STATION,
    PANE_MINUTES,
    SUMMARIES_BY_STATION,
)
from weahouse.transforms.changes import CORRECTION, NEW, REPEAT, SUPERSEDED, WRITTEN, classify
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.panes import summarise, window_start
from weahouse.transforms.served import latest_rows, observation_rows, summary_rows, with_ttl

if TYPE_CHECKING:
    from datetime import date, datetime

    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules
    from weahouse.schemas.datasets import ServingTable
    from weahouse.streaming.registry import Registry
    from weahouse.streaming.run import Run

_NEWER = " > ".join(f"struct({alias}.ingested_at, {alias}.kafka_partition, {alias}.kafka_offset)" for alias in "st")
_IS_CORRECTION = f"t.payload_hash <> s.payload_hash AND {_NEWER}"


@dataclass(frozen=True)
class Extent:
    """What a batch touches: its days and the first and last time observed."""

    days: list[date]
    first: datetime
    last: datetime

    def bounds(self, prefix: str = "", minutes: int = 1) -> Column:
        """Literal limits over observed_date and observed_at, widened to whole windows of `minutes`."""
        start, end = (window_start(F.lit(time), minutes) for time in (self.first, self.last))
        observed_at = F.col(f"{prefix}observed_at")
        within = (observed_at >= start) & (observed_at < end + F.expr(f"INTERVAL {minutes} MINUTES"))
        return one_of(f"{prefix}observed_date", self.days) & within


def upsert(
    run: Run, observations: DataFrame, rules: Rules, registry: Registry, changes: tuple[str, ...] = WRITTEN
) -> dict[str, Any]:
    """Merge observations into Curated and Cassandra, and make the touched panes anew; repeating it changes nothing.

    Rows of other `changes` than the given ones are counted only. Returns counts: inserted, updated, repeats,
    superseded, written, late, contested, rows_served, panes; nothing where there are no rows.
    """
    newest = newest_of_each_key(observations).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        extent = _extent(newest)
        return _merge(run, newest, extent, rules, registry, changes) if extent else {}
    finally:
        newest.unpersist()


def _merge(
    run: Run, newest: DataFrame, extent: Extent, rules: Rules, registry: Registry, wanted: tuple[str, ...]
) -> dict[str, Any]:
    spark, settings = newest.sparkSession, run.settings
    with ThreadPoolExecutor(1) as beside:
        with run.curated_lease.held():
            held = read_table(spark, settings, CURATED_OBSERVATIONS).where(extent.bounds())
            judged = judge(registry.with_region(newest), rules)
            changes = classify(judged, held).persist(StorageLevel.MEMORY_AND_DISK)
            counts = _count(changes, wanted)
            written = changes.where(F.col("change").isin(*wanted))
            served = beside.submit(_serve, run, written) if counts["written"] else None
            if counts["inserted"] + counts["updated"]:
                _merge_into_curated(written, run, extent, with_updates=counts["updated"] > 0)
        counts["rows_served"] = served.result() if served else 0
    counts["panes"] = _serve_panes(run, written, extent) if counts["written"] else 0
    if counts["written"]:
        _hand_over(run, written)
    registry.add_unknown(counts.pop("unknown"))
    changes.unpersist()
    return counts


def _extent(newest: DataFrame) -> Extent | None:
    row = newest.agg(
        F.count("*").alias("rows"),
        F.collect_set("observed_date").alias("days"),
        F.min("observed_at").alias("first"),
        F.max("observed_at").alias("last"),
    ).first()
    return Extent(sorted(row["days"]), row["first"], row["last"]) if row and row["rows"] else None


def _count(changes: DataFrame, wanted: tuple[str, ...]) -> dict[str, Any]:
    change = F.col("change")
    unknown = F.when(~F.col("is_registered"), F.struct("station_id", "region"))
    row = changes.agg(
        F.count_if(change == NEW).alias("inserted"),
        F.count_if(change == CORRECTION).alias("updated"),
        F.count_if(change == REPEAT).alias("repeats"),
        F.count_if(change == SUPERSEDED).alias("superseded"),
        F.count_if(change.isin(*wanted)).alias("written"),
        F.count_if((change == NEW) & F.col("late_by_s").isNotNull()).alias("late"),
        F.count_if(F.col("contested") | change.isin(CORRECTION, SUPERSEDED)).alias("contested"),
        F.collect_set(unknown).alias("unknown"),
    ).first()
    assert row is not None
    return {**row.asDict(), "unknown": {station["station_id"]: station["region"] for station in row["unknown"]}}


def _merge_into_curated(written: DataFrame, run: Run, extent: Extent, *, with_updates: bool) -> None:
    rows = written.where(F.col("change").isin(NEW, CORRECTION))
    # Without corrections no file of the table has to be rewritten, and Delta only appends.
    update_when = _IS_CORRECTION if with_updates else None
    merge_by_key(rows, run.settings, CURATED_OBSERVATIONS, extent.bounds("t."), update_when=update_when)


def _serve(run: Run, written: DataFrame) -> int:
    rows = _write(run, observation_rows(written), OBSERVATIONS_BY_STATION)
    _write(run, latest_rows(written), LATEST_BY_REGION)
    return rows


def _serve_panes(run: Run, written: DataFrame, extent: Extent) -> int:
    start = window_start(F.col("observed_at"), PANE_MINUTES)
    # Only where something was replaced can a pane have lost its last value.
    replaced = F.max(F.col("change") != NEW).alias("replaced")
    touched = written.groupBy("station_id", start.alias("window_start")).agg(replaced)
    curated = read_table(written.sparkSession, run.settings, CURATED_OBSERVATIONS)
    within = curated.where(extent.bounds(minutes=PANE_MINUTES)).withColumn("_window", start)
    on = (F.col("o.station_id") == F.col("w.station_id")) & (F.col("o._window") == F.col("w.window_start"))
    rows = within.alias("o").join(touched.alias("w"), on, "left_semi").drop("_window")
    panes = summarise(rows, PANE_MINUTES).join(touched, ["station_id", "window_start"])
    return _write(run, summary_rows(panes.where("value_count > 0 OR replaced")), SUMMARIES_BY_STATION)


def _hand_over(run: Run, written: DataFrame) -> None:
    """Tell the evaluation of alerts what was touched; it reads from Cassandra when the batch is committed."""
    if run.alert_rules is not None:
        run.touched.append(touched_blocks(written, run.alert_rules).toArrow())


def _write(run: Run, rows: DataFrame, table: ServingTable) -> int:
    settings = run.settings
    now_s = int(time.time())
    alive = with_ttl(rows, settings.serving_retention_days * 86400, now_s)
    target = Target(tuple(settings.cassandra), settings.cassandra_keyspace, table)
    # A partition's rows must come together to share a request.
    placed = alive.repartition(*table.partition_key).sortWithinPartitions(*table.partition_key)
    written = placed.mapInArrow(target.write, "rows_written bigint").agg(F.sum("rows_written").alias("n"))

    def write() -> int:
        row = written.first()
        return int(row["n"] or 0) if row else 0

    return run.through_cassandra(write)
