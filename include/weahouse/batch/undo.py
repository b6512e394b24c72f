"""Undoing a recompute: its rows are what they were before, where nobody has written them since.

The earlier rows are read from the version of Curated that each chunk began with, and go the way of a recompute: merged
in turns with the stream, served, judged by the later levels, and summarised. The table is never restored as a whole:
the stream writes it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.batch.backfills import RECOMPUTE, UNDONE, record_backfill, undoable
from weahouse.batch.recompute import chunks_of, make_later_levels, plan_of
from weahouse.batch.writer import run_beside_the_stream
from weahouse.io.delta import read_table
from weahouse.io.hdfs import Hdfs
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.streaming.registry import Registry
from weahouse.streaming.upsert import upsert_judged
from weahouse.transforms.changes import AGAIN, REJUDGED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.settings import Settings

log = logging.getLogger("weahouse.recompute")


def undo(spark: SparkSession, settings: Settings, run_id: str) -> dict[str, Any]:
    """Give the rows that a recompute judged again their earlier values and flags, and mark its row of the ledger.

    Left alone are rows of a newer record, and what the run found in Raw and Curated had not: a replay would bring it in
    again. Levels 2 and 3 are judged by the present rules. Broken off, it is done again from the beginning. Returns
    run_id, restored, and what Gold tells. Raises UndoError, and FencedError where a newer run has begun meanwhile.
    """
    backfill = undoable(settings, run_id, datetime.now(UTC))
    plan, chunks = plan_of(backfill), chunks_of(backfill)
    run, registry = run_beside_the_stream(settings, RECOMPUTE), Registry(settings, Hdfs(settings))
    restored = 0
    for begin, end, version in chunks:
        before = read_table(spark, settings, CURATED_OBSERVATIONS, version).where(plan.within(begin, end))
        # What a run that broke off has restored is served again too.
        counts = upsert_judged(run, _as_newest(run.placement.spread(before)), registry, (AGAIN, REJUDGED))
        restored += counts.get("updated", 0)
        log.info("restored until %s, of %s: %d rows", end, plan.end, restored)
    keys = read_table(spark, settings, CURATED_OBSERVATIONS).where(plan.within())
    told = make_later_levels(spark, settings, keys, load_rules(), with_gold="gold" in plan.zones)
    record_backfill(settings, backfill | {"backfill_state": UNDONE, "ended_at": datetime.now(UTC)})
    return {"run_id": run_id, "restored": restored, **told}


def _as_newest(rows: DataFrame) -> DataFrame:
    """Rows of Curated as if each were the one record of its key."""
    return rows.drop("revision").withColumns(
        {
            "contested": F.lit(False),
            "records": F.lit(1).cast("bigint"),
            "values_told": F.lit(0).cast("bigint"),
            "is_registered": F.lit(True),
        }
    )
