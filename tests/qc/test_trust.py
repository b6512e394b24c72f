"""A variable is distrusted above 75 percent of failed checks in 7 days, until it is below 25."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T
from tests.qc.readings import rules_with
from tests.qc.series import station, stations_table, trust_table

from weahouse.qc.masks import bits_of
from weahouse.qc.rules import Rules, load_rules
from weahouse.qc.trust import station_trust
from weahouse.schemas.datasets import CURATED_STATION_TRUST, CURATED_VERDICTS
from weahouse.schemas.render import to_spark

DAY = date(2024, 5, 8)
TEMPERATURE, DEW_POINT, RAIN = "air_temperature_c", "dew_point_c", "precipitation_mm"
BUDDY = f"buddy:{TEMPERATURE}"

# (station, days before DAY, how many such verdicts, tests applied, failed, excused)
Told = tuple[str, int, int, list[str], list[str], list[str]]
# (station, variable, days before DAY, is trusted)
Trusted = tuple[str, str, int, bool]


def checks(name: str, failed: int, applied: int, days_ago: int = 0) -> list[Told]:
    """So many buddy checks of the temperature, of which some failed."""
    return [(name, days_ago, failed, [BUDDY], [BUDDY], []), (name, days_ago, applied - failed, [BUDDY], [], [])]


def trusted(
    spark: SparkSession,
    verdicts: list[Told],
    yesterday: Sequence[Trusted] = (),
    rules: Rules | None = None,
) -> dict[tuple[str, str], tuple[int, int, bool]]:
    """(checks applied, failed, is trusted) by station and variable."""
    whole = to_spark(CURATED_VERDICTS)
    names = ("station_id", "observed_date", "tests_applied", "tests_failed", "tests_excused")
    rows = [
        (name, DAY - timedelta(days=days_ago), *map(bits_of, masks))
        for name, days_ago, count, *masks in verdicts
        for _ in range(count)
    ]
    given = spark.createDataFrame(rows, T.StructType([whole[name] for name in names]))
    before = trust_table(spark, [(name, v, DAY - timedelta(days=ago), good) for name, v, ago, good in yesterday])
    places = stations_table(spark, [station("colorado", region="us-co")])
    found = station_trust(given, before, places, rules or load_rules(), DAY)
    assert found.columns == list(CURATED_STATION_TRUST.columns)
    rows = found.collect()
    assert {row["observed_date"] for row in rows} <= {DAY}
    return {
        (row["station_id"], row["variable"]): (row["checks_applied"], row["checks_failed"], row["is_trusted"])
        for row in rows
    }


SHARES = {
    # name: (failed of 100, was trusted, is trusted)
    "at the upper limit": (75, True, True),
    "above it": (76, True, False),
    "wholly failed": (100, True, False),
    "sound": (0, True, True),
    "between, trusted before": (50, True, True),
    "between, distrusted before": (50, False, False),
    "at the lower limit": (25, False, False),
    "below it": (24, False, True),
}


@pytest.fixture(scope="module")
def by_share(spark: SparkSession) -> dict[tuple[str, str], tuple[int, int, bool]]:
    told = [one for name, (failed, _, _) in SHARES.items() for one in checks(name, failed, 100)]
    return trusted(spark, told, [(name, TEMPERATURE, 1, was) for name, (_, was, _) in SHARES.items()])


@pytest.mark.parametrize("name", SHARES)
def test_trust_is_lost_above_one_limit_and_regained_below_the_other(by_share, name: str):
    failed, _, expected = SHARES[name]
    assert by_share[name, TEMPERATURE] == (100, failed, expected)


def test_seven_days_count_and_no_more(spark: SparkSession):
    verdicts = [
        *checks("a", 80, 80, 6),
        *checks("a", 0, 20),
        *checks("b", 100, 100, 7),
        *checks("b", 0, 1),
        *checks("c", 9, 9, -1),
    ]
    assert trusted(spark, verdicts) == {("a", TEMPERATURE): (100, 80, False), ("b", TEMPERATURE): (1, 0, True)}


def test_what_was_never_distrusted_is_trusted_and_only_yesterday_s_trust_matters(spark: SparkSession):
    found = trusted(spark, checks("a", 50, 100), [("a", TEMPERATURE, 2, False), ("a", TEMPERATURE, 0, False)])
    assert found == {("a", TEMPERATURE): (100, 50, True)}


def test_without_checks_trust_stays_as_it_was(spark: SparkSession):
    found = trusted(spark, checks("a", 0, 1), [("gone", RAIN, 1, False), ("gone", TEMPERATURE, 1, True)])
    assert found == {("a", TEMPERATURE): (1, 0, True), ("gone", RAIN): (0, 0, False)}


def test_a_check_is_a_value_and_fails_once_whatever_failed_it(spark: SparkSession):
    tests = [f"{test}:{TEMPERATURE}" for test in ("range", "step", "persistence", "spike", "buddy")]
    found = trusted(spark, [("a", 0, 8, tests, tests[2:4], []), ("a", 0, 2, tests, [], [])])
    assert found == {("a", TEMPERATURE): (10, 8, False)}


def test_an_excused_test_and_one_that_accuses_several_variables_take_no_trust(spark: SparkSession):
    step, pair = f"step:{TEMPERATURE}", "dew_point_above_temperature"
    both = [f"range:{TEMPERATURE}", f"range:{DEW_POINT}", pair]
    found = trusted(spark, [("weather", 0, 9, [step], [step], [step]), ("damp", 0, 9, both, [pair], [])])
    assert found == {
        ("weather", TEMPERATURE): (9, 0, True),
        ("damp", TEMPERATURE): (9, 0, True),
        ("damp", DEW_POINT): (9, 0, True),
    }


def test_the_limits_of_trust_can_be_overridden_by_region_and_station(spark: SparkSession, tmp_path: Path):
    rules = rules_with(
        tmp_path,
        "  regions:\n    us-co: {distrusted_above_pct: 40}\n  stations:\n    strict: {distrusted_above_pct: 30}\n",
    )
    told = [one for name in ("colorado", "strict", "elsewhere") for one in checks(name, 35, 100)]
    found = trusted(spark, told, rules=rules)
    assert {name: found[name, TEMPERATURE][2] for name, _ in found} == {
        "colorado": True, "strict": False, "elsewhere": True,
    }  # fmt: skip
