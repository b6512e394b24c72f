"""Gold's hours and days, made anew from one version of Curated, only where something was touched."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import functions as F

from weahouse.batch.parts import replace_part, within_days
from weahouse.batch.sources import record_sources, windows_of
from weahouse.batch.units import NEWEST, Versions
from weahouse.batch.writer import Writer
from weahouse.io.delta import ensure_table, read_table, version_of
from weahouse.qc.verdicts import deepened
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_VERDICTS
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES
from weahouse.streaming.checkpointed import checkpointed, release
from weahouse.transforms.panes import window_start
from weahouse.transforms.summaries import DAY_MINUTES, HOUR_MINUTES, daily, hourly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

JOB = "aggregation"


class Part(NamedTuple):
    """A table and what is made anew in it: the rows in which `column` is one of `wanted`, by `summarise`."""

    dataset: Dataset
    summarise: Callable[[DataFrame], DataFrame]
    minutes: int
    column: str
    of_observation: Column
    wanted: DataFrame

    def held(self, table: DataFrame) -> DataFrame:
        """What the table has of the part."""
        return _only(table, F.col(self.column), self.wanted)

    def of(self, observations: DataFrame) -> DataFrame:
        """The observations that the part summarises."""
        return _only(observations, self.of_observation, self.wanted)

    def made_of(self, observations: DataFrame) -> DataFrame:
        """The part's rows; `observations` must be `of` it."""
        return self.summarise(_in_order(observations, self.minutes))


_SOURCES = (CURATED_OBSERVATIONS, CURATED_VERDICTS)


def hours_of(text: str) -> list[datetime]:
    """Hours from RFC 3339 times, separated by commas or white space; raises ValueError for what starts no hour."""
    return [_hour(datetime.fromisoformat(word)) for word in text.replace(",", " ").split()]


def aggregate(
    spark: SparkSession,
    settings: Settings,
    hours: Iterable[datetime],
    versions: Versions = NEWEST,
    writer: Writer | None = None,
) -> dict[str, int]:
    """Make the touched hours, and the days that hold them, anew from versions of Curated and its verdicts.

    A row without a verdict of its own version counts as level 1 left it. `hours` are aware times at which an hour
    begins. Rows of Gold that differ are replaced, and those that no observation stands behind any more deleted, each
    table in one commit; where nothing differs there is none. Every other hour and day is left alone. Which versions
    they were made from is written down.

    Returns hours, days, the versions, and of each table `<table>_{written,removed,unchanged}`, in rows, and
    `<table>_version`. Raises ValueError for a time at which no hour begins, and FencedError where a newer run has
    written a table meanwhile.
    """
    touched = sorted({_hour(hour) for hour in hours})
    days = sorted({hour.date() for hour in touched})
    ensure_table(spark, settings, CURATED_VERDICTS)
    versions = _or_newest(spark, settings, versions)
    told = {"hours": len(touched), "days": len(days), **versions._asdict()}
    # Read once for hours and days; and Spark plans the summaries by themselves.
    curated = checkpointed(readings(spark, settings, versions, days))
    writer = writer or Writer.on_hdfs(settings, JOB)
    for part in (hours_part(spark, touched), days_part(spark, days)):
        fresh, within = part.made_of(part.of(curated)), partial(within_days, part.dataset, days)
        counts = replace_part(fresh, settings, part.dataset, within, writer, part.held)
        told |= {f"{part.dataset.table}_{name}": number for name, number in counts.items()}
    release(curated)
    record_sources(settings, windows_of(touched), versions)
    return told


def _hour(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError(f"{time.isoformat()} has no zone: write 2024-05-01T12:00:00Z")
    hour = time.astimezone(UTC)
    if hour != hour.replace(minute=0, second=0, microsecond=0):
        raise ValueError(f"{time.isoformat()} does not begin an hour: write 2024-05-01T12:00:00Z")
    return hour


def _or_newest(spark: SparkSession, settings: Settings, asked: Versions) -> Versions:
    told = zip(_SOURCES, asked, strict=True)
    return Versions(*[version_of(spark, settings, table) if version is None else version for table, version in told])


def readings(spark: SparkSession, settings: Settings, versions: Versions, days: Sequence[date]) -> DataFrame:
    """Curated's rows of the days with the flags that they have after all levels."""
    told = zip(_SOURCES, versions, strict=True)
    return deepened(
        *[read_table(spark, settings, table, version).where(within_days(table, days)) for table, version in told]
    )


def hours_part(spark: SparkSession, hours: Sequence[datetime]) -> Part:
    """Hours of `gold.hourly_summaries`."""
    wanted = spark.createDataFrame([(hour,) for hour in hours], "wanted timestamp")
    hour = window_start(F.col("observed_at"), HOUR_MINUTES)
    return Part(GOLD_HOURLY_SUMMARIES, hourly, HOUR_MINUTES, "window_start", hour, wanted)


def days_part(spark: SparkSession, days: Sequence[date]) -> Part:
    """Days of `gold.daily_summaries`."""
    wanted = spark.createDataFrame([(day,) for day in days], "wanted date")
    day = F.col("observed_date")
    return Part(GOLD_DAILY_SUMMARIES, daily, DAY_MINUTES, "observed_date", day, wanted)


def _only(rows: DataFrame, value: Column, wanted: DataFrame) -> DataFrame:
    # A join, because a backfill names some ten thousand hours, and bounds of so many literals take longer to plan than
    # the rows to read.
    return rows.join(F.broadcast(wanted), value == F.col("wanted"), "left_semi")


def _in_order(rows: DataFrame, minutes: int) -> DataFrame:
    """Sums are added in the order of observation, so that the same rows give the same bits in whatever files they lie.

    Added as they come, they would differ in the last digit from run to run, and rows would be replaced for that.
    """
    # The window too, as `windows` has it: so it finds its rows sorted, and does not sort them again by less.
    window = window_start(F.col("observed_at"), minutes)
    placed = rows.repartition("station_id", "observed_date")
    return placed.sortWithinPartitions("station_id", "observed_date", window, "observed_at")
