from __future__ import annotations

from datetime import UTC, datetime

import pytest

from weahouse.orchestration.forecast_hours import ForecastHourError, choose, written

NOW = datetime(2024, 5, 1, 12, 34, 56, tzinfo=UTC)


def at(hour: int) -> datetime:
    return datetime(2024, 5, 1, hour, tzinfo=UTC)


def test_without_a_wish_the_last_six_full_hours_are_forecast():
    assert choose(None, NOW) == (at(7), at(12))
    assert choose("", at(12)) == (at(7), at(12))


@pytest.mark.parametrize("text", ["2024-05-01T09:00:00Z", "2024-05-01T11:00:00+02:00"])
def test_an_hour_that_is_named_is_forecast_alone(text: str):
    assert choose(text, NOW) == (at(9), at(9))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2024-05-01T09:00:00", "no time with a zone"),
        ("yesterday", "no time with a zone"),
        ("2024-05-01T09:30:00Z", "no full hour"),
        ("2024-05-01T13:00:00Z", "lies ahead"),
    ],
)
def test_an_hour_that_cannot_be_meant_is_refused_with_a_reason(text: str, reason: str):
    with pytest.raises(ForecastHourError, match=reason):
        choose(text, NOW)


def test_a_time_is_written_as_the_application_reads_it():
    assert datetime.fromisoformat(written(at(9))) == at(9)
