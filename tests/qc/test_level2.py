"""Each threshold of level 2 is sharp, and what cannot be judged is not; the numbers are the sources', typed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession
from tests.qc.readings import rules_with
from tests.qc.series import NUDGE, Cases, judged, named

from weahouse.qc.masks import BAD, GOOD, MISSING, SUSPECT
from weahouse.schemas.fields import VARIABLES, flag_of

T, TD, RH = "air_temperature_c", "dew_point_c", "relative_humidity_pct"
P, SLP, WIND, FROM = "air_pressure_hpa", "air_pressure_at_sea_level_hpa", "wind_speed_mps", "wind_from_direction_deg"
USUAL = {T: 10.0, TD: 5.0, RH: 40.0, P: 1000.0, SLP: 1000.0, WIND: 5.0, FROM: 180.0}

Found = dict[tuple[str, float], Row]
# All cases of this module are judged together, once.
CASES = Cases()


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> Found:
    return judged(spark, CASES.readings)


def temperatures(minutes: range, *values: float) -> list:
    """A series of temperatures that take the values in turn."""
    return [(minute, {T: values[n % len(values)]}) for n, minute in enumerate(minutes)]


def persistence_of(row: Row) -> set[str]:
    return {test for test in named(row["tests_applied"]) if test.startswith("persistence:")}


# (minutes between, suspect above, bad above): WMO guidelines for a minute, WMO-No. 305 for hours, MADIS' hour for bad.
# A gap between two published ones has a limit between theirs.
PRESSURE = [
    (1, 0.5, 2.0), (60, 3.0, 15.0), (120, 6.0, None), (180, 9.0, None), (270, 13.5, None), (360, 18.0, None),
    (720, 36.0, None),
]  # fmt: skip
STEPS = {
    T: [
        (1, 3.0, 19.4), (30.5, 3.5, 19.4), (60, 4.0, 19.4), (90, 5.5, 19.4), (120, 7.0, None), (180, 9.0, None),
        (360, 15.0, None), (720, 25.0, None),
    ],
    TD: [(1, 2.0, 4.0), (60, 4.0, 19.4), (120, 6.0, None), (180, 8.0, None), (360, 12.0, None), (720, 20.0, None)],
    RH: [(1, 15.0, 15.0), (30.5, 32.5, 32.5), (60, 50.0, 50.0)],
    P: PRESSURE,
    SLP: PRESSURE,
    WIND: [(1, 10.0, 20.0), (60, 10.3, 20.0), (90, 10.3, 20.0)],
}  # fmt: skip
SHARP_STEPS = []
for _variable, _limits in STEPS.items():
    for _gap, _suspect, _bad in _limits:
        _deserved = [
            (_suspect - NUDGE, GOOD),
            (_suspect, GOOD),
            (_suspect + NUDGE, BAD if _suspect == _bad else SUSPECT),
        ]
        if _bad and _bad != _suspect:
            _deserved += [(_bad - NUDGE, SUSPECT), (_bad, SUSPECT), (_bad + NUDGE, BAD)]
        for _change, _flag in _deserved:
            _base = USUAL[_variable]
            _name = CASES.add([(0, {_variable: _base}), (_gap, {_variable: _base + _change})])
            SHARP_STEPS.append((_name, _gap, _variable, _change, _flag))


def test_the_limit_of_a_step_follows_the_gap_and_is_sharp(found: Found):
    told = [(case, found[case[:2]][flag_of(case[2])]) for case in SHARP_STEPS]
    assert [(case, flag) for case, flag in told if flag != case[4]] == []
    assert all(f"step:{case[2]}" in named(found[case[:2]]["tests_applied"]) for case in SHARP_STEPS)


FALLEN = CASES.add([(0, {T: 10.0}), (60, {T: 6.0 - NUDGE})])


def test_a_fall_is_a_step_as_a_rise_is(found: Found):
    assert found[FALLEN, 60][flag_of(T)] == SUSPECT


FIRST = CASES.add([(0, {T: 30.0})])
TOO_LATE = CASES.add([(0, {T: 10.0}), (720.5, {T: 50.0})])
UNPUBLISHED = CASES.add([(0, {RH: 10.0, WIND: 5.0}), (91, {RH: 90.0, WIND: 50.0})])


@pytest.mark.parametrize(
    ("key", "variable"), [((FIRST, 0), T), ((TOO_LATE, 720.5), T), ((UNPUBLISHED, 91), RH), ((UNPUBLISHED, 91), WIND)]
)
def test_without_a_value_near_enough_there_is_no_step(found: Found, key: tuple[str, float], variable: str):
    assert f"step:{variable}" not in named(found[key]["tests_applied"])
    assert found[key][flag_of(variable)] == GOOD


SKIPPING = CASES.add([(0, {T: 10.0}), (1, {T: 61.0}), (2, {T: -9999.0}), (3, {}), (60, {T: 14.0 + NUDGE})])


def test_a_step_is_taken_from_the_last_value_that_is_neither_bad_nor_missing(found: Found):
    flags = [found[SKIPPING, minute][flag_of(T)] for minute in (0, 1, 2, 3, 60)]
    assert flags == [GOOD, BAD, MISSING, MISSING, SUSPECT]


OUTLIER = CASES.add([(0, {T: 10.0}), (1, {T: 20.0}), (2, {T: 10.1}), (3, {T: 10.2})])
STAYS = CASES.add([(0, {T: 10.0}), (1, {T: 20.0}), (2, {T: 20.1}), (3, {T: 10.0})])
ELSEWHERE = CASES.add([(0, {T: 10.0}), (1, {T: 20.0}), (2, {T: 15.0})])


@pytest.mark.parametrize(
    ("station", "flags"),
    [
        (OUTLIER, [GOOD, SUSPECT, GOOD, GOOD]),
        (STAYS, [GOOD, SUSPECT, GOOD, SUSPECT]),
        (ELSEWHERE, [GOOD, SUSPECT, SUSPECT]),
    ],
    ids=["comes back at once", "stays a while", "comes back to another value"],
)
def test_the_value_after_an_outlier_is_not_accused_of_coming_back(found: Found, station: str, flags: list[int]):
    assert [found[station, minute][flag_of(T)] for minute in range(len(flags))] == flags


def hour(
    variable: str, change: float = 0.0, *, base: float | None = None, every: int = 1, since: int = 0, **others: float
) -> str:
    """A station with an hour of values that are equal but for one, which differs by `change`."""
    start = USUAL[variable] if base is None else base
    times = range(since, 61, every)
    series = [(at, {variable: start + (change if n == 12 else 0.0)} | others) for n, at in enumerate(times)]
    return CASES.add(series)


LEAST_CHANGES = {T: 0.1, TD: 0.1, RH: 1.0, P: 0.1, SLP: 0.1, WIND: 0.5, FROM: 10.0}
SHARP_CHANGES = [
    (hour(variable, change, **({WIND: 5.0} if variable == FROM else {})), variable, change, flag)
    for variable, least in LEAST_CHANGES.items()
    for change, flag in ((0.0, SUSPECT), (least - NUDGE, SUSPECT), (least, GOOD), (least + NUDGE, GOOD))
]


def test_the_least_change_in_an_hour_is_sharp(found: Found):
    told = [(case, found[case[0], 60][flag_of(case[1])]) for case in SHARP_CHANGES]
    assert [(case, flag) for case, flag in told if flag != case[3]] == []


STILL = {
    "moist": (RH, hour(RH, base=95.0 - NUDGE)),
    "30 values": (T, hour(T, every=2, since=2)),
    "55 minutes": (T, hour(T, since=5)),
    "a breeze": (WIND, hour(WIND, base=0.1 + NUDGE)),
    "to either side of north": (FROM, hour(FROM, -355.0, base=358.0, **{WIND: 5.0})),
}
LEFT_ALONE = {
    "saturated": (RH, hour(RH, base=95.0)),
    "29 values": (T, hour(T, every=2, since=4)),
    "54 minutes": (T, hour(T, since=6)),
    "a calm": (WIND, hour(WIND, base=0.1)),
    "a vane in a calm": (FROM, hour(FROM, **{WIND: 0.1})),
    "a vane without an anemometer": (FROM, hour(FROM)),
}
DRY = CASES.add([(at, {"precipitation_mm": 0.0}) for at in range(61)])


@pytest.mark.parametrize("what", STILL)
def test_where_change_is_to_be_expected_standing_still_is_suspect(found: Found, what: str):
    variable, station = STILL[what]
    assert found[station, 60][flag_of(variable)] == SUSPECT


@pytest.mark.parametrize("what", LEFT_ALONE)
def test_where_no_change_is_to_be_expected_persistence_is_not_judged(found: Found, what: str):
    variable, station = LEFT_ALONE[what]
    assert f"persistence:{variable}" not in persistence_of(found[station, 60])
    assert found[station, 60][flag_of(variable)] == GOOD


def test_rain_may_be_zero_for_ever(found: Found):
    assert persistence_of(found[DRY, 60]) == set()
    assert found[DRY, 60]["precipitation_mm_flag"] == GOOD


TEN = CASES.add(temperatures(range(0, 600, 60), 7.0))
NINE = CASES.add([(0, {T: 7.1}), *temperatures(range(60, 600, 60), 7.0)])
WITH_A_HOLE = CASES.add([*temperatures(range(0, 300, 60), 7.0), (300, {}), *temperatures(range(360, 660, 60), 7.0)])
IN_FIFTEEN_HOURS = CASES.add(temperatures(range(0, 1000, 100), 7.0))
OF_TWENTY_MINUTES = CASES.add(temperatures(range(0, 200, 20), 7.0))
CALM = CASES.add([(at, {WIND: 0.0}) for at in range(0, 600, 60)])


def test_ten_equal_hourly_values_in_a_row_are_suspect(found: Found):
    assert [found[TEN, at][flag_of(T)] for at in (480, 540)] == [GOOD, SUSPECT]
    assert found[NINE, 540][flag_of(T)] == GOOD
    assert persistence_of(found[NINE, 540]) == {f"persistence:{T}"}
    assert found[WITH_A_HOLE, 600][flag_of(T)] == SUSPECT


@pytest.mark.parametrize("key", [(TEN, 480), (IN_FIFTEEN_HOURS, 900), (OF_TWENTY_MINUTES, 180), (CALM, 540)])
def test_without_ten_hourly_values_persistence_is_not_judged(found: Found, key: tuple[str, float]):
    assert persistence_of(found[key]) == set()
    assert SUSPECT not in (found[key][flag_of(T)], found[key][flag_of(WIND)])


# Two degrees to either side of ten, the last of them 8: the deviation is 2.
TEN_HOURS = temperatures(range(-660, -60, 60), 12.0, 8.0)
QUIET_HOURS = temperatures(range(-660, -60, 60), 8.0)


def spike(there: float, back: float, before: list = TEN_HOURS, after: float = 120.0) -> str:
    """A station that goes `there` from 8 degrees two hours ago, and comes `back`."""
    return CASES.add([*before, (0, {T: 8.0 + there}), (after, {T: 8.0 + there - back})])


SHARP_SPIKES = {
    spike(4.0 - NUDGE, 4.0): GOOD,
    spike(4.0, 4.0): GOOD,
    spike(4.0 + NUDGE, 4.0): SUSPECT,
    spike(-4.0 - NUDGE, -4.0): SUSPECT,
    # Where nothing moved, the least deviation of one degree counts.
    spike(2.0, 2.0, QUIET_HOURS): GOOD,
    spike(2.0 + NUDGE, 2.0, QUIET_HOURS): SUSPECT,
    # A spike comes back at least half the way: what stays is a step, and one that goes on is neither.
    spike(6.0, 3.0): SUSPECT,
    spike(6.0, 3.0 - NUDGE): GOOD,
    spike(6.0, -6.0): GOOD,
    spike(6.0, 6.0, temperatures(range(-420, -60, 60), 12.0, 8.0)): SUSPECT,
}
NO_SPIKES = [
    spike(6.0, 6.0, after=121.0),
    spike(6.0, 6.0, before=TEN_HOURS[-5:]),
    CASES.add([*TEN_HOURS, (0, {T: 14.0})]),
    CASES.add([*TEN_HOURS, (0, {T: 14.0}), (60, {})]),
]
BESIDE = CASES.add([*TEN_HOURS, (-60, {T: 8.1}), (0, {T: 30.0}), (60, {T: 8.2}), (120, {T: 8.3})])


def test_a_spike_is_further_from_both_neighbours_than_four_deviations(found: Found):
    assert {name: found[name, 0][flag_of(T)] for name in SHARP_SPIKES} == SHARP_SPIKES
    assert all(f"spike:{T}" in named(found[name, 0]["tests_applied"]) for name in SHARP_SPIKES)


def test_without_near_neighbours_or_enough_hours_there_is_no_spike(found: Found):
    assert [name for name in NO_SPIKES if f"spike:{T}" in named(found[name, 0]["tests_applied"])] == []


def test_the_values_beside_a_spike_are_none(found: Found):
    assert [f"spike:{T}" in named(found[BESIDE, at]["tests_failed"]) for at in (-60, 0, 60)] == [False, True, False]
    assert all(f"spike:{T}" in named(found[BESIDE, at]["tests_applied"]) for at in (-60, 0, 60))


HOT = CASES.add([(0, {T: 54.5}), (60, {T: 55.0}), (120, {T: 54.6})])
CONTRADICTORY = CASES.add([(0, {T: 5.0, TD: 4.0}), (1, {T: 5.0, TD: 8.5})])


def test_a_verdict_is_the_worst_and_never_better_than_that_of_level_1(found: Found):
    assert [found[HOT, minute][flag_of(T)] for minute in (0, 60, 120)] == [SUSPECT] * 3
    row = found[CONTRADICTORY, 1]
    assert (row[flag_of(T)], row[flag_of(TD)]) == (SUSPECT, BAD)
    assert named(row["tests_failed"]) == {"dew_point_above_temperature", f"step:{TD}"}
    assert row["tests_excused"] == 0


VERSIONED = CASES.add([(0, {T: 1.0})], revision=3, kafka_partition=5, kafka_offset=9)


def test_a_verdict_carries_the_version_of_the_row_that_it_judges(found: Found):
    row = found[VERSIONED, 0]
    assert (row["revision"], row["kafka_partition"], row["kafka_offset"]) == (3, 5, 9)
    assert (row["observed_date"].isoformat(), row["quality_level"], row["tests_excused"]) == ("2024-05-02", 2, 0)
    assert {row[flag_of(name)] for name in VARIABLES} == {GOOD, MISSING}


OVERRIDES = """\
  regions:
    us-co:
      step: {air_temperature_c: {suspect: [[60, 8]]}}
      persistence_equal_values: 4
  stations:
    peak:
      step: {air_temperature_c: {suspect: [[60, 12]]}}
      persistence: {air_temperature_c: 0.3}
"""


def test_a_station_or_region_may_have_thresholds_of_its_own(spark: SparkSession, tmp_path: Path):
    cases, in_colorado = Cases(), {"region": "us-co"}
    step, still = [(0, {T: 10.0}), (60, {T: 20.0})], temperatures(range(1000, 1240, 60), 7.0)
    noisy = [(2000 + at, {T: 7.2 if at == 12 else 7.0}) for at in range(61)]
    for name, where in (("plain", {}), ("valley", in_colorado), ("peak", in_colorado)):
        cases.add([*step, *still, *noisy], station_id=name, **where)
    found = judged(spark, cases.readings, rules=rules_with(tmp_path, OVERRIDES))

    def flags(minute: float) -> list[int]:
        return [found[name, minute][flag_of(T)] for name in ("plain", "valley", "peak")]

    assert flags(60) == [SUSPECT, SUSPECT, GOOD]
    assert flags(1180) == [GOOD, SUSPECT, SUSPECT]
    assert flags(2060) == [GOOD, GOOD, SUSPECT]
