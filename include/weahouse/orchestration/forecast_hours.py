"""For which reference times a run forecasts: one that a person named, or the newest that have passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from weahouse.orchestration.requests import moment_of

HOUR = timedelta(hours=1)
# A station that reports an hour late, or whose curation waited, is still forecast; what is older, nobody waits for.
HOURS_BACK = 6


class ForecastHourError(ValueError):
    """A reference time that cannot be meant; one sentence that says what to write."""


def choose(asked: str | None, now: datetime) -> tuple[datetime, datetime]:
    """The first and the last reference time, UTC: both the asked one, else those of the last `HOURS_BACK` hours.

    Raises ForecastHourError.
    """
    newest = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if not asked:
        return newest - (HOURS_BACK - 1) * HOUR, newest
    moment = _read(asked)
    if moment > newest:
        raise ForecastHourError(f"issued_at {asked!r} lies ahead: what was observed before it is not known yet")
    return moment, moment


def written(moment: datetime) -> str:
    """As applications and the lake read it, e.g. 2024-05-01T12:00:00Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _read(text: str) -> datetime:
    moment = moment_of(text)
    if moment is None:
        raise ForecastHourError(f"issued_at {text!r} is no time with a zone: write it like 2024-05-01T12:00:00Z")
    if (moment.minute, moment.second, moment.microsecond) != (0, 0, 0):
        raise ForecastHourError(f"issued_at {text!r} is no full hour: write it like 2024-05-01T12:00:00Z")
    return moment
