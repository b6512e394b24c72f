"""A step or spike that neighbours or other variables share is weather: it is excused, and says so."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from tests.qc.series import NUDGE, START, Reading, judged, named, reading, station

from weahouse.qc.masks import BAD, GOOD, SUSPECT
from weahouse.schemas.fields import flag_of

T, TD, P, SLP = "air_temperature_c", "dew_point_c", "air_pressure_hpa", "air_pressure_at_sea_level_hpa"
WIND, FROM = "wind_speed_mps", "wind_from_direction_deg"
# Groups stand this far apart, so that none is another's neighbour.
APART_KM = 120.0

Found = dict[tuple[str, float], Row]
Series = list[tuple[float, dict[str, float]]]


class Places:
    """Stations with series that are judged together."""

    def __init__(self) -> None:
        self.stations: list[Reading] = []
        self.readings: list[Reading] = []
        self.trust: list[tuple] = []
        self._count = 0

    def add(self, own: Series, *neighbours: Series, km: float = 20.0, distrusted: bool = False) -> str:
        """A station with its neighbours, all of them `km` to the north of it."""
        self._count += 1
        base, name = self._count * APART_KM, f"w{self._count}"
        for number, series in enumerate((own, *neighbours)):
            one = name if number == 0 else f"{name}n{number}"
            self.stations.append(station(one, base + (km if number else 0.0)))
            self.readings += [reading(one, minute, **values) for minute, values in series]
            if distrusted and number:
                self.trust.append((one, T, START.date().replace(day=1), False))
        return name


PLACES = Places()


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> Found:
    return judged(spark, PLACES.readings, PLACES.stations, PLACES.trust)


def verdict(row: Row, variable: str) -> tuple[int, set[str], set[str]]:
    """The flag, and which failed tests count and which are excused."""
    excused = named(row["tests_excused"])
    return row[flag_of(variable)], named(row["tests_failed"]) - excused, excused


def step(change: float, at: float = 0, gap: float = 60, variable: str = T) -> Series:
    return [(at - gap, {variable: 10.0}), (at, {variable: 10.0 + change})]


def quiet() -> Series:
    return step(0.0)


FALL = step(-8.0)
SHARED = {
    "two of two": PLACES.add(FALL, FALL, FALL),
    "two of four": PLACES.add(FALL, FALL, FALL, quiet(), quiet()),
    "half as much": PLACES.add(FALL, step(-4.0), step(-4.0)),
    "an hour earlier": PLACES.add(FALL, step(-8.0, at=-60), step(-8.0, at=-55)),
    "an hour later": PLACES.add(FALL, step(-8.0, at=69), step(-8.0, at=65)),
    "in a minute": PLACES.add(FALL, step(-6.0, gap=1), step(-6.0, gap=1)),
    "50 km away": PLACES.add(FALL, FALL, FALL, km=49.9),
}
NOT_SHARED = {
    "nobody there": PLACES.add(FALL),
    "one alone": PLACES.add(FALL, FALL),
    "two of five": PLACES.add(FALL, FALL, FALL, quiet(), quiet(), quiet()),
    "less than half as much": PLACES.add(FALL, step(-4.0 + NUDGE), step(-4.0 + NUDGE)),
    "the other way": PLACES.add(FALL, step(8.0), step(8.0)),
    "more than an hour earlier": PLACES.add(FALL, step(-8.0, at=-61), step(-8.0, at=-61)),
    "more than an hour later": PLACES.add(FALL, step(-8.0, at=70), step(-8.0, at=70)),
    "too far away": PLACES.add(FALL, FALL, FALL, km=50.1),
    "another variable": PLACES.add(FALL, step(-8.0, variable=TD), step(-8.0, variable=TD)),
    "distrusted": PLACES.add(FALL, FALL, FALL, distrusted=True),
}


@pytest.mark.parametrize("what", SHARED)
def test_a_step_that_neighbours_share_is_excused(found: Found, what: str):
    assert verdict(found[SHARED[what], 0], T) == (GOOD, set(), {f"step:{T}"})


@pytest.mark.parametrize("what", NOT_SHARED)
def test_a_step_that_neighbours_do_not_share_stays_suspect(found: Found, what: str):
    assert verdict(found[NOT_SHARED[what], 0], T) == (SUSPECT, {f"step:{T}"}, set())


BURST = PLACES.add(step(-25.0), step(-25.0), step(-25.0))


def test_even_a_bad_step_is_excused_where_it_is_shared(found: Found):
    assert verdict(found[BURST, 0], T) == (GOOD, set(), {f"step:{T}"})


# Eleven quiet hours, then up and down again within two hours: less than a step, more than a spike.
def spike(there: float, back: float) -> Series:
    before = [(minute, {T: 10.0}) for minute in range(-660, 0, 60)]
    return [*before, (0, {T: 10.0 + there}), (60, {T: 10.0 + there - back})]


BOTH_WAYS = PLACES.add(spike(3.5, 3.5), spike(2.5, 2.5), spike(2.5, 2.5))
ONE_WAY = PLACES.add(spike(3.5, 3.5), spike(2.5, 0.0), spike(2.5, 0.0))


def test_a_spike_is_shared_by_neighbours_that_went_both_ways(found: Found):
    assert verdict(found[BOTH_WAYS, 0], T) == (GOOD, set(), {f"spike:{T}"})
    assert verdict(found[ONE_WAY, 0], T) == (SUSPECT, {f"spike:{T}"}, set())


FRONT = {T: (20.0, 12.0), P: (1000.0, 1001.0), FROM: (180.0, 225.0)}


def front(*, minutes_ago: float = 60, **changed: tuple[float, float] | None) -> str:
    """A station an hour ago and now: temperature falls by 8, pressure jumps by 1 and the wind shifts by 45 degrees."""
    both: dict[str, Any] = {name: pair for name, pair in (FRONT | changed).items() if pair}
    return PLACES.add(
        [
            (-minutes_ago, {name: pair[0] for name, pair in both.items()}),
            (0, {name: pair[1] for name, pair in both.items()}),
        ]
    )


PASSES = {
    "all signs": (T, front()),
    "seen at sea level": (T, front(**{P: None, SLP: (1000.0, 1001.0)})),
    "wind through north": (T, front(**{FROM: (350.0, 35.0)})),
    "backing wind": (T, front(**{FROM: (180.0, 135.0)})),
    "a late hourly report": (T, front(minutes_ago=90)),
    "dew point": (TD, front(**{T: None, TD: (15.0, 7.0)})),
    "pressure": (P, front(**{T: (20.0, 17.0), P: (1000.0, 1003.5)})),
    "wind speed": (WIND, front(**{T: (20.0, 17.0), FROM: None, WIND: (2.0, 14.0)})),
}
NO_FRONT = {
    "pressure too steady": (T, front(**{P: (1000.0, 1001.0 - NUDGE)})),
    "pressure falls": (T, front(**{P: (1001.0, 1000.0)})),
    "wind too steady": (T, front(**{FROM: (180.0, 225.0 - NUDGE)})),
    "no vane": (T, front(**{FROM: None})),
    "no barometer": (T, front(**{P: None})),
    "wind from a calm": (T, front(**{FROM: (0.0, 225.0)})),
    "pressure alone": (P, front(**{T: (20.0, 17.0 + NUDGE), P: (1000.0, 1003.5)})),
    "temperature rises": (T, front(**{T: (12.0, 20.0)})),
    "pressure falls by a step": (P, front(**{T: (20.0, 17.0), P: (1003.5, 1000.0)})),
    "too long ago": (T, front(minutes_ago=91)),
}


@pytest.mark.parametrize("what", PASSES)
def test_a_front_excuses_the_step_of_which_it_shows_the_other_two_signs(found: Found, what: str):
    variable, name = PASSES[what]
    flag, counted, excused = verdict(found[name, 0], variable)
    assert (flag, counted) == (GOOD, set())
    assert f"step:{variable}" in excused


@pytest.mark.parametrize("what", NO_FRONT)
def test_without_both_other_signs_there_is_no_front(found: Found, what: str):
    variable, name = NO_FRONT[what]
    assert verdict(found[name, 0], variable)[:2] == (SUSPECT, {f"step:{variable}"})


# The hour before in minutes: what counts is the change over the whole of it.
SQUALL = PLACES.add(
    [
        (minute, {T: 20.0 - 0.1 * (minute % 2), P: 1000.0 + (minute + 60) / 50, FROM: 180.0 + (minute + 60)})
        for minute in range(-60, 0)
    ]
    + [(0, {T: 15.0, P: 1001.2, FROM: 240.0})]
)


def test_a_squall_is_seen_in_1_minute_values(found: Found):
    assert verdict(found[SQUALL, 0], T) == (GOOD, set(), {f"step:{T}"})


STUCK = PLACES.add([(minute, {T: 10.0, P: 1000.0 + minute / 60, FROM: 180.0 + minute}) for minute in range(61)])


def test_standing_still_is_never_excused(found: Found):
    assert verdict(found[STUCK, 60], T) == (SUSPECT, {f"persistence:{T}"}, set())
    assert BAD not in (found[STUCK, 60][flag_of(T)], found[STUCK, 60][flag_of(P)])
