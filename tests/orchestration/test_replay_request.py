from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from weahouse.orchestration.raw_records import RawRange
from weahouse.orchestration.replay_request import ReplayRequest
from weahouse.orchestration.requests import RequestError

NOW = datetime(2024, 5, 2, tzinfo=UTC)
FIRST, LAST = {0: 10, 1: 0}, {0: 100, 1: 50}


def asked(**params: Any) -> ReplayRequest:
    default = {"start": "2024-05-01T12:00:00Z", "end": "2024-05-01T13:00:00Z", "reason": "a test", "dry_run": False}
    return ReplayRequest.of({"regions": None, "stations": None, **default, **params}, NOW)


def test_edges_are_times_with_a_zone_or_offsets():
    assert asked(start="2024-05-01T14:00:00+02:00").start == datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert asked(start=None, start_offsets='{"0": 12, "1": 0}').start == {0: 12, 1: 0}
    assert asked(end=None, end_offsets="{}").end == {}


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"start": None}, "start '' is no time with a zone: write it like .* or offsets in start_offsets"),
        ({"start": "2024-05-01T12:00:00"}, "start '2024-05-01T12:00:00' is no time with a zone"),
        ({"end": "2024-05-01T12:00:00Z"}, "end 2024-05-01T12:00:00Z must lie after start"),
        ({"start": "2014-05-01T12:00:00Z"}, "3653 days: at most 366 are allowed"),
        ({"start": "2024-05-02T12:00:00Z", "end": "2024-05-03T12:00:00Z"}, "lies in the future"),
        ({"end": None, "end_offsets": '{"0": -1}'}, "end_offsets has '0': -1: write offsets"),
        ({"end": None, "end_offsets": '{"a": 1}'}, "end_offsets has 'a': 1: write offsets"),
        ({"end": None, "end_offsets": "{0: 1}"}, "is no JSON"),
        ({"end": None, "end_offsets": "120"}, "end_offsets '120' is no object"),
        ({"end_offsets": "{}"}, "end '2024-05-01T13:00:00Z' and end_offsets '{}' are both given"),
        ({"reason": "  "}, "reason is empty"),
        ({"stations": ["a'; DROP TABLE x"]}, "stations has"),
        ({"regions": ["us ca"]}, "regions has 'us ca'"),
        ({"stations": "a"}, "stations is 'a': give a list"),
        ({"source": "tape"}, "source is 'tape': write one of auto, kafka, raw"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(params: dict[str, Any], told: str):
    with pytest.raises(RequestError, match=told):
        asked(**params)


def test_a_dry_run_needs_no_reason():
    assert asked(reason="", dry_run=True).reason == ""


def test_a_plan_covers_every_partition_and_tells_what_has_expired():
    plan = asked().plan({0: 4}, {0: 40, 1: 500}, FIRST, LAST)
    assert (plan["start"], plan["end"]) == ({"0": 10, "1": 0}, {"0": 40, "1": 50})
    assert (plan["records"], plan["expired"]) == (80, {"0": 6})


def test_the_same_range_is_the_same_run_and_another_one_is_not():
    runs = [
        asked(**params).plan({0: 10, 1: 0}, {0: end, 1: 50}, FIRST, LAST)["run_id"]
        for end, params in ((40, {}), (40, {"reason": "another", "dry_run": True}), (41, {}))
    ]
    assert runs[0] == runs[1] != runs[2]


def test_the_curated_units_of_its_offsets_tell_which_hours_of_observation_a_plan_touches():
    units = [
        {"offsets": '{"0": [0, 41]}', "touched_hours": [NOW, NOW.replace(hour=1)]},
        {"offsets": '{"0": [41, 60], "1": [0, 1]}', "touched_hours": [NOW.replace(hour=1), NOW.replace(hour=2)]},
        {"offsets": '{"0": [60, 90]}', "touched_hours": [NOW.replace(hour=3)]},
    ]
    assert asked().plan({0: 20, 1: 0}, {0: 60, 1: 0}, FIRST, LAST, units=units)["hours"] == 3


def test_what_has_expired_is_read_from_raw_and_the_rest_from_the_topic():
    raw = {0: RawRange(4, 10, 6, "2024-04-01T01", "2024-04-01T02")}
    plan = asked().plan({0: 4}, {0: 40, 1: 0}, FIRST, LAST, raw)
    assert (plan["start"], plan["end"], plan["raw_until"]) == ({"0": 4, "1": 0}, {"0": 40, "1": 0}, {"0": 10})
    assert (plan["records"], plan["from_raw"], plan["raw_hours"]) == (36, 6, ["2024-04-01T01", "2024-04-01T02"])


def test_a_range_that_has_expired_as_a_whole_is_read_from_raw_alone():
    raw = {0: RawRange(2, 9, 7, "2024-04-01T01", "2024-04-01T01")}
    plan = asked().plan({0: 2, 1: 0}, {0: 9, 1: 0}, FIRST, LAST, raw)
    assert (plan["start"], plan["end"], plan["records"]) == ({"0": 2, "1": 0}, {"0": 9, "1": 0}, 7)


def test_all_is_read_from_raw_where_that_is_asked_for():
    raw = {0: RawRange(20, 40, 20, "2024-05-01T12", "2024-05-01T12")}
    plan = asked(source="raw").plan({0: 20}, {0: 60, 1: 7}, FIRST, LAST, raw)
    assert (plan["start"]["0"], plan["end"]["0"], plan["raw_until"]) == (20, 40, {"0": 40})
    assert (plan["start"]["1"] == plan["end"]["1"], plan["records"]) == (True, 20)


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ({0: 40, 1: 0}, {0: 40, 1: 0}, "the range is empty"),
        ({0: 2, 1: 0}, {0: 9, 1: 0}, "neither the topic nor Raw holds"),
        ({7: 2}, {0: 9}, "start names partition 7, and the topic has 0 to 1"),
    ],
)
def test_a_range_of_nothing_is_refused(start: dict[int, int], end: dict[int, int], told: str):
    with pytest.raises(RequestError, match=told):
        asked().plan(start, end, FIRST, LAST)


def test_a_replay_from_kafka_alone_says_that_raw_may_hold_what_has_expired():
    with pytest.raises(RequestError, match="has expired from the topic: with source auto, Raw is asked too"):
        asked(source="kafka").plan({0: 2, 1: 0}, {0: 9, 1: 0}, FIRST, LAST)
