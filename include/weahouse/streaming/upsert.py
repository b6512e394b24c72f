"""The one way into Curated and the serving tables: for a micro-batch, a second merge of it, a replay, a recompute.

Rows are placed by station and day once. Everything after that, the join with what Curated holds, the panes, and the
writing of Cassandra's partitions, finds together what belongs together, and moves nothing again.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pyspark import StorageLevel
from pyspark.sql import functions as F

from weahouse.alerts.touched import touched_blocks
from weahouse.io.cassandra_writer import Target
from weahouse.io.delta import merge_by_key, read_table
from weahouse.qc.level1 import judge
from weahouse.schemas.datasets import (
    CURATED_OBSERVATIONS,
    LATEST_BY_REGION,
    OBSERVATIONS_BY_STATION,
    PANE_MINUTES,
    SUMMARIES_BY_STATION,
)
from weahouse.streaming.extent import extent_of
from weahouse.streaming.fault_points import CASSANDRA_WRITTEN, CURATED_WRITTEN, held_back_for, reached
from weahouse.transforms.changes import CORRECTION, NEW, REPEAT, SUPERSEDED, WRITTEN, resolve
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.panes import summarise
from weahouse.transforms.served import latest_rows, observation_rows, summary_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from weahouse.qc.rules import Rules
    from weahouse.schemas.datasets import ServingTable
    from weahouse.streaming.extent import Extent
    from weahouse.streaming.registry import Registry
    from weahouse.streaming.run import Run

_NEWER = " > ".join(f"struct({alias}.ingested_at, {alias}.kafka_partition, {alias}.kafka_offset)" for alias in "st")
_PLACED_BY = ("station_id", "observed_date")
# One a core of the smallest machine; more would only be more tasks to start for each small batch.
_PLACES = 2


def upsert(
    run: Run, observations: DataFrame, rules: Rules, registry: Registry, changes: tuple[str, ...] = WRITTEN
) -> dict[str, Any]:
    """Merge observations into Curated and Cassandra, and make the touched panes anew; repeating it changes nothing.

    Rows of other `changes` than the given ones are counted only. Returns counts: inserted, updated, repeats,
    superseded, written, late, contested, rows_served, panes, and steps_s, how long each step took (those of the
    tables run beside each other); nothing where there are no rows.
    """
    steps_s: dict[str, float] = {}
    newest = newest_of_each_key(_placed(observations))
    judged = judge(registry.with_region(newest), rules).drop("latitude_deg")
    judged = judged.persist(StorageLevel.MEMORY_AND_DISK_DESER)
    try:
        with _timed(steps_s, "judge"):
            extent = extent_of(judged)
        return _merge(run, judged, extent, registry, changes, steps_s) if extent else {}
    finally:
        judged.unpersist()


def _placed(rows: DataFrame) -> DataFrame:
    return rows.repartition(_PLACES, *_PLACED_BY)


def _merge(
    run: Run,
    judged: DataFrame,
    extent: Extent,
    registry: Registry,
    wanted: tuple[str, ...],
    steps_s: dict[str, float],
) -> dict[str, Any]:
    with run.curated_lease.held():
        with _timed(steps_s, "plan"):
            held = read_table(judged.sparkSession, run.settings, CURATED_OBSERVATIONS).where(extent.bounds())
            rows = resolve(judged, _placed(held)).persist(StorageLevel.MEMORY_AND_DISK_DESER)
        try:
            with _timed(steps_s, "join"):
                counts = _count(rows, wanted)
            if counts["written"]:
                with _timed(steps_s, "write"):
                    counts |= _write(run, rows, extent, counts, wanted, steps_s)
        finally:
            rows.unpersist()
    registry.add_unknown(counts.pop("unknown"))
    return counts | {"steps_s": steps_s}


def _write(
    run: Run,
    rows: DataFrame,
    extent: Extent,
    counts: dict[str, Any],
    wanted: tuple[str, ...],
    steps_s: dict[str, float],
) -> dict[str, Any]:
    """Write what changed to every table at once: none needs what another writes."""
    written = rows.where(F.col("change").isin(*wanted))
    with ThreadPoolExecutor(4) as beside:
        touched = beside.submit(_touched, run, written)
        observations = beside.submit(_serve, run, observation_rows(written), OBSERVATIONS_BY_STATION, steps_s)
        latest = beside.submit(_serve, run, latest_rows(written), LATEST_BY_REGION, steps_s)
        summaries = summary_rows(_touched_panes(rows, wanted))
        panes = beside.submit(_serve, run, summaries, SUMMARIES_BY_STATION, steps_s)
        reached(CASSANDRA_WRITTEN, after=(observations, latest, panes))
        if counts["inserted"] + counts["updated"]:
            with _timed(steps_s, CURATED_OBSERVATIONS.name):
                _merge_into_curated(written, run, extent, with_updates=counts["updated"] > 0)
        reached(CURATED_WRITTEN)
    latest.result()
    counts = {"rows_served": observations.result(), "panes": panes.result()}
    # Handed over last: the evaluation of alerts may begin at once, and reads what was written here.
    run.touched += touched.result()
    return counts


@contextmanager
def _timed(steps_s: dict[str, float], step: str) -> Iterator[None]:
    """Note how many seconds a step took."""
    began = time.monotonic()
    yield
    steps_s[step] = round(time.monotonic() - began, 3)


def _count(rows: DataFrame, wanted: tuple[str, ...]) -> dict[str, Any]:
    change = F.col("change")
    unknown = F.when(~F.col("is_registered"), F.struct("station_id", "region"))
    row = rows.agg(
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
    update_when = _NEWER if with_updates else None
    merge_by_key(rows, run.settings, CURATED_OBSERVATIONS, extent.bounds("t."), update_when=update_when)


def _touched_panes(rows: DataFrame, wanted: tuple[str, ...]) -> DataFrame:
    """The panes of every window in which a row is written; empty ones only where something was replaced."""
    is_written = F.col("change").isin(*wanted)
    touched = F.max(is_written).alias("touched")
    # Only where something was replaced can a pane have lost its last value.
    replaced = F.max(is_written & (F.col("change") != NEW)).alias("replaced")
    return summarise(rows, PANE_MINUTES, touched, replaced).where("touched AND (value_count > 0 OR replaced)")


def _touched(run: Run, written: DataFrame) -> list[pa.Table]:
    """What the evaluation of alerts is told of the batch; nothing in a run that raises none."""
    return [touched_blocks(written, run.alert_rules).toArrow()] if run.alert_rules else []


def _serve(run: Run, rows: DataFrame, table: ServingTable, steps_s: dict[str, float]) -> int:
    held_back_for(CURATED_WRITTEN)
    settings = run.settings
    target = Target(
        tuple(settings.cassandra), settings.cassandra_keyspace, table, settings.serving_retention_days * 86400
    )
    # A partition's rows must come together to share a request.
    sorted_rows = rows.sortWithinPartitions(*table.partition_key)
    written = sorted_rows.mapInArrow(target.write, "rows_written bigint").agg(F.sum("rows_written").alias("n"))

    def write() -> int:
        row = written.first()
        return int(row["n"] or 0) if row else 0

    with _timed(steps_s, table.name):
        return run.through_cassandra(write)
