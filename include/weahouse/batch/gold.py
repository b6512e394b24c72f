"""All of Gold that looks at some hours: their summaries, their days', and the features of the days after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weahouse.batch.aggregation import aggregate
from weahouse.batch.features import build_features, days_that_look_at
from weahouse.batch.units import NEWEST, Versions

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings


def make_gold(
    spark: SparkSession, settings: Settings, hours: Collection[datetime], versions: Versions = NEWEST
) -> dict[str, int]:
    """Make the hours, their days and the features anew, and write what differs; returns what both of them tell."""
    told = aggregate(spark, settings, hours, versions)
    return told | build_features(spark, settings, days_that_look_at(hours), told["hourly_summaries_version"])
