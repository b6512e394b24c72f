from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from weahouse.sources.ingest import Selection
from weahouse.sources.records import Record, Refused, render
from weahouse.sources.timeline import Timeline
from weahouse.sources.years import moved, shift_beyond, shifted


def epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def reading(text: str, station: str = "a") -> Record:
    return Record(epoch(text), station.encode(), render(station, "us-ca", epoch(text), {}))


@pytest.mark.parametrize("run_records", [1, 2, 3, 100])
def test_stations_are_merged_by_event_time_and_equal_times_keep_the_files_order(run_records: int) -> None:
    given = [Record(at, key, b"") for key in (b"a", b"b", b"a-again") for at in (1, 2, 3)]
    merged = list(Timeline(iter(given), run_records))
    assert [(record.at, record.key) for record in merged] == [
        (at, key) for at in (1, 2, 3) for key in (b"a", b"b", b"a-again")
    ]


def test_a_timeline_can_be_read_twice_and_at_the_same_time() -> None:
    timeline = Timeline(iter([Record(at, b"a", b"x" * at) for at in range(5_000, 0, -1)]), 1_000)
    pairs = list(zip(timeline, timeline, strict=True))
    assert len(pairs) == 5_000
    assert all(one == other for one, other in pairs)


def test_refused_lines_are_counted_by_reason_with_an_example_of_each() -> None:
    lines = [Refused(2, "short"), Record(1, b"a", b""), Refused(7, "short"), Refused(9, "no date")]
    timeline = Timeline(iter(lines))
    assert timeline.count == 1
    assert timeline.refused == {"short": 2, "no date": 1}
    assert timeline.examples == {"short": 2, "no date": 9}


def test_a_moved_reading_keeps_its_day_of_the_year_and_its_hour() -> None:
    assert moved(epoch("2014-06-12T06:00:00"), 12) == epoch("2026-06-12T06:00:00")
    assert moved(epoch("2012-03-01T00:00:00"), 1) == epoch("2013-03-01T00:00:00")


def test_a_leap_day_without_a_counterpart_is_left_out_and_with_one_kept() -> None:
    days = [reading("2012-02-28T12:00:00"), reading("2012-02-29T12:00:00"), reading("2012-03-01T12:00:00")]
    assert [record.at for record in shifted(days, 1)] == [epoch("2013-02-28T12:00:00"), epoch("2013-03-01T12:00:00")]
    assert [record.value for record in shifted(days, 4)] == [
        reading("2016-02-28T12:00:00").value,
        reading("2016-02-29T12:00:00").value,
        reading("2016-03-01T12:00:00").value,
    ]


@pytest.mark.parametrize(
    ("now", "years"),
    [
        ("2026-06-12T05:59:59", 12),
        ("2026-06-12T06:00:00", 13),
        ("2026-11-23T00:00:00", 13),
        ("2027-01-01T00:00:00", 13),
        ("2014-01-01T00:00:00", 0),
    ],
)
def test_the_shift_is_the_smallest_that_leaves_reports_after_now(now: str, years: int) -> None:
    assert shift_beyond(epoch("2014-06-12T06:00:00"), epoch(now)) == years


def test_a_file_that_ends_on_a_leap_day_can_be_moved_too() -> None:
    assert shift_beyond(epoch("2012-02-29T12:00:00"), epoch("2025-02-28T11:00:00")) == 13
    assert shift_beyond(epoch("2012-02-29T12:00:00"), epoch("2025-02-28T13:00:00")) == 14


def test_the_last_days_are_counted_back_from_the_files_end() -> None:
    timeline = Timeline(iter([reading(f"2014-06-{day:02}T00:00:00") for day in range(1, 11)]))
    chosen = list(Selection(last=timedelta(days=3)).of(timeline))
    assert [record.at for record in chosen] == [epoch(f"2014-06-{day:02}T00:00:00") for day in (8, 9, 10)]
    assert [record.at for record in Selection(limit=2).of(timeline)] == [
        epoch("2014-06-01T00:00:00"),
        epoch("2014-06-02T00:00:00"),
    ]


def test_a_shifted_file_ends_now_and_the_last_days_are_counted_back_from_there() -> None:
    timeline = Timeline(iter([reading(f"2014-06-{day:02}T00:00:00") for day in range(1, 11)]))
    selection = Selection(shift_to_now=True, last=timedelta(days=2), now=epoch("2026-06-05T12:00:00"))
    assert [record.value for record in selection.of(timeline)] == [
        reading("2026-06-04T00:00:00").value,
        reading("2026-06-05T00:00:00").value,
    ]


def test_a_file_of_one_past_day_is_moved_to_its_last_anniversary() -> None:
    timeline = Timeline(iter([reading("2016-01-01T00:00:00"), reading("2016-01-01T23:59:00")]))
    moved_records = list(Selection(shift_to_now=True, now=epoch("2026-11-23T00:00:00")).of(timeline))
    assert [record.at for record in moved_records] == [epoch("2026-01-01T00:00:00"), epoch("2026-01-01T23:59:00")]


def test_an_empty_file_has_nothing_to_send() -> None:
    assert list(Selection(shift_to_now=True, now=1).of(Timeline(iter([])))) == []
