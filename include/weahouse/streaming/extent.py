"""What a batch touches in time: its days, and the spans of whole windows within them, as literal bounds."""

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
    from collections.abc import Iterable
    from datetime import date

    from pyspark.sql import Column, DataFrame

_WINDOW = timedelta(minutes=PANE_MINUTES)
# Delta skips files by each of the spans; a plan with more of them costs more than the files that it skips.
_SPANS_AT_MOST = 16


@dataclass(frozen=True)
class Extent:
    """Days, and spans of time [start, end) that hold every touched window."""

    days: tuple[date, ...]
    spans: tuple[tuple[datetime, datetime], ...]

    def bounds(self, prefix: str = "") -> Column:
        """Literal limits over observed_date and observed_at, without which a table would be read whole."""
        observed_at = F.col(f"{prefix}observed_at")
        within = [(observed_at >= F.lit(start)) & (observed_at < F.lit(end)) for start, end in self.spans]
        return one_of(f"{prefix}observed_date", self.days) & reduce(lambda left, right: left | right, within)


def extent_of(observations: DataFrame) -> Extent | None:
    """The extent of a batch, None where it has no rows."""
    start = F.unix_seconds(window_start(F.col("observed_at"), PANE_MINUTES))
    row = observations.agg(F.collect_set(start).alias("windows")).first()
    if row is None or not row["windows"]:
        return None
    starts = sorted(datetime.fromtimestamp(second, UTC) for second in row["windows"])
    return Extent(tuple(sorted({start.date() for start in starts})), tuple(spans(starts)))


def spans(starts: Iterable[datetime], at_most: int = _SPANS_AT_MOST) -> list[tuple[datetime, datetime]]:
    """The windows that begin at the sorted `starts` as at most `at_most` spans, left apart at their widest gaps."""
    starts = list(starts)
    gaps = sorted(range(1, len(starts)), key=lambda i: starts[i] - starts[i - 1], reverse=True)
    apart = sorted(i for i in gaps[: at_most - 1] if starts[i] - starts[i - 1] > _WINDOW)
    edges = [0, *apart, len(starts)]
    return [(starts[i], starts[j - 1] + _WINDOW) for i, j in pairwise(edges)]
