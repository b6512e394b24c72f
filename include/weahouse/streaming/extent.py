"""What a batch touches in time, as literal bounds: its days, and the spans in which its keys or whole windows lie."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.delta import one_of
from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.transforms.panes import window_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Set
    from datetime import date

    from pyspark.sql import Column, DataFrame

    Span = tuple[datetime, datetime]

WINDOW = timedelta(minutes=PANE_MINUTES)
_RESOLUTION = timedelta(seconds=1)
# Delta skips files by each of the spans; a plan with more of them costs more than the files that it skips.
_SPANS_AT_MOST = 16


@dataclass(frozen=True)
class TouchedWindow:
    """What a batch has of the window that begins at `start`: so many rows, and their times are within [first, last]."""

    start: datetime
    first: datetime
    last: datetime
    rows: int


@dataclass(frozen=True)
class Extent:
    """The windows that a batch touches, in their order; there is one at least.

    `behind`: how many of its rows a table may hold already.
    """

    windows: tuple[TouchedWindow, ...]
    behind: int

    @property
    def rows(self) -> int:
        return sum(window.rows for window in self.windows)

    def bounds(self, prefix: str = "", *, whole: Set[datetime] = frozenset()) -> Column:
        """Literal limits over observed_date and observed_at, without which a table would be read whole.

        They hold every key of the batch, and all of the windows that begin at one of `whole`.
        """
        return bounds_of(
            (
                (window.start, window.start + WINDOW)
                if window.start in whole
                else (window.first, window.last + _RESOLUTION)
                for window in self.windows
            ),
            prefix,
        )


def extent_of(observations: DataFrame) -> Extent | None:
    """The extent of a batch, None where it has no rows.

    Rows are behind but for those that a column `is_ahead` says to be ahead of all that the table holds.
    """
    second = F.unix_seconds("observed_at")
    start = F.unix_seconds(window_start(F.col("observed_at"), PANE_MINUTES)).alias("start")
    found = observations.groupBy(start).agg(
        F.min(second).alias("first"),
        F.max(second).alias("last"),
        F.count("*").alias("rows"),
        (F.count_if(~F.col("is_ahead")) if "is_ahead" in observations.columns else F.count("*")).alias("behind"),
    )
    told = sorted(found.collect())
    windows = [TouchedWindow(_time(start), _time(first), _time(last), rows) for start, first, last, rows, _ in told]
    return Extent(tuple(windows), sum(row["behind"] for row in told)) if windows else None


def _time(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def bounds_of(spans: Iterable[Span], prefix: str = "") -> Column:
    """Literal limits over observed_date and observed_at that hold spans [start, end), given in their order."""
    spans = list(spans)
    observed_at, days = F.col(f"{prefix}observed_at"), sorted({day for span in spans for day in _days(*span)})
    within = [(observed_at >= F.lit(start)) & (observed_at < F.lit(end)) for start, end in joined(spans)]
    return one_of(f"{prefix}observed_date", days) & reduce(lambda left, right: left | right, within)


def _days(start: datetime, end: datetime) -> list[date]:
    return days_in_a_row(start.date(), (end - timedelta.resolution).date())


def days_in_a_row(first: date, last: date) -> list[date]:
    """The days from one to another, both included; none where the other is earlier."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def joined(spans: Iterable[Span], at_most: int = _SPANS_AT_MOST) -> list[Span]:
    """Spans [start, end) in their order as at most so many, left apart at their widest gaps."""
    spans = list(spans)
    gaps = {i: spans[i][0] - spans[i - 1][1] for i in range(1, len(spans))}
    widest = sorted(gaps, key=lambda i: gaps[i], reverse=True)[: at_most - 1]
    edges = [0, *sorted(i for i in widest if gaps[i] > timedelta()), len(spans)]
    return [(spans[i][0], spans[j - 1][1]) for i, j in pairwise(edges)]
