"""Bring what Raw holds into the other tables: by the same parse and the same merge as the stream, in bounded chunks."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.alerts.rules import load_alert_rules
from weahouse.io.delta import append_once, read_table
from weahouse.io.hdfs import Hdfs
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.streaming.alerts import Alerts
from weahouse.streaming.fencing import TableLease, take_epoch
from weahouse.streaming.registry import Registry
from weahouse.streaming.run import Run
from weahouse.streaming.upsert import upsert
from weahouse.transforms.changes import RESTORED
from weahouse.transforms.parse import ingest_hour, observations, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.settings import Settings
    from weahouse.streaming.rebuild import Span

log = logging.getLogger("weahouse.stream")


def recover(spark: SparkSession, settings: Settings, spans: list[Span]) -> dict[str, int]:
    """Merge the spans of Raw into Curated and Cassandra, and quarantine what was not; repeating it changes nothing.

    Returns what was inserted, updated and quarantined.
    """
    hdfs = Hdfs(settings)
    # A driver that somehow still lives is fenced by this.
    epoch = take_epoch(hdfs, settings.hdfs_root)
    lease = TableLease(hdfs, settings.hdfs_root, CURATED_OBSERVATIONS, "stream", epoch)
    run, rules, registry = Run(settings, hdfs, epoch, lease), load_rules(), Registry(settings, hdfs)
    run.alert_rules = load_alert_rules(settings.alert_rules)
    alerts = Alerts(run, run.alert_rules)
    alerts.load()
    raw = read_table(spark, settings, RAW_OBSERVATIONS)
    total: Counter[str] = Counter({"inserted": 0, "updated": 0, "quarantined": 0})
    for number, wanted in enumerate(_chunks(spans, settings.max_offsets_per_trigger)):
        run.before_batch()
        parsed = parse(raw.where(wanted).select(*RECORD_COLUMNS)).persist()
        counts = upsert(run, observations(parsed, settings.lateness), rules, registry, RESTORED)
        alerts.judge(run.take_touched())
        total["quarantined"] += _quarantine(run, parsed, number)
        total.update({name: counts.get(name, 0) for name in ("inserted", "updated")})
        parsed.unpersist()
        log.info("recovered chunk %d: %s", number, counts)
    return dict(total)


def _chunks(spans: list[Span], records: int) -> Iterator[Column]:
    """Conditions over Raw that select at most so many records each, from every span a like share."""
    share = max(1, records // max(1, len(spans)))
    longest = max((span.end - span.start for span in spans), default=0)
    for begin in range(0, longest, share):
        parts = [_within(span, begin, share) for span in spans if span.start + begin < span.end]
        yield reduce(lambda left, right: left | right, parts)


def _within(span: Span, begin: int, share: int) -> Column:
    first = span.start + begin
    is_of = (F.col("topic") == span.topic) & (F.col("partition") == span.partition)
    within = is_of & F.col("offset").between(first, min(first + share, span.end) - 1)
    return within if span.after is None else within & (F.col("timestamp") > F.lit(datetime.fromisoformat(span.after)))


def _quarantine(run: Run, parsed: DataFrame, number: int) -> int:
    """Add what cannot be read and does not stand in the quarantine yet; the archive died between its two tables."""
    unreadable = parsed.where(F.col("reason").isNotNull()).select(*RECORD_COLUMNS, "reason", ingest_hour())
    known = read_table(parsed.sparkSession, run.settings, CURATED_QUARANTINE)
    missing = unreadable.join(known, ["partition", "offset", "timestamp", "ingest_hour"], "left_anti").persist()
    count = missing.count()
    if count:
        append_once(missing.coalesce(1), run.settings, CURATED_QUARANTINE, f"recovery/{run.epoch}", number)
    missing.unpersist()
    return count
