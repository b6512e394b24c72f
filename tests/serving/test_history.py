from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from weahouse.serving.errors import NotServedError
from weahouse.serving.history import check_span, days
from weahouse.settings import Settings

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_span_touches_the_utc_days_between_its_ends() -> None:
    assert days(NOW - DAY, NOW) == [date(2024, 4, 30), date(2024, 5, 1)]


def test_a_span_that_ends_at_midnight_leaves_the_next_day_alone() -> None:
    assert days(datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 2, tzinfo=UTC)) == [date(2024, 5, 1)]


def test_a_span_within_the_retention_is_served() -> None:
    check_span(Settings(serving_retention_days=1), NOW - DAY, NOW, NOW)


def test_a_span_that_begins_before_the_retention_is_answered_with_where_to_look() -> None:
    with pytest.raises(NotServedError, match="before 2024-04-24T12:00:00Z: see Gold"):
        check_span(Settings(serving_retention_days=7), NOW - 8 * DAY, NOW, NOW)


def test_nothing_is_too_old_when_everything_is_kept() -> None:
    check_span(Settings(serving_retention_days=0), NOW - 5000 * DAY, NOW - 4999 * DAY, NOW)


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(NotServedError, match="is not before"):
        check_span(Settings(), NOW, NOW, NOW)


def test_more_than_a_month_is_refused() -> None:
    with pytest.raises(NotServedError, match="longer than 31 days"):
        check_span(Settings(), NOW - 32 * DAY, NOW, NOW)
