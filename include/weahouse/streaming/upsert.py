"""The one way into Curated and the serving tables: for a micro-batch, a second merge of it, a replay, a recompute.

Rows are placed by station and day once. Everything after that, the join with what Curated holds, the panes, and the
writing of Cassandra's partitions, finds together what belongs together, and moves nothing again.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pyspark.sql import functions as F

from weahouse.alerts.touched import touched_blocks
from weahouse.io.delta import append_once, merge_by_key, read_table
from weahouse.io.delta_conflicts import CONFLICTS
from weahouse.qc.level1 import judge
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, PANE_MINUTES
from weahouse.schemas.render import to_spark
from weahouse.schemas.serving_tables import LATEST_BY_REGION, OBSERVATIONS_BY_STATION, SUMMARIES_BY_STATION
from weahouse.streaming.checkpointed import checkpointed, release
from weahouse.streaming.extent import extent_of
from weahouse.streaming.fault_points import CASSANDRA_WRITTEN, CURATED_WRITTEN, held_back_for, reached
from weahouse.streaming.placement import Placement
from weahouse.streaming.sink import planned_write
from weahouse.transforms.changes import (
    AGAIN,
    CORRECTION,
    NEW,
    REJUDGED,
    REPEAT,
    SUPERSEDED,
    classify,
    rebuild,
    resolve,
)
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.panes import window_start, windows
from weahouse.transforms.served import latest_rows, observation_rows, summary_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Set
    from datetime import datetime

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.qc.rules import Rules
    from weahouse.schemas.kinds import ServingTable
    from weahouse.streaming.extent import Extent
    from weahouse.streaming.open_windows import OpenWindows
    from weahouse.streaming.registry import Registry
    from weahouse.streaming.run import Run

log = logging.getLogger("weahouse.stream")

T = TypeVar("T")

# A compaction commits each partition once.
_CONFLICTS_AT_MOST = 3
_OF_RECORD = [f"struct({alias}.ingested_at, {alias}.kafka_partition, {alias}.kafka_offset)" for alias in "st"]
_NEWER = f"{' > '.join(_OF_RECORD)} OR ({' = '.join(_OF_RECORD)} AND s.revision > t.revision)"
_REPLACING = (CORRECTION, REJUDGED)


def upsert(
    run: Run, observations: DataFrame, rules: Rules, registry: Registry, changes: tuple[str, ...]
) -> dict[str, Any]:
    """Merge observations into Curated and Cassandra, and make the touched panes anew; repeating it changes nothing.

    Rows of other `changes` than the given ones are counted only. Returns counts: inserted, updated, repeats,
    superseded, written, late, contested, rows_served, panes, and steps_s, how long each step took (those of the
    tables run beside each other); nothing where there are no rows.
    """
    newest = newest_of_each_key(run.placement.spread(observations))
    judged = judge(registry.with_region(newest), rules).drop("latitude_deg", "registered_at")
    return upsert_judged(run, judged, registry, changes)


def upsert_judged(run: Run, judged: DataFrame, registry: Registry, changes: tuple[str, ...]) -> dict[str, Any]:
    """The same for rows that are judged already: Curated's columns without `revision`, and those of the newest records.

    Where REJUDGED is among `changes`, rows that the table holds are replaced by what differs from them.
    """
    steps_s: dict[str, float] = {}
    extent = None
    judged = checkpointed(run.open_windows.with_ahead(judged, run.placement))
    try:
        with _timed(steps_s, "judge"):
            extent = extent_of(judged)
        if extent is None:
            return {}
        merge = partial(_merge, run, judged, extent, registry, changes, steps_s)
        return _until_no_conflict(run, merge)
    finally:
        release(judged)
        # How many rows a batch has is known when they are there; the next has about as many.
        run.placement = Placement.for_rows(extent.rows if extent else 0)


def _until_no_conflict(run: Run, merge: Callable[[], T]) -> T:
    """What `merge` returns, done again where a compaction has rewritten a file that it had read: it needs no lease."""
    for _ in range(_CONFLICTS_AT_MOST):
        try:
            return merge()
        except CONFLICTS as conflict:
            log.warning("the merge met a compaction (%s) and is done again", type(conflict).__name__)
            run.open_windows.forget()
    return merge()


def _merge(
    run: Run,
    judged: DataFrame,
    extent: Extent,
    registry: Registry,
    wanted: tuple[str, ...],
    steps_s: dict[str, float],
) -> dict[str, Any]:
    with run.curated_lease.held():
        is_ours = run.open_windows.look(judged.sparkSession)
        rows, counts = _resolved(run, judged, extent, wanted, steps_s)
        try:
            if counts["written"]:
                with _timed(steps_s, "write"):
                    counts |= _write(run, rows, extent, counts, wanted, steps_s, is_ours=is_ours)
        finally:
            release(rows)
    registry.add_unknown(counts.pop("unknown"))
    return counts | {"steps_s": steps_s}


def _resolved(
    run: Run, judged: DataFrame, extent: Extent, wanted: tuple[str, ...], steps_s: dict[str, float]
) -> tuple[DataFrame, dict[str, Any]]:
    """What Curated is to hold of the batch's keys, and of the windows whose panes are not kept; with the counts."""
    kept = run.open_windows.starts
    with _timed(steps_s, "plan"):
        whole = {window.start for window in extent.windows} - kept
        join = rebuild if REJUDGED in wanted else resolve if whole else classify
        rows = checkpointed(join(judged.drop("is_ahead"), _held(run, judged.sparkSession, extent, whole)))
    with _timed(steps_s, "join"):
        counts = _count(rows, wanted)
    if kept and counts["written"] > counts["inserted"]:
        # What is replaced stands in a kept pane already, and cannot be taken out of it again.
        run.open_windows.forget()
        release(rows)
        return _resolved(run, judged, extent, wanted, steps_s)
    return rows, counts


def _held(run: Run, spark: SparkSession, extent: Extent, whole: Set[datetime]) -> DataFrame:
    """What Curated holds of the batch's keys, and of whole windows; not asked where it can hold none of them."""
    if not whole and not extent.behind:
        return _none_held(spark)
    curated = read_table(spark, run.settings, CURATED_OBSERVATIONS)
    return run.placement.gather(curated.where(extent.bounds(whole=whole)))


@cache
def _none_held(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], to_spark(CURATED_OBSERVATIONS))


def _write(
    run: Run,
    rows: DataFrame,
    extent: Extent,
    counts: dict[str, Any],
    wanted: tuple[str, ...],
    steps_s: dict[str, float],
    *,
    is_ours: bool,
) -> dict[str, Any]:
    """Write what changed to every table at once: none needs what another writes."""
    written = rows.where(F.col("change").isin(*wanted))
    with ThreadPoolExecutor(4) as beside:
        touched = beside.submit(_touched, run, written)
        observations = beside.submit(_serve, run, observation_rows, written, OBSERVATIONS_BY_STATION, steps_s)
        latest = beside.submit(_serve, run, latest_rows, written, LATEST_BY_REGION, steps_s)
        summaries = beside.submit(_summarise, run, rows, extent, wanted, steps_s)
        reached(CASSANDRA_WRITTEN, after=(observations, latest, summaries))
        if counts["inserted"] + counts["updated"]:
            with _timed(steps_s, CURATED_OBSERVATIONS.name):
                _write_curated(run, written, extent, counts, is_ours=is_ours)
        reached(CURATED_WRITTEN)
    latest.result()
    served, panes = summaries.result()
    run.open_windows.keep(panes, extent)
    # Handed over last: the evaluation of alerts may begin at once, and reads what was written here.
    run.touched += touched.result()
    return {"rows_served": observations.result(), "panes": served}


@contextmanager
def _timed(steps_s: dict[str, float], step: str) -> Iterator[None]:
    """Note how many seconds a step took."""
    began = time.monotonic()
    yield
    steps_s[step] = round(time.monotonic() - began, 3)


def _count(rows: DataFrame, wanted: tuple[str, ...]) -> dict[str, Any]:
    change = F.col("change")
    unknown = F.when(~F.col("is_registered"), F.struct("station_id", "region"))
    # By the driver that died in this batch: the next one must know that records contradicted each other.
    corrected_before = (change == AGAIN) & (F.col("revision") > 0)
    row = rows.agg(
        F.count_if(change == NEW).alias("inserted"),
        F.count_if(change.isin(*_REPLACING)).alias("updated"),
        F.count_if(change == REPEAT).alias("repeats"),
        F.count_if(change == SUPERSEDED).alias("superseded"),
        F.count_if(change.isin(*wanted)).alias("written"),
        F.count_if((change == NEW) & F.col("late_by_s").isNotNull()).alias("late"),
        F.count_if(F.col("contested") | change.isin(CORRECTION, SUPERSEDED) | corrected_before).alias("contested"),
        F.collect_set(unknown).alias("unknown"),
    ).first()
    assert row is not None
    return {**row.asDict(), "unknown": {station["station_id"]: station["region"] for station in row["unknown"]}}


def _write_curated(run: Run, written: DataFrame, extent: Extent, counts: dict[str, Any], *, is_ours: bool) -> None:
    rows = written.where(F.col("change").isin(NEW, *_REPLACING))
    transaction = run.open_windows.transaction(run.owner, run.epoch)
    if is_ours and not counts["updated"]:
        # The table stands as the join saw it, so that nothing can be there twice.
        append_once(rows, run.settings, CURATED_OBSERVATIONS, *transaction, count=counts["inserted"])
    else:
        # Without corrections no file of the table has to be rewritten, and Delta only appends.
        update_when = _NEWER if counts["updated"] else None
        merge_by_key(
            rows,
            run.settings,
            CURATED_OBSERVATIONS,
            extent.bounds("t."),
            update_when=update_when,
            transaction=transaction,
        )
    run.open_windows.written()


def _panes(rows: DataFrame, wanted: tuple[str, ...], open_windows: OpenWindows, placement: Placement) -> DataFrame:
    """The panes of the touched windows, and those that are kept, with `touched` and `replaced`."""
    change = F.col("change")
    touched = F.max(change.isin(*wanted)).alias("touched")
    # Only where something was replaced can a pane have lost its last value; of records that contradict each other a
    # driver that died may have written one.
    replaced = F.max(change.isin(*wanted) & ((change != NEW) | F.col("contested"))).alias("replaced")
    if open_windows.starts:
        start = window_start(F.col("observed_at"), PANE_MINUTES)
        rows = rows.where((change == NEW) | ~start.isin(sorted(open_windows.starts)))
    return open_windows.with_held(windows(rows, PANE_MINUTES, touched, replaced), placement)


def _summarise(
    run: Run, rows: DataFrame, extent: Extent, wanted: tuple[str, ...], steps_s: dict[str, float]
) -> tuple[int, DataFrame | None]:
    """Make and serve the panes in which a row is written; returns how many, and those that the next batch may need."""
    panes = _panes(rows, wanted, run.open_windows, run.placement)
    is_kept = run.open_windows.is_worth_keeping(extent)
    if is_kept:
        panes = checkpointed(panes)
    served = _serve(run, summary_rows, panes.where("touched"), SUMMARIES_BY_STATION, steps_s)
    return served, panes if is_kept else None


def _touched(run: Run, written: DataFrame) -> list[pa.Table]:
    """What the evaluation of alerts is told of the batch; nothing in a run that raises none."""
    return [touched_blocks(written, run.alert_rules).toArrow()] if run.alert_rules else []


def _serve(
    run: Run,
    shape: Callable[[DataFrame], DataFrame],
    rows: DataFrame,
    table: ServingTable,
    steps_s: dict[str, float],
) -> int:
    """Write rows to Cassandra as `shape` makes them; returns how many. Plans are made here, beside other tables'."""
    held_back_for(CURATED_WRITTEN)
    with _timed(steps_s, table.name):
        return run.through_cassandra(planned_write(shape(rows), run.settings, table))
