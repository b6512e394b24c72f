"""The hours of Gold as these jobs read them: by path and column names alone."""

from __future__ import annotations

from weahouse.schemas.kinds import Dataset

GOLD_HOURLY_SUMMARIES = Dataset(
    "gold.hourly_summaries",
    "What each station observed in an hour.",
    columns=(),
    primary_key=("station_id", "window_start"),
    partition_by=("observed_date",),
)
