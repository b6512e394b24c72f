"""An hour of a station as models see it: only values of which none is suspect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.window import WindowSpec

HOUR_S = 3600
# The least amount that a gauge reports as a number; less is a trace (WMO-No. 8, chapter 6).
RAIN_AT_LEAST_MM = 0.1
RAIN_HOURS = 3


def good(variable: str, statistic: str = "mean") -> Column:
    """A statistic of `gold.hourly_summaries` where the hour has values and none of them is suspect; else null."""
    is_good = (F.col(f"{variable}_count") > 0) & (F.col(f"{variable}_suspect_count") == 0)
    return F.when(is_good, F.col(f"{variable}_{statistic}"))


def number_of(window_start: str | Column) -> Column:
    """Hours since the epoch: of two hours the difference is their distance, whatever lies between."""
    return (F.unix_seconds(window_start) / HOUR_S).cast("bigint")


def by_hour(hour: str = "hour") -> WindowSpec:
    """A station's hours; frames are ranges of hour numbers, so that a silent hour is a gap and moves nothing."""
    return Window.partitionBy("station_id").orderBy(hour)


def rained(rain_mm: str, hours: WindowSpec) -> Column:
    """Whether the hour and the two before it had rain: 1 or 0, null unless all three told of it."""
    three = hours.rangeBetween(1 - RAIN_HOURS, 0)
    is_told = F.count(rain_mm).over(three) == RAIN_HOURS
    # Tenths of a millimetre added up as doubles may end just below their sum.
    return F.when(is_told, (F.round(F.sum(rain_mm).over(three), 6) >= RAIN_AT_LEAST_MM).cast("double"))
