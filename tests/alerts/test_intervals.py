from __future__ import annotations

from array import array
from datetime import datetime, timedelta

from tests.alerts.rows import NOON

from weahouse.alerts.intervals import groups, intervals_of, rounds
from weahouse.alerts.watch import Touched


def block(station: str, day: float) -> Touched:
    at: datetime = NOON + timedelta(days=day)
    return Touched(station, "us-ca", at, at, at, at, None, array("d"))


def spans(*blocks: Touched) -> list[tuple[str, int]]:
    return [(interval.station_id, (interval.last - interval.first).days) for interval in intervals_of(blocks)]


def test_blocks_that_lie_close_are_one_interval():
    assert spans(block("a", 0), block("a", 0.5), block("b", 0), block("a", 1.5), block("a", 3)) == [
        ("a", 1),
        ("a", 0),
        ("b", 0),
    ]


def test_an_interval_is_never_longer_than_a_week():
    assert max(days for _, days in spans(*[block("a", day / 2) for day in range(100)])) == 7


def test_a_station_is_once_in_a_round_and_in_order():
    found = rounds(intervals_of([block("a", 0), block("a", 9), block("b", 5), block("a", 5)]))
    assert [[(i.station_id, (i.first - NOON).days) for i in each] for each in found] == [
        [("a", 0), ("b", 5)],
        [("a", 5)],
        [("a", 9)],
    ]


def test_years_of_many_stations_are_read_in_portions():
    [first] = rounds(intervals_of([block(f"s{n}", 0) for n in range(1000)]))
    portions = list(groups(first))
    assert sum(len(portion) for portion in portions) == 1000
    assert max(len(portion) for portion in portions) == 32
