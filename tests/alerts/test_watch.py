"""Stations are not read for rules whose limits they are not near; nothing is missed for it."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from math import inf
from typing import Any

import pytest
from tests.alerts.rows import NOON, Station, at, rules, wind
from tests.alerts.test_any_order import RULES, standing, weather

from weahouse.alerts.alert import Alert
from weahouse.alerts.readings import Reading
from weahouse.alerts.rules import AlertRules
from weahouse.alerts.watch import Touched, Watch, block_minutes
from weahouse.transforms.rolling import pane_start


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
        self.looks = 0

    def hear(self, readings: Sequence[Reading], now) -> None:
        self.readings |= {reading.observed_at: reading for reading in readings}
        for block in touched(self.rules, readings):
            near = self.watch.near(block)
            near |= {alert.rule for alert in self.standing if alert.is_active or overlap(alert, block)}
            active = (alert for alert in self.standing if alert.is_active)
            names = near - {alert.rule for alert in active if self.watch.adds_nothing(block, alert)}
            if names:
                self.looks += 1
                changes = self.judge(block.first_at, block.last_at, now, names)
                self.alerts |= {change.alert.alert_id: change.alert for change in changes}

    def restart(self) -> None:
        self.watch = Watch(self.rules)
        if self.readings:
            newest = max(self.readings)
            since = self.watch.looks_back_to(newest)
            self.watch.recall("a", newest, [pane for pane in self.panes() if pane["window_start"] >= since])

    def panes(self) -> list[dict[str, Any]]:
        """All panes of the station, as they are served."""
        found = []
        for start, members in groupby(sorted(self.readings), pane_start):
            told = (self.readings[time].values.get("wind_speed_mps") for time in members)
            values = [value for value in told if value is not None]
            extremes = {"value_min": min(values, default=None), "value_max": max(values, default=None)}
            counted = {"value_count": len(values), "value_sum": sum(values) if values else None}
            found.append({"window_start": start, "variable": "wind_speed_mps", **counted, **extremes})
        return found


@pytest.mark.parametrize("seed", range(24))
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
    if seed % 3:
        # Some come wrong at first, and some of these without a value.
        for reading in drawn.sample(readings, 40):
            wrong = {"wind_speed_mps": drawn.uniform(0, 35)} if drawn.random() < 0.7 else {}
            told.insert(drawn.randint(0, told.index(reading)), Reading(reading.observed_at, wrong))
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


def test_after_a_restart_a_quiet_station_is_not_read_either():
    station = WatchedStation(rules(windy={"statistic": "mean", "over_min": 60}))
    for minute in range(0, 600, 10):
        if minute == 300:
            station.restart()
        station.hear(wind({minute: 5.0}), at(minute))
    assert station.looks == 0


def test_a_sum_from_before_a_restart_counts_however_much_lies_below_zero_beside_it():
    station = WatchedStation(rules(rain={"statistic": "sum", "over_min": 10, "at_least": 15.0, "clear_below": 5.0}))
    station.hear(wind({1: -20.0, 15: 12.0}), at(15))
    station.restart()
    station.hear(wind({18: 4.0}), at(18))
    assert [alert.peak_value for alert in station.standing] == [16.0]


def test_what_a_block_held_before_a_restart_is_looked_back_at_from_the_next_block():
    falling = {"kind": "change", "statistic": "fall", "over_min": 60, "at_least": 8.0, "clear_below": 4.0}
    station = WatchedStation(rules(falling=falling))
    station.hear(wind({30: 15.0}), at(30))
    station.restart()
    for minute, speed in ((50, 10.0), (70, 7.0)):
        station.hear(wind({minute: speed}), at(minute))
    assert [alert.peak_value for alert in station.standing] == [8.0]


def test_an_alert_that_merely_goes_on_is_looked_at_once_a_pane():
    station = WatchedStation(rules(windy={}))
    for second in range(0, 2400, 10):
        station.hear(wind({second / 60: 20.0}), at(second / 60))
    assert station.looks == 4
    assert [alert.last_window for alert in station.standing] == [at(30)]


def test_a_higher_peak_and_a_lull_are_looked_at():
    station = WatchedStation(rules(windy={"clear_below": 15.0}))
    for second, speed in ((0, 20.0), (10, 19.0), (20, 21.0), (30, 20.0), (40, 14.0)):
        station.hear(wind({second / 60: speed}), at(second / 60))
    assert [(alert.peak_value, alert.cleared_at) for alert in station.standing] == [(21.0, at(40 / 60))]
    assert station.looks == 3


def test_a_correction_of_the_peak_or_of_the_beginning_is_looked_at():
    station = WatchedStation(rules(windy={"clear_below": 15.0}))
    for second, speed in ((0, 20.0), (10, 25.0), (20, 22.0), (10, 21.0), (0, 17.0)):
        station.hear(wind({second / 60: speed}), at(second / 60))
    assert [(alert.event_at, alert.peak_value) for alert in station.standing] == [(at(10 / 60), 22.0)]


def test_a_sum_of_many_small_amounts_is_near():
    station = WatchedStation(rules(rain={"statistic": "sum", "over_min": 60, "at_least": 15.0, "clear_below": 5.0}))
    for minute in range(0, 60, 10):
        station.hear(wind({minute: 2.5}), at(minute))
    assert len(station.standing) == 1
