"""One row per key: the newest record. Order and repetition of the input make no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import KEY

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Per-station order is the broker's: append time, then the place in the log.
VERSION = ("ingested_at", "kafka_partition", "kafka_offset")


def newest_of_each_key(observations: DataFrame) -> DataFrame:
    """The newest record of each (station_id, observed_at) of so many `records`; `contested` where these contradict."""
    # max_by is deterministic in batch and in a micro-batch alike; dropDuplicates keeps an arbitrary row in one and
    # the first in the other.
    # The day belongs to the key's time; grouped by it too, rows that are placed by station and day stay where they are.
    key = (*KEY, "observed_date")
    rest = [column for column in observations.columns if column not in key]
    winner = F.max_by(F.struct(*rest), F.struct(*VERSION)).alias("winner")
    contested = (F.min("payload_hash") != F.max("payload_hash")).alias("contested")
    found = observations.groupBy(*key).agg(winner, contested, F.count("*").alias("records"))
    return found.select(*key, "winner.*", "contested", "records")
