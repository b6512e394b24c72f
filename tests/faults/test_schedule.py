from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.load import MINUTES, STATIONS, chunks, key_of, load
from tests.faults.schedule import RECOVERABLE, REFUSING, schedule


def test_a_seed_gives_the_same_load_and_the_same_schedule_again():
    assert load.__wrapped__(7) == load.__wrapped__(7) != load(8)
    assert str(schedule(7)) == str(schedule(7)) != str(schedule(8))


@pytest.mark.parametrize("base", [1, 6, 101])
def test_ten_seeds_meet_every_fault(base: int):
    plans = [schedule(base + n) for n in range(10)]
    assert {step.fault for plan in plans for step in plan.steps} == set(RECOVERABLE)
    assert {plan.refusing for plan in plans} == set(REFUSING)


def test_the_default_of_five_seeds_meets_every_fault():
    plans = [schedule(seed) for seed in range(1, 6)]
    assert {step.fault for plan in plans for step in plan.steps} == set(RECOVERABLE)
    assert {plan.refusing for plan in plans} == set(REFUSING)


def test_a_schedule_is_one_line_that_names_each_fault():
    plan = schedule(3)
    assert "\n" not in str(plan)
    assert all(step.fault in str(plan) for step in plan.steps)
    assert str(plan.refusing) in str(plan)


def test_in_a_load_everything_happens_that_may_happen_to_a_record():
    records = load(1)
    values = Counter(records)
    by_key: dict[object, list[bytes]] = {}
    for _, value in records:
        by_key.setdefault(key_of(value), []).append(value)
    unreadable = by_key.pop(None)
    assert len(unreadable) > 50
    assert sum(count > 1 for count in values.values()) > 100
    assert sum(len(set(told)) > 1 for told in by_key.values()) > 100
    assert any(told[0] == told[-1] != told[1] for told in by_key.values() if len(told) == 3)
    assert any(b"dew_point_c" in told[0] and b"dew_point_c" not in told[-1] for told in by_key.values())
    stations = Counter(key[0] for key in by_key)
    assert sorted(stations.values()) == [MINUTES // 10 + 1] * (STATIONS // 2) + [MINUTES + 1] * (STATIONS // 2)
    order = [key_of(value) for key, value in records if key == "f1-01"]
    times = [key[1] for key in order if key]
    assert times != sorted(times)


def test_nothing_happens_to_the_last_reading_of_a_station():
    last = Counter(key for key in (key_of(value) for _, value in load(1)) if key and key[1].hour == 9)
    assert len(last) == STATIONS
    assert set(last.values()) == {1}


def test_loads_of_two_seeds_share_no_station_and_chunks_lose_no_record():
    assert not {key for key, _ in load(1)} & {key for key, _ in load(11)}
    assert tuple(record for chunk in chunks(1, 5) for record in chunk) == load(1)
