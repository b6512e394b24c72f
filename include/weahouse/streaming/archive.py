"""The archive query: every record verbatim to Raw, and what cannot be read to the quarantine, each exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.delta import append_once
from weahouse.schemas.datasets import CURATED_QUARANTINE, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.streaming.checkpointed import checkpointed, release
from weahouse.streaming.fault_points import ARCHIVE_PLANNED, ARCHIVE_WRITTEN, RAW_WRITTEN, reached
from weahouse.streaming.identity import confirm_topic
from weahouse.transforms.parse import ingest_hour, parse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from weahouse.streaming.run import Run

# The topic has more partitions than a batch of some seconds has use for files.
_FILES_PER_BATCH = 2


def archive_batch(run: Run, records: DataFrame, batch_id: int, checkpoint_id: str) -> None:
    """Append one micro-batch to Raw and to the quarantine; done twice it changes nothing."""
    run.before_batch()
    reached(ARCHIVE_PLANNED)
    writer = f"archive/{checkpoint_id}"
    told = parse(records).select(*RECORD_COLUMNS, "reason", ingest_hour())
    told = checkpointed(told.coalesce(_FILES_PER_BATCH))
    try:
        is_unreadable = F.col("reason").isNotNull()
        count, quarantined = told.agg(F.count("*"), F.count_if(is_unreadable)).collect()[0]
        # Now every record is read: Raw must not take another topic's under offsets that it may know already.
        confirm_topic(run)
        append_once(told, run.settings, RAW_OBSERVATIONS, writer, batch_id, count=count)
        if quarantined:
            reached(RAW_WRITTEN)
            unreadable = told.where(is_unreadable).coalesce(1)
            append_once(unreadable, run.settings, CURATED_QUARANTINE, writer, batch_id, count=quarantined)
        reached(ARCHIVE_WRITTEN)
    finally:
        release(told)
    run.counts["archive"][batch_id] = {"quarantined": quarantined}
