"""Stations that are not near any limit are not read; nothing is missed for it."""

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
            is_near = self.watch.is_near(block, is_new=self.is_new)
            self.is_new = False
            held = any(alert.is_active or overlap(alert, block) for alert in self.standing)
            if is_near or held:
                self.looks += 1
                changes = self.judge(block.first_at, block.last_at, now)
                self.alerts |= {change.alert.alert_id: change.alert for change in changes}
                scope = scope_of(self.rules, self.standing, "a", "us-ca", block.first_at, block.last_at)
                since = scope.reads_from(self.rules)
                read = [self.readings[t] for t in sorted(self.readings) if t >= since]
                self.watch.learn("a", scope.since, read)

    def restart(self) -> None:
        self.watch = Watch(self.rules)


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
        late = [told.pop(drawn.randrange(len(told))) for _ in range(15)]
        for reading in late:
            told.insert(drawn.randrange(len(told)), reading)
    while told:
        batch, told = told[: (size := drawn.randint(1, 6))], told[size:]
        watched.hear(batch, now)
        if drawn.random() < 0.05:
            watched.restart()
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


def test_a_sum_of_many_small_amounts_is_near():
    station = WatchedStation(rules(rain={"statistic": "sum", "over_min": 60, "at_least": 15.0, "clear_below": 5.0}))
    for minute in range(0, 60, 10):
        station.hear(wind({minute: 2.5}), at(minute))
    assert len(station.standing) == 1
