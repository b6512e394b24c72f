"""The ledger of Gold: which versions of Curated each of its hours and days was made from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from weahouse.batch.units import Versions
from weahouse.io.small_tables import merge_rows, read_rows
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES, GOLD_SUMMARY_SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from weahouse.settings import Settings

# By the table's name the starts of windows, of which a day's is its midnight.
Windows = dict[str, list[datetime]]


class Source(NamedTuple):
    """What a window was made from, and when these versions were read first."""

    versions: Versions
    summarised_at: datetime


Sources = dict[tuple[str, datetime], Source]


def windows_of(hours: Iterable[datetime]) -> Windows:
    """The windows of Gold in which some full hours lie, in their order."""
    distinct = sorted({hour.astimezone(UTC) for hour in hours})
    midnights = sorted({hour.replace(hour=0) for hour in distinct})
    return {GOLD_HOURLY_SUMMARIES.name: distinct, GOLD_DAILY_SUMMARIES.name: midnights}


def read_sources(settings: Settings) -> Sources:
    """Every window that was made. Raises LakeError."""
    return {
        (row["summary_table"], row["window_start"]): Source(
            Versions(row["curated_version"], row["verdicts_version"]), row["summarised_at"]
        )
        for row in read_rows(settings, GOLD_SUMMARY_SOURCES)
    }


def record_sources(settings: Settings, windows: Mapping[str, Iterable[datetime]], versions: Versions) -> None:
    """Write down what windows were made from; where all of them say so already, nothing is written."""
    held, now = read_sources(settings), datetime.now(UTC)
    rows = [
        {"summary_table": table, "window_start": start, **versions._asdict(), "summarised_at": now}
        for table, starts in windows.items()
        for start in starts
        if (table, start) not in held or held[table, start].versions != versions
    ]
    merge_rows(settings, GOLD_SUMMARY_SOURCES, rows)
