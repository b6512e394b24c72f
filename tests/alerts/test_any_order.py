"""Whatever the order and the batches in which readings come, with corrections among them: the same alerts stand."""

from __future__ import annotations

import random

import pytest
from tests.alerts.rows import Station, at, rules, wind

from weahouse.alerts.readings import Reading

RULES = rules(
    plain={"quiet_min": 30, "gap_min": 45},
    mean={"statistic": "mean", "over_min": 30, "at_least": 18.0},
    lasting={"kind": "duration", "for_min": 25, "at_least": 17.0, "quiet_min": 0},
    often={"kind": "repetition", "times": 3, "within_min": 40, "at_least": 19.0},
    falling={"kind": "change", "statistic": "fall", "over_min": 60, "at_least": 8.0, "clear_below": 4.0},
    calm={"at_least": ..., "clear_below": ..., "at_most": 8.0, "clear_above": 11.0, "quiet_min": 90},
)
UNTOLD = ("alert_state", "raised_at", "detection_delay_s", "alert_revision", "version", "superseded_by")


def weather(drawn: random.Random) -> list[Reading]:
    """A wind that wanders between calm and storm, with reports of uneven distance and gaps."""
    minute, speed, values = 0.0, 15.0, {}
    for _ in range(150):
        minute += drawn.choice([0.2, 1, 5, 10, 10, 20, 70])
        speed = min(30.0, max(0.0, speed + drawn.gauss(0, 4)))
        values[minute] = round(speed, 1)
    return wind(values)


def standing(station: Station) -> list[dict[str, object]]:
    rows = [{k: v for k, v in alert.row().items() if k not in UNTOLD} for alert in station.standing]
    return sorted(rows, key=lambda row: (str(row["rule"]), str(row["alert_id"])))


@pytest.mark.parametrize("seed", range(25))
def test_order_and_batches_make_no_difference(seed: int):
    drawn = random.Random(seed)
    readings = weather(drawn)
    now = readings[-1].observed_at
    at_once = Station(RULES)
    at_once.tell(*readings, now=now)
    assert len(at_once.standing) > 5

    in_order, shuffled = Station(RULES), Station(RULES)
    for reading in readings:
        in_order.tell(reading, now=now)
    assert standing(in_order) == standing(at_once)

    # Some come wrong at first, some twice; what counts is the last word on each.
    wrong = [Reading(r.observed_at, {"wind_speed_mps": drawn.uniform(0, 35)}) for r in drawn.sample(readings, 40)]
    begun = [*wrong, *drawn.sample(readings, 60)]
    told = [*drawn.sample(begun, len(begun)), *drawn.sample(readings, len(readings))]
    while told:
        batch, told = told[: (size := drawn.randint(1, 12))], told[size:]
        newest = {reading.observed_at: reading for reading in batch}
        shuffled.tell(*newest.values(), now=now)
    assert standing(shuffled) == standing(at_once)


@pytest.mark.parametrize("seed", range(10))
def test_corrections_that_come_one_by_one_make_no_difference(seed: int):
    drawn = random.Random(seed)
    readings = weather(drawn)
    now = readings[-1].observed_at
    at_once, corrected = Station(RULES), Station(RULES)
    at_once.tell(*readings, now=now)
    corrected.tell(*drawn.sample(readings, 120), now=now)
    wrong = [Reading(r.observed_at, {"wind_speed_mps": drawn.uniform(0, 35)}) for r in drawn.sample(readings, 60)]
    for reading in (*wrong, *drawn.sample(readings, len(readings))):
        corrected.tell(reading, now=now)
    assert standing(corrected) == standing(at_once)


@pytest.mark.parametrize("seed", range(5))
def test_a_live_station_ends_with_the_alerts_of_a_replay(seed: int):
    """In order, judged when each reading comes, with the clock going on."""
    readings = weather(random.Random(seed))
    live, replayed = Station(RULES), Station(RULES)
    for reading in readings:
        live.tell(reading, now=reading.observed_at)
    replayed.tell(*readings, now=readings[-1].observed_at)
    assert standing(live) == standing(replayed)
    assert live.judge(at(0), readings[-1].observed_at, now=readings[-1].observed_at) == []
