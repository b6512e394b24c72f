"""A change touches the rows that it may alter and no other: judging these alone gives what judging everything does."""

from __future__ import annotations

from datetime import UTC, timedelta
from random import Random

import pytest
from pyspark.sql import Row, SparkSession
from tests.qc.readings import rules_with
from tests.qc.series import START, Reading, context, moment, named, reading, station, stations_table, trust_table

from weahouse.qc.bounds import CONTEXT_AFTER, CONTEXT_BEFORE, TOUCHED_AFTER, TOUCHED_BEFORE, touched
from weahouse.qc.rules import Rules, load_rules
from weahouse.qc.verdicts import verdicts
from weahouse.schemas.datasets import CURATED_VERDICTS, KEY
from weahouse.schemas.render import to_spark

# Few neighbours in a wide circle and an early persistence, so that a few stations meet every test.
SPARSE = """\
  regions:
    us-ca:
      buddy:
        air_temperature_c: {radius_km: 30, least_neighbours: 2}
        air_pressure_hpa: {radius_km: 30, least_neighbours: 2}
      shared_least_neighbours: 1
      persistence_equal_values: 4
"""
HOURS = 48
STATIONS = [station(f"t{n}", 12.0 * n, elevation_m=100.0 + 20 * n) for n in range(4)] + [station("far", 400.0)]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    return rules_with(tmp_path_factory.mktemp("rules"), SPARSE)


def values(random: Random) -> dict[str, float | None]:
    """Coarse values with jumps in them, so that tests fail often and in every way."""
    told: dict[str, float | None] = {
        "air_temperature_c": 10.0 + random.choice([0, 0, 0, 0, 0.5, -0.5, 6, -7, 60]),
        "air_pressure_hpa": 1000.0 + random.choice([0, 0, 0, 0, 0.4, 4, -20]),
        "wind_speed_mps": random.choice([3.0, 3.0, 3.0, 16.0]),
        "wind_from_direction_deg": random.choice([180.0, 180.0, 250.0]),
    }
    return {name: None if random.random() < 0.1 else value for name, value in told.items()}


def network(random: Random) -> dict[tuple[str, int], Reading]:
    """Hourly stations and one that reports every 10 minutes, with holes, by station and minute."""
    rows = {}
    for place in STATIONS:
        every = 10 if place["station_id"] == "t1" else 60
        for minute in range(random.randrange(every), HOURS * 60, every):
            if random.random() < 0.9:
                rows[place["station_id"], minute] = reading(place["station_id"], minute, **values(random))
    return rows


def compared(rows: list[Row]) -> dict[tuple, tuple]:
    return {(row["station_id"], row["observed_at"]): tuple(row) for row in rows}


def met(whole: dict[tuple, tuple]) -> set[str]:
    """The kinds of tests that failed somewhere, and whether one was excused."""
    failed, excused = (CURATED_VERDICTS.columns.index(name) for name in ("tests_failed", "tests_excused"))
    kinds = {test.partition(":")[0] for row in whole.values() for test in named(row[failed])}
    return kinds | ({"excused"} if any(row[excused] for row in whole.values()) else set())


class Judge:
    """Keeps verdicts up to date with rows that change, as curation does: it judges what was touched, and no more."""

    def __init__(self, spark: SparkSession, rules: Rules) -> None:
        self._spark, self._rules = spark, rules
        self._stations, self._trust = stations_table(spark, STATIONS), trust_table(spark, [])
        self.rows: dict[tuple[str, int], Reading] = {}
        self.verdicts: dict[tuple, tuple] = {}

    def change(self, changed: dict[tuple[str, int], Reading]) -> int:
        """Insert or correct rows; returns how many verdicts were made anew."""
        self.rows |= changed
        times = [moment(minute) for _, minute in changed]
        first, last = min(times) - TOUCHED_BEFORE - CONTEXT_BEFORE, max(times) + TOUCHED_AFTER + CONTEXT_AFTER
        read = context(self._spark, self.rows.values(), self._rules).where(
            f"observed_at BETWEEN '{first:%Y-%m-%d %H:%M:%S}' AND '{last:%Y-%m-%d %H:%M:%S}'"
        )
        given = [(name, moment(minute)) for name, minute in changed]
        whole = to_spark(CURATED_VERDICTS)
        keys = touched(
            self._spark.createDataFrame(given, type(whole)([whole[name] for name in KEY])),
            read,
            self._stations,
            self._rules,
        )
        fresh = compared(verdicts(read, self._stations, self._trust, self._rules).join(keys, list(KEY)).collect())
        self.verdicts |= fresh
        return len(fresh)

    def everything(self) -> dict[tuple, tuple]:
        rows = context(self._spark, self.rows.values(), self._rules)
        return compared(verdicts(rows, self._stations, self._trust, self._rules).collect())


def test_judging_what_was_touched_gives_what_judging_everything_gives(spark: SparkSession, rules: Rules):
    random = Random(20240502)
    rows = network(random)
    parts: list[dict[tuple[str, int], Reading]] = [{}, {}, {}]
    for key, row in rows.items():
        random.choices(parts, (8, 1, 1))[0][key] = row
    corrected = {
        (name, minute): reading(name, minute, **values(random)) | {"revision": 1}
        for name, minute in random.sample(sorted(parts[0]), 8)
    }
    judge = Judge(spark, rules)
    judge.change(parts[0])
    late = {key: row for key, row in parts[1].items() if 900 < key[1] < 1200}
    made_anew = [judge.change(late), judge.change({**parts[2], **corrected, **parts[1]})]
    whole = judge.everything()
    assert judge.verdicts.keys() == whole.keys()
    assert [key for key, row in whole.items() if judge.verdicts[key] != row] == []
    assert 0 < made_anew[0] < len(whole)
    assert met(whole) >= {"step", "persistence", "spike", "buddy", "excused"}, "what was never met was not shown"


def test_a_change_touches_its_station_for_half_a_day_and_its_neighbours_around_it(spark: SparkSession):
    minutes = range(-300, 1000, 5)
    rows = [reading(name, minute, air_temperature_c=1.0) for name in ("t0", "t1", "far") for minute in minutes]
    changed = context(spark, [reading("t0", 5, air_temperature_c=2.0)])
    keys = touched(changed, context(spark, rows), stations_table(spark, STATIONS), load_rules()).collect()
    found: dict[str, list[float]] = {}
    for row in keys:
        found.setdefault(row["station_id"], []).append(
            (row["observed_at"].replace(tzinfo=UTC) - START) / timedelta(minutes=1)
        )
    assert found.keys() == {"t0", "t1"}
    assert len(keys) == len(set(keys))
    # In whole hours: two before and twelve after; 70 minutes more for neighbours, whose own steps look back.
    assert (min(found["t0"]), max(found["t0"])) == (-120, 775)
    assert (min(found["t1"]), max(found["t1"])) == (-120, 895)
