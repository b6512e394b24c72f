"""Which rows of a table are checked: those whose time lies in a span, by one of the times that tables tell of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.schemas.fields import FIELDS

if TYPE_CHECKING:
    from pyspark.sql import Column

    from weahouse.schemas.kinds import Dataset

OBSERVED, ISSUED, INGESTED = "observed", "issued", "ingested"
# A table is bounded by the first of these that it has a column of; each column that it has narrows what is read.
TIMES: dict[str, tuple[str, ...]] = {
    OBSERVED: ("observed_at", "window_start", "observed_date"),
    ISSUED: ("issued_at", "issued_date"),
    INGESTED: ("timestamp", "ingested_at", "ingest_hour"),
}
_HOUR_FORMAT = "%Y-%m-%dT%H"
# How a moment is written in a column, by the column's type: folders are named by days and by hours.
_WRITTEN: dict[str, Callable[[datetime], Any]] = {
    "timestamp": lambda at: at,
    "date": lambda at: at.date(),
    "string": lambda at: at.strftime(_HOUR_FORMAT),
}
_LEAST = timedelta(microseconds=1)


class SpanError(ValueError):
    """A span that cannot be meant; one sentence that says what to write."""


@dataclass(frozen=True)
class Span:
    """Times from `begin` until before `end`, UTC, without a limit where None; `word` is one of TIMES."""

    word: str | None = None
    begin: datetime | None = None
    end: datetime | None = None

    @property
    def hours(self) -> float:
        """How long it is; without end where it has no beginning."""
        if self.begin is None:
            return float("inf")
        return ((self.end or datetime.now(UTC)) - self.begin) / timedelta(hours=1)

    def within(self, dataset: Dataset) -> Column:
        """The rows of a table that lie in the span; all of a table that tells of no such time."""
        condition = F.lit(True)
        for name in TIMES.get(self.word or "", ()):
            if name in dataset.columns:
                written = _WRITTEN[FIELDS[name].type]
                if self.begin is not None:
                    condition &= F.col(name) >= F.lit(written(self.begin))
                if self.end is not None:
                    condition &= F.col(name) <= F.lit(written(self.end - _LEAST))
        return condition


def span_of(
    dataset: Dataset, begin: datetime | None = None, end: datetime | None = None, ingest_hour: str | None = None
) -> Span:
    """The span of a table's own time, or of the hour of append time, such as 2024-05-01T13. Raises SpanError."""
    if ingest_hour is None:
        word = next((word for word in TIMES if _tells_of(dataset, word)), None)
        begin, end = _utc(begin), _utc(end)
        if begin is not None and end is not None and end <= begin:
            raise SpanError(f"the span ends at {end} and begins at {begin}: let it end later")
        return Span(word, begin, end)
    if begin or end:
        raise SpanError("give an hour of append time, or a span, not both")
    if not _tells_of(dataset, INGESTED):
        raise SpanError(f"{dataset.name} does not tell when a record was appended: give a span instead")
    try:
        hour = datetime.strptime(ingest_hour, _HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise SpanError(f"{ingest_hour!r} is no UTC hour: write it like 2024-05-01T13") from None
    return Span(INGESTED, hour, hour + timedelta(hours=1))


def _tells_of(dataset: Dataset, word: str) -> bool:
    return any(name in dataset.columns for name in TIMES[word])


def _utc(at: datetime | None) -> datetime | None:
    """A time of another zone in UTC; one without a zone is UTC."""
    return at if at is None else (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC))
