"""The buddy check: who is a neighbour, and how far from their mean is too far; each limit is sharp."""

from __future__ import annotations

from datetime import timedelta
from math import exp
from pathlib import Path

import pytest
from pyspark.sql import Row, SparkSession
from tests.qc.readings import rules_with
from tests.qc.series import START, Reading, judged, named, reading, station

from weahouse.qc.masks import BAD, GOOD, SUSPECT
from weahouse.schemas.fields import flag_of

T, RH, P, SLP = "air_temperature_c", "relative_humidity_pct", "air_pressure_hpa", "air_pressure_at_sea_level_hpa"
TODAY = START.date()
# Means of neighbours are kept in thousandths.
NUDGE = 0.01
# Groups stand this far apart, out of sight of each other.
APART_KM = 60.0

Found = dict[tuple[str, float], Row]


class Groups:
    """Groups of stations that are judged together; the first of each is the one that is looked at."""

    def __init__(self) -> None:
        self.stations: list[Reading] = []
        self.readings: list[Reading] = []
        self.trust: list[tuple] = []
        self._count = 0

    def add(self, variable: str, own: float, *neighbours: dict, at: float = 0, region: str = "us-ca") -> str:
        """A value at 0 among neighbours: `value` or `series`, `km` north, `up` in m, `at`, `distrusted` days ago."""
        self._count += 1
        base = self._count * APART_KM
        name = f"g{self._count}"
        self.stations.append(station(name, base, region=region))
        self.readings.append(reading(name, at, region, **{variable: own}))
        for number, one in enumerate(neighbours):
            theirs = f"{name}n{number}"
            elevation_m = None if one.get("up", 0) is None else 100.0 + one.get("up", 0)
            self.stations.append(station(theirs, base + one.get("km", 1.0), elevation_m=elevation_m, region=region))
            for minute, value in one.get("series", [(one.get("at", 0), one.get("value"))]):
                self.readings.append(reading(theirs, minute, region, **{variable: value}))
            self.trust += [
                (theirs, variable, TODAY - timedelta(days=days), False) for days in one.get("distrusted", [])
            ]
        return name


GROUPS = Groups()


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> Found:
    return judged(spark, GROUPS.readings, GROUPS.stations, GROUPS.trust)


def equal(value: float, count: int, **others: float) -> list[dict]:
    return [{"value": value} | others] * count


def add(own: float, *neighbours: dict, variable: str = T, at: float = 0) -> str:
    return GROUPS.add(variable, own, *neighbours, at=at)


def is_compared(row: Row, variable: str = T) -> bool:
    return f"buddy:{variable}" in named(row["tests_applied"])


# A population of 8, 12, 8, 12, 10 has the deviation 1.789, twice of which is 3.578.
MIXED = [{"value": value} for value in (8.0, 12.0, 8.0, 12.0, 10.0)]
SHARP = {
    add(12.0, *equal(10.0, 5)): GOOD,
    add(12.0 + NUDGE, *equal(10.0, 5)): SUSPECT,
    add(8.0 - NUDGE, *equal(10.0, 5)): SUSPECT,
    add(13.57, *MIXED): GOOD,
    add(13.59, *MIXED): SUSPECT,
    # A hundred metres below it is 0.65 degrees warmer, three hundred above 1.95 colder.
    add(12.0, *equal(10.65, 5, up=-100)): GOOD,
    add(12.0 + NUDGE, *equal(10.65, 5, up=-100)): SUSPECT,
    add(12.0, *equal(8.05, 5, up=300)): GOOD,
    add(12.0 + NUDGE, *equal(8.05, 5, up=300)): SUSPECT,
}


def test_a_value_may_lie_two_deviations_from_its_neighbours(found: Found):
    assert {name: found[name, 0][flag_of(T)] for name in SHARP} == SHARP
    assert {found[name, 0]["quality_level"] for name in SHARP} == {3}


FAR_OFF = 30.0
NEIGHBOURS = {
    "five": add(FAR_OFF, *equal(10.0, 5)),
    "at the radius": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "km": 4.999}),
    "to the south": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "km": -3.0}),
    "as high as may be": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "up": 300}),
    "half an hour ago": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "at": -30}),
    "in half an hour": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "at": 39}),
    "distrusted before yesterday": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "distrusted": [0, 2]}),
}
STRANGERS = {
    "four": add(FAR_OFF, *equal(10.0, 4)),
    "beyond the radius": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "km": 5.001}),
    "too high": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "up": 301}),
    "too low": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "up": -301}),
    "of unknown height": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "up": None}),
    "too long ago": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "at": -31}),
    "too late": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "at": 40}),
    "bad": add(FAR_OFF, *equal(10.0, 4), {"value": 61.0}),
    "missing": add(FAR_OFF, *equal(10.0, 4), {"value": -9999.0}),
    "behind a bad step": add(FAR_OFF, *equal(10.0, 4), {"series": [(-60, 30.0), (0, 10.0)], "at": 0}),
    "distrusted yesterday": add(FAR_OFF, *equal(10.0, 4), {"value": 10.0, "distrusted": [1]}),
    "none at all": add(FAR_OFF),
}


@pytest.mark.parametrize("what", NEIGHBOURS)
def test_a_neighbour_is_near_in_place_height_and_time(found: Found, what: str):
    row = found[NEIGHBOURS[what], 0]
    assert is_compared(row)
    assert row[flag_of(T)] == SUSPECT


@pytest.mark.parametrize("what", STRANGERS)
def test_with_too_few_neighbours_nothing_is_compared_and_nothing_gets_worse(found: Found, what: str):
    row = found[STRANGERS[what], 0]
    assert not is_compared(row)
    assert (row[flag_of(T)], row["quality_level"]) == (GOOD, 2)


# The fifth tells 10 in the nearest pane and 20 in others, with which 13 would lie within. Of two equally near the
# earlier counts, and in a pane the mean.
NEAREST = {
    add(13.0, *equal(10.0, 4), {"series": [(-15, 20.0), (2, 10.0), (12, 20.0)]}): SUSPECT,
    add(13.0, *equal(10.0, 4), {"series": [(-5, 10.0), (15, 20.0)]}): SUSPECT,
    add(13.0, *equal(10.0, 4), {"series": [(-5, 20.0), (15, 10.0)]}): GOOD,
    add(12.0, *equal(10.0, 4), {"series": [(1, 9.0), (3, 11.0)]}): GOOD,
    add(12.0 + NUDGE, *equal(10.0, 4), {"series": [(1, 9.0), (3, 11.0)]}): SUSPECT,
}


def test_a_neighbour_tells_the_mean_of_its_nearest_ten_minutes(found: Found):
    assert {name: found[name, 0][flag_of(T)] for name in NEAREST} == NEAREST
    assert all(is_compared(found[name, 0]) for name in NEAREST)


def at_height(pressure_hpa: float, up_m: float, column_k: float) -> float:
    return pressure_hpa * exp(-9.80665 / 287.053 * up_m / column_k)


# Without temperatures the standard atmosphere's: 288.15 K at sea level, 6.5 K less a km; here at 100 m and 80 m more.
HIGHER = at_height(900.0, 80, 288.15 - 0.0065 * 140)
PRESSURES = {
    add(903.0, *equal(900.0, 3, km=9.9), variable=P): GOOD,
    add(903.0 + NUDGE, *equal(900.0, 3, km=9.9), variable=P): SUSPECT,
    add(903.0, *equal(HIGHER, 3, up=80), variable=P): GOOD,
    add(903.0 + NUDGE, *equal(HIGHER, 3, up=80), variable=P): SUSPECT,
    # At sea level pressures are compared as they are.
    add(1003.0, *equal(1000.0, 3, up=80), variable=SLP): GOOD,
    add(1003.0 + NUDGE, *equal(1000.0, 3, up=80), variable=SLP): SUSPECT,
}
PRESSURE_STRANGERS = [
    add(950.0, *equal(900.0, 2), variable=P),
    add(950.0, *equal(900.0, 3, up=101), variable=P),
    add(950.0, *equal(900.0, 3, km=10.1), variable=P),
]


def test_pressures_are_compared_at_the_station_s_height(found: Found):
    told = {name: max(found[name, 0][flag_of(P)] % 9, found[name, 0][flag_of(SLP)] % 9) for name in PRESSURES}
    assert told == PRESSURES
    assert [name for name in PRESSURE_STRANGERS if is_compared(found[name, 0], P)] == []


ALONE_IN_THE_NETWORK = add(12.0, *equal(10.0, 5, distrusted=[1]))


def test_where_all_neighbours_are_distrusted_nothing_is_compared(found: Found):
    assert not is_compared(found[ALONE_IN_THE_NETWORK, 0])


def test_a_value_that_level_1_calls_bad_stays_bad_and_is_not_compared(spark: SparkSession):
    groups = Groups()
    bad = groups.add(T, 61.0, *equal(10.0, 5))
    found = judged(spark, groups.readings, groups.stations)
    assert found[bad, 0][flag_of(T)] == BAD
    assert not is_compared(found[bad, 0])


def test_the_radius_and_the_other_limits_can_be_overridden(spark: SparkSession, tmp_path: Path):
    sparse = "{radius_km: 50, least_neighbours: 2, deviations: 4}"
    rules = rules_with(tmp_path, f"  regions:\n    us-mt:\n      buddy: {{air_temperature_c: {sparse}}}\n")
    groups = Groups()
    far = equal(10.0, 2, km=45.0)
    names = [
        groups.add(T, own, *far, region=region)
        for own, region in ((14.0, "us-mt"), (14.0 + NUDGE, "us-mt"), (30.0, "us-ca"))
    ]
    found = judged(spark, groups.readings, groups.stations, rules=rules)
    assert [found[name, 0][flag_of(T)] for name in names] == [GOOD, SUSPECT, GOOD]


def test_the_registry_s_region_and_not_the_row_s_decides_about_overrides(spark: SparkSession, tmp_path: Path):
    rules = rules_with(tmp_path, "  regions:\n    us-mt:\n      buddy: {air_temperature_c: {deviations: 4}}\n")
    groups = Groups()
    name = groups.add(T, 13.0, *equal(10.0, 5), region="us-mt")
    for one in groups.readings:
        one["region"] = "us-ca"
    assert judged(spark, groups.readings, groups.stations, rules=rules)[name, 0][flag_of(T)] == GOOD
