"""Hours of append time, the units of curation: read from a run, and checked before anything is done with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FORMAT = "%Y-%m-%dT%H"
PATTERN = r"^\d{4}-\d\d-\d\dT\d\d$"
HOUR = timedelta(hours=1)


class IngestHourError(ValueError):
    """An hour that cannot be curated; one sentence that names it and says what to write."""


def hour_of(moment: datetime) -> str:
    """The hour that holds a time, as Raw's folders name it."""
    return moment.astimezone(UTC).strftime(FORMAT)


def begin_of(ingest_hour: str) -> datetime:
    """When an hour begins; raises IngestHourError where the text is no hour."""
    try:
        begin = datetime.strptime(ingest_hour, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        begin = None
    # strptime takes 2024-5-1T3 too, which names no folder of Raw.
    if begin is None or hour_of(begin) != ingest_hour:
        raise IngestHourError(f"ingest_hour {ingest_hour!r} is no UTC hour: write it like 2024-05-01T13")
    return begin


def hours_between(begin: datetime, end: datetime) -> list[str]:
    """The hours that a span touches, its end included; one at least."""
    first = begin_of(hour_of(begin))
    return [hour_of(first + n * HOUR) for n in range(max(0, (end - first) // HOUR) + 1)]


def checked(ingest_hour: str) -> str:
    """The hour itself; raises IngestHourError where the text is no hour."""
    return hour_of(begin_of(ingest_hour))


def choose(asked: str | None, partition_key: str | None, now: datetime) -> str:
    """The hour of a run: what a person asked for, else the run's own, else the last one that is over.

    Raises IngestHourError for an hour that has not begun.
    """
    chosen = asked or partition_key or hour_of(now - HOUR)
    if begin_of(chosen) > now:
        raise IngestHourError(f"ingest_hour {chosen} has not begun: the newest one is {hour_of(now)}")
    return chosen
