from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from weahouse.batch.span import INGESTED, ISSUED, OBSERVED, Span, SpanError, span_of
from weahouse.schemas.datasets import CURATED_INGEST_UNITS, CURATED_OBSERVATIONS, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATIONS

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2024, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dataset", "word"),
    [
        (CURATED_OBSERVATIONS, OBSERVED),
        (RAW_OBSERVATIONS, INGESTED),
        (CURATED_INGEST_UNITS, INGESTED),
        (GOLD_STATIONS, None),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_table_is_bounded_by_its_own_time(dataset, word):
    assert span_of(dataset, NOON, MIDNIGHT) == Span(word, NOON, MIDNIGHT)


def test_a_producers_hour_is_one_of_append_time():
    assert span_of(CURATED_OBSERVATIONS, ingest_hour="2024-05-01T12") == Span(INGESTED, NOON, NOON + timedelta(hours=1))


def test_a_time_of_another_zone_is_meant_as_it_says_and_one_without_is_utc():
    at_two = datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert span_of(RAW_OBSERVATIONS, at_two, datetime(2024, 5, 2)) == Span(INGESTED, NOON, MIDNIGHT)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"begin": MIDNIGHT, "end": NOON}, "let it end later"),
        ({"begin": NOON, "ingest_hour": "2024-05-01T12"}, "not both"),
        ({"ingest_hour": "yesterday"}, "'yesterday' is no UTC hour"),
    ],
)
def test_what_cannot_be_meant_is_refused(asked, reason):
    with pytest.raises(SpanError, match=reason):
        span_of(CURATED_OBSERVATIONS, **asked)


def test_a_table_that_knows_no_append_time_has_no_such_hour():
    with pytest.raises(SpanError, match="does not tell when a record was appended"):
        span_of(GOLD_STATIONS, ingest_hour="2024-05-01T12")


def test_a_span_without_a_beginning_is_longer_than_any_rule_asks():
    assert Span(OBSERVED, None, NOON).hours == float("inf")
    assert Span(OBSERVED, NOON, MIDNIGHT).hours == 12


def test_rows_at_the_beginning_are_within_and_rows_at_the_end_are_not(spark):
    times = [NOON - timedelta(microseconds=1), NOON, MIDNIGHT - timedelta(microseconds=1), MIDNIGHT]
    rows = spark.createDataFrame([(at, at.date()) for at in times], "observed_at timestamp, observed_date date")
    found = rows.where(span_of(CURATED_OBSERVATIONS, NOON, MIDNIGHT).within(CURATED_OBSERVATIONS))
    assert found.count() == 2


def test_hours_that_the_span_touches_are_within(spark):
    rows = spark.createDataFrame(
        [("2024-05-01T11",), ("2024-05-01T12",), ("2024-05-01T23",), ("2024-05-02T00",)], ["ingest_hour"]
    )
    found = rows.where(span_of(CURATED_INGEST_UNITS, NOON, MIDNIGHT).within(CURATED_INGEST_UNITS))
    assert [row[0] for row in found.collect()] == ["2024-05-01T12", "2024-05-01T23"]


def test_all_of_a_table_without_a_time_is_within(spark):
    rows = spark.createDataFrame([("a",)], ["station_id"])
    assert rows.where(Span(ISSUED, NOON, MIDNIGHT).within(GOLD_STATIONS)).count() == 1
