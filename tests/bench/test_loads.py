from __future__ import annotations

import json
from collections import Counter

import pytest
from bench.loads import LOADS, Load, records

COUNT = 30_000


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_no_reading_of_a_load_repeats_another(load: Load):
    keys = [(record.key, record.at) for record in records(load, COUNT)]
    assert len(keys) == len(set(keys)) == COUNT


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.name)
def test_the_readings_of_a_load_come_in_order_of_time(load: Load):
    times = [record.at for record in records(load, COUNT)]
    assert times == sorted(times)


def test_nine_of_ten_readings_of_the_hot_load_are_of_one_station():
    (_, most), (_, next_) = Counter(record.key for record in records(_load("stream.hot_station"), COUNT)).most_common(2)
    assert most == 0.9 * COUNT
    assert next_ < 10


def test_the_even_load_has_a_reading_of_each_station_a_minute():
    found = [json.loads(record.value) for record in records(_load("stream.whole"), 1_000)]
    assert len({event["station_id"] for event in found[:500]}) == 500
    assert [event["observed_at"] for event in found[::500]] == ["2023-11-14T22:13:20Z", "2023-11-14T22:14:20Z"]


def test_the_load_of_many_stations_has_a_hundred_thousand():
    assert _load("stream.many_stations").stations == 100_000


def _load(name: str) -> Load:
    return next(load for load in LOADS if load.name == name)
