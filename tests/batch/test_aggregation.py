"""Gold made from Curated on a local file system: only what was touched, once, from one version, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tests.curated import HOUR, MINUTE, NOON, Row, curated, drawn_day, observation
from tests.instance import TEST_SETTINGS

from weahouse.batch.aggregation import JOB, aggregate, hours_of
from weahouse.batch.units import Versions
from weahouse.batch.writer import Writer
from weahouse.io.delta import ensure_table, open_table, read_table, table_path, version_of
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES
from weahouse.schemas.kinds import Dataset
from weahouse.settings import Settings
from weahouse.streaming.fencing import FencedError
from weahouse.transforms.summaries import daily, hourly

GOLD = (GOLD_HOURLY_SUMMARIES, GOLD_DAILY_SUMMARIES)
CHANGES = ("written", "removed", "unchanged")


@dataclass
class Lake:
    """A lake of its own in a folder, whose tables nobody else writes."""

    spark: SparkSession
    settings: Settings
    epoch: int = 1
    held: list[str] = field(default_factory=list)

    def add(self, *rows: Row, files: int = 1) -> None:
        ensure_table(self.spark, self.settings, CURATED_OBSERVATIONS)
        # Each file has its rows in an order of its own.
        told = curated(self.spark, rows).repartition(files, "air_temperature_c", "observed_at")
        told.write.format("delta").mode("append").save(table_path(self.settings, CURATED_OBSERVATIONS))

    def curated(self) -> Any:
        return open_table(self.spark, self.settings, CURATED_OBSERVATIONS)

    def writer(self) -> Writer:
        """The next run's."""
        self.epoch += 1
        return Writer(JOB, self.epoch, self._hold)

    def aggregate(self, *hours: datetime, **how: Any) -> dict[str, int]:
        return aggregate(self.spark, self.settings, hours, writer=self.writer(), **how)

    def rows(self, dataset: Dataset) -> list[Any]:
        return sorted(read_table(self.spark, self.settings, dataset).collect(), key=lambda row: row[:2])

    def temperatures(self) -> dict[tuple[str, int], float]:
        """The mean of each station and hour of the day."""
        held = self.rows(GOLD_HOURLY_SUMMARIES)
        return {
            (row["station_id"], row["window_start"].astimezone(UTC).hour): row["air_temperature_c_mean"] for row in held
        }

    def versions(self) -> list[int]:
        return [version_of(self.spark, self.settings, dataset) for dataset in GOLD]

    @contextmanager
    def _hold(self, dataset: Dataset) -> Iterator[None]:
        self.held.append(dataset.name)
        yield


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return Lake(spark, replace(TEST_SETTINGS, hdfs_url="file://", hdfs_root=str(tmp_path)))


def temperature(at: datetime, value: float, station: str = "a") -> Row:
    return observation(at, station_id=station, air_temperature_c=value)


def test_touched_hours_and_their_days_are_made_and_no_others(lake: Lake):
    lake.add(*[temperature(NOON + n * HOUR, float(n), station) for n in (-24, 0, 1) for station in "ab"])
    told = lake.aggregate(NOON)
    assert lake.temperatures() == {("a", 12): 0.0, ("b", 12): 0.0}
    # A day needs all of its hours, touched or not, and the day before was not touched.
    days = [(row["station_id"], row["observed_date"], row["report_count"]) for row in lake.rows(GOLD_DAILY_SUMMARIES)]
    assert days == [("a", NOON.date(), 2), ("b", NOON.date(), 2)]
    counts = {"hours": 1, "days": 1, "hourly_summaries_written": 2, "daily_summaries_written": 2}
    assert {name: told[name] for name in counts} == counts
    assert lake.held == [dataset.name for dataset in GOLD]


def test_gold_holds_what_the_transforms_make_of_curated_and_a_second_run_commits_nothing(lake: Lake):
    rows = drawn_day(seed=21)
    lake.add(*rows, files=3)
    touched = {row["observed_at"].replace(minute=0) for row in rows}
    told = lake.aggregate(*touched)
    assert (told["hours"], told["days"]) == (26, 2)
    made = curated(lake.spark, rows)
    for dataset, transform in zip(GOLD, (hourly, daily), strict=True):
        expected = sorted(transform(made).collect(), key=lambda row: row[:2])
        for held, row in zip(lake.rows(dataset), expected, strict=True):
            assert [*held] == [pytest.approx(v, rel=1e-9, abs=1e-9) if isinstance(v, float) else v for v in row]

    before = lake.versions()
    # The same rows in other files, and in another order.
    lake.curated().delete()
    lake.add(*rows[::-1], files=5)
    told = lake.aggregate(*touched)
    assert (told["hourly_summaries_written"], told["hourly_summaries_unchanged"]) == (0, 26)
    assert (told["daily_summaries_written"], told["daily_summaries_unchanged"]) == (0, 2)
    assert lake.versions() == before
    assert lake.aggregate()["hourly_summaries_unchanged"] == 0


def test_what_was_corrected_is_replaced_what_has_no_observation_goes_and_what_was_not_touched_stays(lake: Lake):
    lake.add(*[temperature(NOON + n * HOUR, float(n), station) for n in (0, 1) for station in "abc"])
    lake.aggregate(NOON, NOON + HOUR)
    lake.curated().update("station_id = 'a' AND air_temperature_c = 0.0", {"air_temperature_c": "5.0D"})
    lake.curated().delete("station_id = 'b' OR hour(observed_at) = 13")
    told = lake.aggregate(NOON)
    # The hour after noon says what it said, until it is touched as well.
    afternoon = {(station, 13): 1.0 for station in "abc"}
    assert lake.temperatures() == {("a", 12): 5.0, ("c", 12): 0.0} | afternoon
    changes = [(told[f"hourly_summaries_{what}"], told[f"daily_summaries_{what}"]) for what in CHANGES]
    # The day of station c is another too: its afternoon is gone.
    assert dict(zip(CHANGES, changes, strict=True)) == {"written": (1, 2), "removed": (1, 1), "unchanged": (1, 0)}
    days = lake.rows(GOLD_DAILY_SUMMARIES)
    assert [(row["station_id"], row["report_count"], row["air_temperature_c_max"]) for row in days] == [
        ("a", 1, 5.0),
        ("c", 1, 0.0),
    ]


def test_the_version_that_is_asked_for_is_read(lake: Lake):
    lake.add(temperature(NOON, 1.0))
    first = version_of(lake.spark, lake.settings, CURATED_OBSERVATIONS)
    lake.add(temperature(NOON + MINUTE, 3.0))
    told = lake.aggregate(NOON, versions=Versions(curated_version=first))
    assert (told["curated_version"], lake.temperatures()) == (first, {("a", 12): 1.0})
    assert lake.aggregate(NOON)["curated_version"] == first + 1
    assert lake.temperatures() == {("a", 12): 2.0}


def test_a_run_that_a_newer_one_has_taken_over_from_writes_nothing(lake: Lake):
    lake.add(temperature(NOON, 1.0))
    older, newer = (Writer(JOB, epoch, nullcontext) for epoch in (5, 6))
    aggregate(lake.spark, lake.settings, [NOON], writer=newer)
    lake.add(temperature(NOON + MINUTE, 3.0))
    with pytest.raises(FencedError, match="newer run"):
        aggregate(lake.spark, lake.settings, [NOON], writer=older)
    assert lake.temperatures() == {("a", 12): 1.0}


def test_hours_are_read_from_text():
    text = "2024-05-01T12:00:00Z,2024-05-01T15:00:00+02:00\n2024-05-02T00:00:00Z\n"
    assert hours_of(text) == [NOON, NOON + HOUR, NOON + 12 * HOUR]


@pytest.mark.parametrize("text", ["2024-05-01T12:00:00", "2024-05-01T12:30:00Z", "2024-05-01T12:00:00+05:30", "noon"])
def test_a_time_at_which_no_hour_begins_is_refused(text: str):
    with pytest.raises(ValueError, match=text[:10]):
        hours_of(text)
