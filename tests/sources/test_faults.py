"""What leaves a faulty network is compared with what a sound one would have sent, and with the truth file."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from weahouse.schemas.fields import VARIABLES
from weahouse.sources.faults import KINDS, PROFILES, Fault, Faults
from weahouse.sources.live import Schedule, SimulatedSource, reading_of
from weahouse.sources.network import network

if TYPE_CHECKING:
    from weahouse.sources.records import Record

START = 1_779_000_000
SITES = network(11, 40)
SCHEDULE = Schedule(SITES, Fraction(40, 60))


def sound(seconds: int) -> list[Record]:
    source, sent = SimulatedSource(SCHEDULE, START), []
    while batch := list(source.due(START + seconds)):
        sent += batch
    return sent


def spoilt(profile: str, seconds: int, share: float = 0.5) -> tuple[list[Record], list[Fault]]:
    told: list[Fault] = []
    faults = Faults(SITES, PROFILES[profile], share, reading_of(SITES, SCHEDULE.interval_s))
    source, sent = SimulatedSource(SCHEDULE, START, faults, told.append), []
    while batch := list(source.due(START + seconds)):
        sent += batch
    return [*sent, *source.rest()], told


def keyed(records: list[Record]) -> dict[tuple[str, str], dict]:
    events = [json.loads(record.value) for record in records]
    return {(event["station_id"], event["observed_at"]): event for event in events}


@pytest.mark.parametrize("profile", KINDS)
def test_a_profile_injects_its_own_kind_and_tells_each_fault(profile: str) -> None:
    _, told = spoilt(profile, 1800)
    assert {fault.kind for fault in told} == {profile}
    assert len(told) > 20
    for fault in told:
        assert json.loads(fault.to_json())["station_id"] == fault.station_id


def test_the_same_faults_are_injected_again_in_a_second_run() -> None:
    assert spoilt("all", 600) == spoilt("all", 600)


def test_all_kinds_are_told_in_the_profile_all() -> None:
    _, told = spoilt("all", 3600)
    assert {fault.kind for fault in told} == set(KINDS)


def test_a_share_of_the_readings_is_hit_and_the_rest_is_untouched() -> None:
    sent, told = spoilt("spike", 3600, share=0.1)
    truth = keyed(sound(3600))
    hit = {(fault.station_id, fault.observed_at) for fault in told}
    assert len(hit) / len(truth) == pytest.approx(0.1, abs=0.03)
    assert all(event == truth[key] for key, event in keyed(sent).items() if key not in hit)


@pytest.mark.parametrize("profile", ["spike", "drift", "stuck-sensor"])
def test_a_sensor_fault_changes_the_variable_by_what_the_truth_says_and_nothing_else(profile: str) -> None:
    sent, told = spoilt(profile, 3600)
    found, truth = keyed(sent), keyed(sound(3600))
    for fault in told:
        key = (fault.station_id, fault.observed_at)
        assert fault.true_value == truth[key][fault.variable]
        assert found[key] | {fault.variable: fault.true_value} == truth[key]
        if profile != "stuck-sensor":
            assert found[key][fault.variable] - truth[key][fault.variable] == pytest.approx(fault.size, abs=0.051)


def test_spikes_are_drawn_from_far_below_to_far_beyond_the_limit() -> None:
    _, told = spoilt("spike", 7200, share=1.0)
    sizes = np.abs([fault.size for fault in told if fault.variable == "air_temperature_c"])
    # The limit of a minute's step is 3 degC.
    assert sizes.min() < 0.3
    assert sizes.max() > 30
    assert 0.3 < (sizes > 3).mean() < 0.8
    assert {fault.size > 0 for fault in told} == {True, False}


def test_a_stuck_sensor_repeats_one_value() -> None:
    sent, told = spoilt("stuck-sensor", 3600)
    found = keyed(sent)
    episodes: dict[tuple[str, str | None], set[float]] = {}
    for fault in told:
        value = found[fault.station_id, fault.observed_at][fault.variable]
        episodes.setdefault((fault.station_id, fault.variable), set()).add(value)
    assert all(len(values) == 1 for values in episodes.values())


def test_a_repeated_reading_is_sent_twice_and_a_reading_out_of_order_once_but_later() -> None:
    sent, told = spoilt("duplicates", 900)
    counts = Counter(record.value for record in sent)
    assert sum(count == 2 for count in counts.values()) == len(told)
    assert set(counts) == {record.value for record in sound(900)}
    sent, told = spoilt("out-of-order", 900)
    assert Counter(record.value for record in sent) == Counter(record.value for record in sound(900))
    assert sent != sound(900)


@pytest.mark.parametrize(("profile", "sign"), [("late", -1), ("clock-skew", 1)])
def test_a_wrong_time_is_off_by_the_size_told(profile: str, sign: int) -> None:
    sent, told = spoilt(profile, 1800)
    found = keyed(sent)
    for fault in told:
        moment = datetime.fromisoformat(fault.observed_at).timestamp() + sign * fault.size
        stamp = datetime.utcfromtimestamp(moment).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ004
        assert (fault.station_id, stamp) in found


def test_a_huge_record_has_the_size_told_and_reaches_beyond_the_brokers_limit() -> None:
    sent, told = spoilt("huge", 300)
    sizes = sorted(len(record.value) for record in sent)
    assert sizes[-1] > 1024 * 1024
    assert sizes[-1] == pytest.approx(max(fault.size for fault in told), rel=0.01)


def test_malformed_json_is_a_beginning_of_the_true_event() -> None:
    sent, told = spoilt("malformed-json", 900)
    whole = {json.dumps(event, separators=(",", ":")).encode() for event in keyed(sound(900)).values()}
    cut = [record.value for record in sent if not record.value.endswith(b"}")]
    assert len(cut) == len(told)
    assert all(any(event.startswith(value) for event in whole) for value in cut)


def test_missing_variables_are_absent_or_null_and_told_by_name() -> None:
    sent, told = spoilt("missing", 900)
    found = keyed(sent)
    for fault in told:
        event = found[fault.station_id, fault.observed_at]
        assert {name for name in VARIABLES if event.get(name) is None} == set(fault.variable.split(","))


def test_a_record_without_key_is_otherwise_sound() -> None:
    sent, told = spoilt("null-key", 900)
    assert sum(record.key is None for record in sent) == len(told)
    assert keyed(sent) == keyed(sound(900))
