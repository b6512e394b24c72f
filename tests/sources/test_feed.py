from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from weahouse.sources.feed import BACKLOG_S, Position, RealSource
from weahouse.sources.records import Record, render
from weahouse.sources.timeline import Timeline

if TYPE_CHECKING:
    from pathlib import Path

HOUR, DAY = 3600, 86_400


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


NOW = epoch("2026-03-15T12:30:00")
FIRST, LAST = epoch("2013-01-01T00:00:00"), epoch("2014-04-01T00:00:00")


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    """Two stations, hourly for fifteen months, one of them twice, as in the shipped file."""
    stations = ("a", "b", "a")
    hours = [(station, at) for station in stations for at in range(FIRST, LAST, HOUR)]
    return Timeline(Record(at, name.encode(), render(name, "us-ca", at, {})) for name, at in hours)


def source(timeline: Timeline, tmp_path: Path, now: float = NOW, topic: str = "t1") -> RealSource:
    return RealSource(timeline, tmp_path / "feed" / "real.json", topic, now)


def everything_due(feed: RealSource, now: float) -> list[Record]:
    sent = []
    while batch := list(feed.due(now)):
        sent += batch
        feed.acknowledged()
    return sent


def test_the_last_thirty_days_are_sent_at_once_with_their_repeats(timeline: Timeline, tmp_path: Path) -> None:
    sent = everything_due(source(timeline, tmp_path), NOW)
    assert {record.at for record in sent} == set(range(NOW - BACKLOG_S + HOUR // 2, NOW, HOUR))
    assert Counter(record.key for record in sent) == {b"a": 2 * 30 * 24, b"b": 30 * 24}
    assert sent == sorted(sent, key=lambda record: record.at)
    assert json.loads(sent[-1].value)["observed_at"] == "2026-03-15T12:00:00Z"


def test_later_reports_leave_as_their_hour_comes(timeline: Timeline, tmp_path: Path) -> None:
    feed = source(timeline, tmp_path)
    everything_due(feed, NOW)
    assert everything_due(feed, NOW + HOUR // 2 - 1) == []
    assert [record.key for record in everything_due(feed, NOW + HOUR // 2)] == [b"a", b"b", b"a"]


def test_a_second_start_sends_nothing_twice_and_what_was_missed_meanwhile(timeline: Timeline, tmp_path: Path) -> None:
    sent = everything_due(source(timeline, tmp_path), NOW)
    assert everything_due(source(timeline, tmp_path, NOW + 60), NOW + 60) == []
    missed = everything_due(source(timeline, tmp_path, NOW + 3 * HOUR), NOW + 3 * HOUR)
    assert [record.at - sent[-1].at for record in missed] == [hour * HOUR for hour in (1, 2, 3) for _ in range(3)]


def test_a_start_after_a_stop_within_an_hour_goes_on_with_the_next_station(timeline: Timeline, tmp_path: Path) -> None:
    whole = everything_due(source(timeline, tmp_path), NOW)
    position = tmp_path / "feed" / "real.json"
    for sent in range(1, 4):
        # What was acknowledged when the process died: the records of the newest hour up to some station.
        kept = Position.load(position)
        assert kept is not None
        Position(kept.topic_id, kept.shift_years, whole[-1].at, sent).save(position)
        assert everything_due(source(timeline, tmp_path), NOW) == whole[len(whole) - 3 + sent :]


def test_what_was_not_acknowledged_is_sent_again(timeline: Timeline, tmp_path: Path) -> None:
    first = list(source(timeline, tmp_path).due(NOW))
    assert list(source(timeline, tmp_path).due(NOW)) == first


def test_a_new_topic_is_filled_from_the_beginning(timeline: Timeline, tmp_path: Path) -> None:
    sent = everything_due(source(timeline, tmp_path), NOW)
    assert everything_due(source(timeline, tmp_path, topic="t2"), NOW) == sent


def test_after_a_long_sleep_only_the_last_thirty_days_are_sent(timeline: Timeline, tmp_path: Path) -> None:
    everything_due(source(timeline, tmp_path), NOW)
    later = NOW + 300 * DAY
    sent = everything_due(source(timeline, tmp_path, later), later)
    assert later - BACKLOG_S <= sent[0].at < later - BACKLOG_S + HOUR
    assert sent[-1].at == later - HOUR // 2


def test_when_the_file_runs_out_it_goes_on_a_year_earlier(timeline: Timeline, tmp_path: Path) -> None:
    end = epoch("2026-04-01T00:00:00")
    feed = source(timeline, tmp_path)
    assert feed.position.shift_years == 12
    sent = everything_due(feed, end + 2 * DAY)
    assert feed.position.shift_years == 13
    assert {record.at for record in sent if record.at >= end - DAY} == set(range(end - DAY, end + 2 * DAY + 1, HOUR))
    assert max(Counter((record.key, record.at) for record in sent).values()) == 2
    assert everything_due(source(timeline, tmp_path, end + 2 * DAY), end + 2 * DAY) == []


def test_the_position_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "feed" / "real.json"
    assert Position.load(path) is None
    Position("t", 13, 1, 2).save(path)
    Position("t", 13, 5, 1).save(path)
    assert Position.load(path) == Position("t", 13, 5, 1)
    assert [file.name for file in path.parent.iterdir()] == ["real.json"]
