"""Verdicts in a lake: of what changed and of what follows from trust, the same as when everything is judged anew."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F
from tests.batch.conftest import next_run, write
from tests.qc.readings import rules_with
from tests.qc.series import START, Reading, context, named, reading, station, stations_table

from weahouse.batch.judging import JOB, Judgement, judge
from weahouse.io.delta import open_table, read_table, version_of
from weahouse.qc.trust import station_trust
from weahouse.qc.verdicts import deepened, verdicts
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_STATION_TRUST, CURATED_VERDICTS, KEY
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.streaming.checkpointed import checkpointed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.qc.rules import Rules
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

TEMPERATURE = "air_temperature_c"
BUDDY = f"buddy:{TEMPERATURE}"
# With one of the five distrusted, each of the others has three neighbours left, and is not compared any more.
FOUR_NEIGHBOURS = """\
  regions:
    us-ca:
      buddy:
        air_temperature_c: {radius_km: 60, least_neighbours: 4}
"""
PLACES = [station(name, 10.0 * n) for n, name in enumerate(("hot", "b", "c", "d", "e"))]
# From midnight on, so that a day's checks are all of one kind.
MIDNIGHT_MIN = -12 * 60
DAYS = 3
# The station that is too hot falls silent then, and tells one value more.
LATER = 40


def hours(day: int) -> Iterable[int]:
    return (MIDNIGHT_MIN + (24 * day + hour) * 60 for hour in range(24))


def readings(day: int, hot_c: float) -> list[Reading]:
    """A day on which four stations agree, and one tells what it is told to; no value stands still."""
    return [
        reading(name, minute, **{TEMPERATURE: (hot_c if name == "hot" else 10.0) + minute // 60 % 3})
        for minute in hours(day)
        for name in (place["station_id"] for place in PLACES)
    ]


class Lake:
    """Curated with three days of five stations, of which one is far too hot on the first two."""

    def __init__(self, spark: SparkSession, settings: Settings, rules: Rules) -> None:
        self.spark, self.settings, self.rules = spark, settings, rules
        days = [readings(day, 35.0 if day < 2 else 10.0) for day in range(DAYS)]
        later = [reading("hot", MIDNIGHT_MIN + LATER * 24 * 60, **{TEMPERATURE: 12.0})]
        write(self.rows(*days, later), settings, CURATED_OBSERVATIONS)
        write(stations_table(spark, PLACES), settings, GOLD_STATIONS)

    def rows(self, *days: list[Reading]) -> DataFrame:
        told = context(self.spark, [one for day in days for one in day], self.rules)
        return told.withColumn("late_by_s", F.lit(None).cast("bigint")).select(*CURATED_OBSERVATIONS.columns)

    def read(self, dataset: Dataset) -> DataFrame:
        return read_table(self.spark, self.settings, dataset)

    def judge(self, which: str = "true") -> Judgement:
        version = version_of(self.spark, self.settings, CURATED_OBSERVATIONS)
        return judge(
            self.spark, self.settings, self.read(CURATED_OBSERVATIONS).where(which), version, self.rules, next_run(JOB)
        )

    def versions(self) -> list[int]:
        return [version_of(self.spark, self.settings, table) for table in (CURATED_VERDICTS, CURATED_STATION_TRUST)]

    def compared(self) -> dict[str, list[int]]:
        """By station, on which days of the three its temperature was compared with its neighbours'."""
        found: dict[str, set[int]] = {}
        for row in self.read(CURATED_VERDICTS).collect():
            if BUDDY in named(row["tests_applied"]):
                found.setdefault(row["station_id"], set()).add((row["observed_date"] - START.date()).days)
        return {name: sorted(days) for name, days in sorted(found.items())}

    def everything(self) -> tuple[set[Any], set[Any]]:
        """What the tables hold, and what judging every row with the trust that they hold gives."""
        stations, trust = self.read(GOLD_STATIONS), self.read(CURATED_STATION_TRUST)
        days = [START.date() + timedelta(days=n) for n in range(LATER + 1)]
        said = verdicts(self.read(CURATED_OBSERVATIONS), stations, trust, self.rules, checkpointed)
        follows = station_trust(self.read(CURATED_VERDICTS), trust, stations, self.rules, days)
        held = {*self.read(CURATED_VERDICTS).collect(), *trust.collect()}
        return held, {*said.collect(), *follows.collect()}


@pytest.fixture(scope="module")
def lake(spark: SparkSession, local_lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(spark, local_lake, rules_with(tmp_path_factory.mktemp("rules"), FOUR_NEIGHBOURS))


@pytest.fixture(scope="module")
def first(lake: Lake) -> Judgement:
    """A run that died before it wrote the trust down."""
    return lake.judge()


def test_what_a_station_told_while_it_is_distrusted_is_kept_from_its_neighbours(lake: Lake, first: Judgement):
    assert lake.compared() == {"hot": [0, 1, 2], **{name: [0] for name in "bcde"}}
    assert len(first.hours) == 24 * DAYS + 1
    assert first.changed >= 24 * DAYS * len(PLACES)
    said = deepened(lake.read(CURATED_OBSERVATIONS), lake.read(CURATED_VERDICTS)).where(f"{TEMPERATURE}_flag > 1")
    assert {row["station_id"] for row in said.select("station_id").distinct().collect()} == {"hot"}
    assert first.deepened == said.count() > 0


@pytest.fixture(scope="module")
def second(lake: Lake, first: Judgement) -> Judgement:
    judgement = lake.judge()
    judgement.keep_trust()
    return judgement


def test_a_run_after_one_that_died_judges_again_what_follows_from_trust(first: Judgement, second: Judgement):
    assert second.hours == first.hours


def test_a_correction_gives_trust_back_and_leaves_what_judging_everything_leaves(lake: Lake, second: Judgement):
    corrected = {TEMPERATURE: F.expr("10.0D + hour(observed_at) % 3"), "revision": F.lit(1)}
    open_table(lake.spark, lake.settings, CURATED_OBSERVATIONS).update(
        f"station_id = 'hot' AND observed_date = DATE '{START:%Y-%m-%d}'", corrected
    )
    lake.judge("revision = 1").keep_trust()
    # Half of its checks of two days failed: what is trusted stays so.
    assert lake.compared() == {place["station_id"]: [0, 1, 2] for place in PLACES}
    held, everything = lake.everything()
    assert held == everything


def test_a_verdict_of_an_earlier_version_of_a_row_counts_no_more(lake: Lake, first: Judgement):
    rows, said = lake.read(CURATED_OBSERVATIONS), lake.read(CURATED_VERDICTS)
    newer = rows.withColumn("kafka_offset", F.col("kafka_offset") + 1)
    levels = [
        {row[0] for row in deepened(given, said).select("quality_level").distinct().collect()}
        for given in (rows, newer)
    ]
    assert levels == [{2, 3}, {1}]
    assert deepened(newer, said).columns == rows.columns
    assert deepened(newer, said.limit(0)).select(*KEY).count() == rows.count()
