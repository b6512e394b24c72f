"""The literal bounds of a batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession
from tests.rows import event, judged

from weahouse.streaming.extent import extent_of, joined

T0 = datetime(2024, 5, 1, tzinfo=UTC)
LATER = T0 + timedelta(hours=13)
TIMES = ("11:58:00", "12:01:00", "12:07:30", "12:20:00")


def minutes(*edges: int) -> list[tuple[datetime, datetime]]:
    times = [T0 + timedelta(minutes=edge) for edge in edges]
    return list(zip(times[::2], times[1::2], strict=True))


def kept(spark: SparkSession, whole: set[str]) -> list[str]:
    """The minutes of a full hour that lie within the bounds of a batch with TIMES."""
    batch = judged(spark, *[event(observed_at=f"2024-05-01T{time}Z") for time in TIMES], appended_at=LATER)
    found = extent_of(batch)
    starts = {datetime.fromisoformat(f"2024-05-01T{start}:00+00:00") for start in whole}
    hour = [event(observed_at=f"2024-05-01T{hour}:{m:02}:00Z") for hour in (11, 12) for m in range(60)]
    rows = judged(spark, *hour, appended_at=LATER).where(found.bounds(whole=starts)).select("observed_at").collect()
    return sorted(f"{row['observed_at']:%H:%M}" for row in rows)


def test_bounds_hold_the_times_of_the_batch_and_the_windows_that_are_wanted_whole(spark: SparkSession):
    assert kept(spark, set()) == ["11:58", *[f"12:0{m}" for m in range(1, 8)], "12:20"]
    assert kept(spark, {"12:00"}) == ["11:58", *[f"12:0{m}" for m in range(10)], "12:20"]


def test_the_windows_of_a_batch_are_counted(spark: SparkSession):
    found = extent_of(judged(spark, *[event(observed_at=f"2024-05-01T{time}Z") for time in TIMES], appended_at=LATER))
    assert [(f"{window.start:%H:%M}", window.rows) for window in found.windows] == [
        ("11:50", 1),
        ("12:00", 2),
        ("12:20", 1),
    ]
    assert found.rows == len(TIMES)


def test_a_batch_without_rows_has_no_extent(spark: SparkSession):
    assert extent_of(judged(spark, b"no observation")) is None


def test_spans_are_left_apart_at_their_widest_gaps():
    spans = minutes(0, 1, 2, 3, 60, 61, 90, 91)
    assert joined(spans) == spans
    assert joined(spans, at_most=3) == minutes(0, 3, 60, 61, 90, 91)
    assert joined(spans, at_most=1) == minutes(0, 91)


def test_spans_that_touch_are_one():
    assert joined(minutes(0, 10, 10, 20, 30, 40)) == minutes(0, 20, 30, 40)
