"""How a recompute's range becomes chunks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from weahouse.batch.recompute import Hour, spans

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HALF = timedelta(minutes=30)


def at(hour: int) -> datetime:
    return NOON + timedelta(hours=hour)


def hours(*records: int) -> list[Hour]:
    return [Hour(at(n), count, count) for n, count in enumerate(records) if count]


def test_chunks_lie_end_to_end_and_are_cut_at_full_hours():
    told = list(spans(hours(30, 30, 30, 0, 50), NOON + HALF, at(9), 60))
    assert told == [(NOON + HALF, at(2)), (at(2), at(4)), (at(4), at(9))]


def test_an_hour_with_more_records_is_a_chunk_by_itself():
    assert list(spans(hours(10, 500, 10), NOON, at(3), 60)) == [(NOON, at(1)), (at(1), at(2)), (at(2), at(3))]


def test_what_was_done_is_left_out_and_nothing_makes_no_chunk():
    assert list(spans(hours(30, 30, 30), at(1), at(3), 30)) == [(at(1), at(2)), (at(2), at(3))]
    assert list(spans(hours(30), at(1), at(3), 30)) == []
