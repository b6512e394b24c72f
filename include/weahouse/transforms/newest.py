"""One row per key: the newest record. Order and repetition of the input make no difference."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.masks import TESTS
from weahouse.schemas.datasets import KEY
from weahouse.schemas.fields import VARIABLES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Per-station order is the broker's: append time, then the place in the log.
VERSION = ("ingested_at", "kafka_partition", "kafka_offset")


def newest_of_each_key(observations: DataFrame) -> DataFrame:
    """The newest record of each (station_id, observed_at) of so many `records`; `contested` where these contradict.

    `values_told`: the variables of which any of the records has a value, as the bits of their range tests.
    """
    # max_by is deterministic in batch and in a micro-batch alike; dropDuplicates keeps an arbitrary row in one and
    # the first in the other.
    # The day belongs to the key's time; grouped by it too, rows that are placed by station and day stay where they are.
    key = (*KEY, "observed_date")
    rest = [column for column in observations.columns if column not in key]
    winner = F.max_by(F.struct(*rest), F.struct(*VERSION)).alias("winner")
    contested = (F.min("payload_hash") != F.max("payload_hash")).alias("contested")
    of_records = (contested, F.count("*").alias("records"), F.bit_or(_values_told()).alias("values_told"))
    found = observations.groupBy(*key).agg(winner, *of_records)
    return found.select(*key, "winner.*", "contested", "records", "values_told")


def _values_told() -> Column:
    bits = {variable: 1 << TESTS.index(f"range:{variable}") for variable in VARIABLES}
    none = F.lit(0).cast("bigint")
    told = [F.when(F.col(name).isNotNull(), F.lit(bit).cast("bigint")).otherwise(none) for name, bit in bits.items()]
    return reduce(lambda left, right: left.bitwiseOR(right), told)
