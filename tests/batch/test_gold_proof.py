"""Gold compared with what Curated makes of it: what agrees, what came since, and what somebody has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tests.batch.conftest import next_run
from tests.curated import HOUR, MINUTE, NOON, Row, curated, observation

from weahouse.batch.aggregation import JOB, aggregate
from weahouse.batch.gold_proof import compare_gold
from weahouse.batch.sources import read_sources, record_sources, windows_of
from weahouse.io.delta import LOG_RETENTION_DAYS, ensure_table, open_table, table_path, version_of
from weahouse.io.small_tables import merge_rows, read_version
from weahouse.schemas.datasets import CURATED_INGEST_UNITS, CURATED_OBSERVATIONS
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES, GOLD_SUMMARY_SOURCES
from weahouse.settings import Settings

UNIT = {"offsets": "{}", "records": 1, "quarantined": 0, "readings": 1, "verdicts_version": 0, "curated_at": NOON}
# Two stations, two hours of one day: four rows of hours and two of days.
AGREED = {"compared_windows": 3, "compared_gold": 6, "differing_gold": 0, "pending_units": 0, "aged_windows": 0}


@dataclass
class Lake:
    """Curated, its ledger and Gold in a folder of their own."""

    spark: SparkSession
    settings: Settings

    def add(self, *rows: Row) -> None:
        ensure_table(self.spark, self.settings, CURATED_OBSERVATIONS)
        told = curated(self.spark, rows).coalesce(1)
        told.write.format("delta").mode("append").save(table_path(self.settings, CURATED_OBSERVATIONS))

    def curate(self, hour: str, *touched: datetime) -> None:
        version = version_of(self.spark, self.settings, CURATED_OBSERVATIONS)
        unit = {"ingest_hour": hour, "touched_hours": list(touched), "curated_version": version, **UNIT}
        merge_rows(self.settings, CURATED_INGEST_UNITS, [unit])

    def proof(self, begin: datetime | None = None, end: datetime | None = None) -> dict[str, Any]:
        return compare_gold(self.spark, self.settings, begin, end)


def temperature(at: datetime, value: float, station: str = "a") -> Row:
    return observation(at, station_id=station, air_temperature_c=value)


@pytest.fixture(scope="module")
def lake(spark: SparkSession, local_lake: Settings) -> Lake:
    """Gold as aggregation left it of the unit of the hour after noon, and a late reading of a later unit."""
    lake = Lake(spark, local_lake)
    lake.add(*[temperature(NOON + n * HOUR + m * MINUTE, n + m / 7, s) for n in (0, 1) for m in range(9) for s in "ab"])
    lake.curate("2024-05-01T13", NOON, NOON + HOUR)
    aggregate(lake.spark, lake.settings, [NOON, NOON + HOUR], writer=next_run(JOB))
    lake.add(temperature(NOON + 30 * MINUTE, 40.0))
    lake.curate("2024-05-01T14", NOON)
    return lake


def test_gold_is_what_the_versions_say_that_it_was_made_from_whatever_came_since(lake: Lake):
    assert lake.proof() == AGREED | {"pending_units": 1, "examples": []}


def test_where_no_unit_is_in_range_nothing_is_compared(lake: Lake):
    assert lake.proof(NOON + 3 * HOUR) == dict.fromkeys(AGREED, 0) | {"examples": []}
    assert lake.proof(end=NOON + HOUR) == dict.fromkeys(AGREED, 0) | {"examples": []}


def test_the_same_versions_again_leave_the_ledger_alone(lake: Lake):
    before, version = read_version(lake.settings, GOLD_SUMMARY_SOURCES)
    held = read_sources(lake.settings)[GOLD_HOURLY_SUMMARIES.name, NOON].versions
    record_sources(lake.settings, windows_of([NOON, NOON + HOUR]), held)
    assert read_version(lake.settings, GOLD_SUMMARY_SOURCES) == (before, version)
    assert len(before) == 3


def test_what_was_made_of_versions_that_are_gone_is_compared_where_nothing_has_come_since(lake: Lake):
    sources, _ = read_version(lake.settings, GOLD_SUMMARY_SOURCES)
    long_ago = {"summarised_at": datetime.now(UTC) - timedelta(days=LOG_RETENTION_DAYS)}
    merge_rows(lake.settings, GOLD_SUMMARY_SOURCES, [row | long_ago for row in sources])
    # The hour of the late reading, and its day, may have been made before it came or be wrong: nobody can tell.
    told = AGREED | {"compared_windows": 1, "compared_gold": 2, "aged_windows": 2, "pending_units": 1}
    assert lake.proof() == told | {"examples": []}
    merge_rows(lake.settings, GOLD_SUMMARY_SOURCES, sources)


def test_planted_violations_are_seen_by_table_station_and_window(lake: Lake):
    hours = open_table(lake.spark, lake.settings, GOLD_HOURLY_SUMMARIES)
    least = "air_temperature_c_mean + 1e-15D"
    hours.update("station_id = 'b' AND window_start = '2024-05-01 13:00:00'", {"air_temperature_c_mean": least})
    copy = hours.toDF().where("station_id = 'a' AND window_start = '2024-05-01 12:00:00'").drop("station_id")
    foreign = copy.selectExpr("'c' AS station_id", "*")
    foreign.write.format("delta").mode("append").save(table_path(lake.settings, GOLD_HOURLY_SUMMARIES))
    open_table(lake.spark, lake.settings, GOLD_DAILY_SUMMARIES).delete("station_id = 'a'")
    told = lake.proof()
    assert (told["compared_gold"], told["differing_gold"]) == (7, 3)
    seen = [tuple(example.values()) for example in told["examples"]]
    assert seen == [
        ("gold.hourly_summaries", "b", "2024-05-01T13:00:00+00:00", "changed"),
        ("gold.hourly_summaries", "c", "2024-05-01T12:00:00+00:00", "foreign"),
        ("gold.daily_summaries", "a", "2024-05-01T00:00:00+00:00", "absent"),
    ]
