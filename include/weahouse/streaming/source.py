"""Kafka as a stream and as a bounded read of the same columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from weahouse.schemas.datasets import RECORD_COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.settings import Settings

Offsets = dict[str, dict[str, int]]


def _options(settings: Settings) -> dict[str, str]:
    return {
        "kafka.bootstrap.servers": settings.kafka,
        "subscribe": settings.observations_topic,
        "includeHeaders": "true",
        # Expired offsets or a topic that was made anew must be seen, not skipped.
        "failOnDataLoss": "true",
        # With the default of 500 ms a task waits that long at the end of the log: a small batch took 1.2 s, not 0.35 s.
        "kafka.fetch.max.wait.ms": "20",
    }


def read_stream(
    spark: SparkSession, settings: Settings, query: str, start: Offsets | None = None, **pace: str
) -> DataFrame:
    """The observations topic from the checkpoint, or where there is none from `start`, {topic: {partition: offset}}.

    Without a `start` that is the topic's beginning.
    """
    limits = {
        "startingOffsets": json.dumps(start) if start else "earliest",
        "maxOffsetsPerTrigger": str(settings.max_offsets_per_trigger),
        "groupIdPrefix": f"weahouse.{query}",
        **pace,
    }
    return spark.readStream.format("kafka").options(**_options(settings), **limits).load().select(*RECORD_COLUMNS)


def read_range(spark: SparkSession, settings: Settings, start: Offsets, end: Offsets) -> DataFrame:
    """The records from `start` to before `end`, both {topic: {partition: offset}}; an absent partition starts at 0."""
    begin = {topic: {p: start.get(topic, {}).get(p, 0) for p in partitions} for topic, partitions in end.items()}
    limits = {"startingOffsets": json.dumps(begin), "endingOffsets": json.dumps(end)}
    return spark.read.format("kafka").options(**_options(settings), **limits).load().select(*RECORD_COLUMNS)
