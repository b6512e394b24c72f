"""Stations are not read for rules whose limits they are not near; nothing is missed for it."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from math import inf

import pytest
from tests.alerts.rows import NOON, Station, at, rules, wind
from tests.alerts.test_any_order import RULES, standing, weather

from weahouse.alerts.alert import Alert
from weahouse.alerts.readings import Reading
from weahouse.alerts.rules import AlertRules
from weahouse.alerts.scope import scope_of
from weahouse.alerts.watch import Touched, Watch, block_minutes


def touched(rules: AlertRules, readings: Sequence[Reading]) -> list[Touched]:
    """What a batch of readings touched, as Spark's aggregate tells it."""
    length = timedelta(minutes=block_minutes(rules))
    midnight = NOON.replace(hour=0)
    found = []
    in_order = sorted(readings, key=lambda reading: reading.observed_at)
    for block, members in groupby(in_order, lambda reading: (reading.observed_at - midnight) // length):
        told = list(members)
        values = [r.values["wind_speed_mps"] for r in told if r.values]
        extremes = array("d", (min(values, default=inf), max(values, default=-inf), sum(values)))
        first, last = told[0].observed_at, told[-1].observed_at
        found.append(Touched("a", "us-ca", midnight + block * length, first, last, last, last, extremes))
    return found


def overlap(alert: Alert, block: Touched) -> bool:
    return alert.first_window <= block.last_at and block.first_at <= (alert.cleared_at or block.first_at)


class WatchedStation(Station):
    """A station that is judged only where it may matter, as the stream does it."""

    def __init__(self, rules: AlertRules) -> None:
        super().__init__(rules)
        self.watch = Watch(rules)
        self.is_new = True
        self.looks = 0

    def hear(self, readings: Sequence[Reading], now) -> None:
        self.readings |= {reading.observed_at: reading for reading in readings}
        for block in touched(self.rules, readings):
            near = self.watch.near(block, is_new=self.is_new)
            self.is_new = False
            names = near | {alert.rule for alert in self.standing if alert.is_active or overlap(alert, block)}
            if names:
                self.looks += 1
                changes = self.judge(block.first_at, block.last_at, now, names)
                self.alerts |= {change.alert.alert_id: change.alert for change in changes}
                scope = scope_of(self.rules, self.standing, "a", "us-ca", block.first_at, block.last_at, names)
                since = scope.reads_from(self.rules)
                read = [self.readings[t] for t in sorted(self.readings) if since <= t <= scope.until]
                self.watch.learn(scope, read)

    def restart(self) -> None:
        self.watch = Watch(self.rules)
        if self.readings:
            self.watch.recall({"a": max(self.readings)})


@pytest.mark.parametrize("seed", range(20))
def test_what_is_not_near_raises_nothing(seed: int):
    drawn = random.Random(seed)
    readings = weather(drawn)
    now = readings[-1].observed_at
    everything, watched = Station(RULES), WatchedStation(RULES)
    everything.tell(*readings, now=now)
    told = list(readings)
    if seed % 2:
        # Some come late.
        for reading in [told.pop(drawn.randrange(len(told))) for _ in range(15)]:
            place = sum(other.observed_at < reading.observed_at for other in told)
            told.insert(drawn.randint(place, len(told)), reading)
    while told:
        batch, told = told[: (size := drawn.randint(1, 6))], told[size:]
        watched.hear(batch, now)
        if drawn.random() < 0.05:
            watched.restart()
            # What waited meanwhile comes at once, over many blocks.
            batch, told = told[: (size := drawn.randint(0, 40))], told[size:]
            watched.hear(batch, now)
    assert standing(watched) == standing(everything)


def test_a_quiet_station_is_never_read():
    station = WatchedStation(rules(windy={}, gusty={"statistic": "mean", "over_min": 60}))
    for minute in range(0, 6000, 10):
        station.hear(wind({minute: 5.0}), at(minute))
    assert station.looks == 0


def test_after_a_restart_a_quiet_station_is_read_once():
    station = WatchedStation(rules(windy={"statistic": "mean", "over_min": 60}))
    for minute in range(0, 600, 10):
        if minute == 300:
            station.restart()
        station.hear(wind({minute: 5.0}), at(minute))
    assert station.looks == 1


def test_what_a_block_held_before_a_restart_is_looked_back_at_from_the_next_block():
    falling = {"kind": "change", "statistic": "fall", "over_min": 60, "at_least": 8.0, "clear_below": 4.0}
    station = WatchedStation(rules(falling=falling))
    station.hear(wind({30: 15.0}), at(30))
    station.restart()
    for minute, speed in ((50, 10.0), (70, 7.0)):
        station.hear(wind({minute: speed}), at(minute))
    assert [alert.peak_value for alert in station.standing] == [8.0]


def test_a_sum_of_many_small_amounts_is_near():
    station = WatchedStation(rules(rain={"statistic": "sum", "over_min": 60, "at_least": 15.0, "clear_below": 5.0}))
    for minute in range(0, 60, 10):
        station.hear(wind({minute: 2.5}), at(minute))
    assert len(station.standing) == 1
