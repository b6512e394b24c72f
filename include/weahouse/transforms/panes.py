"""Windows as panes of mergeable statistics: the one function that panes, hours and days are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.level1 import BAD, MISSING, SUSPECT
from weahouse.schemas.fields import VARIABLES, flag_of

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

DIRECTION = "wind_from_direction_deg"


def window_start(observed_at: Column, minutes: int) -> Column:
    """The start of the window of `minutes` that holds a time; windows start at the epoch."""
    seconds = F.unix_seconds(observed_at)
    return F.timestamp_seconds(seconds - F.pmod(seconds, F.lit(minutes * 60)))


def summarise(observations: DataFrame, minutes: int, *of_window: Column) -> DataFrame:
    """Statistics per (station_id, window_start, variable) over the values that are not flagged bad or missing.

    Shape: station_id, day, variable, window_start, value_count, suspect_count, value_sum, value_min, value_max,
    value_sum_of_squares, eastward_sum, northward_sum (direction only), newest_ingested_at, revisions. A window in
    which a variable has no such value has a row with value_count 0. Sums are of the variable's unit. `of_window`: more
    aggregates of a whole window, added to each of its rows.
    """
    # One aggregate per variable and window in a single pass, then unpivoted: exploding first would shuffle nine
    # times the rows.
    # The day belongs to the window; grouped by it too, rows that are placed by station and day stay where they are.
    window = [F.col("observed_date").alias("day"), window_start(F.col("observed_at"), minutes).alias("window_start")]
    summaries = observations.groupBy("station_id", *window).agg(
        F.max("ingested_at").alias("newest_ingested_at"),
        # Grows with each row and each correction, so that no two states of a pane have the same.
        F.sum(F.col("revision") + 1).alias("revisions"),
        *of_window,
        *[_statistics(variable).alias(variable) for variable in VARIABLES],
    )
    rows = F.explode(F.array(*[F.struct(F.lit(name).alias("variable"), F.col(name).alias("s")) for name in VARIABLES]))
    rest = [column for column in summaries.columns if column not in VARIABLES]
    return summaries.select(*rest, rows.alias("v")).select(*rest, "v.variable", "v.s.*")


def _statistics(variable: str) -> Column:
    usable = F.when(~F.col(flag_of(variable)).isin(BAD, MISSING), F.col(variable))
    is_suspect = usable.isNotNull() & (F.col(flag_of(variable)) == SUSPECT)
    radians = F.radians(usable if variable == DIRECTION else F.lit(None).cast("double"))
    return F.struct(
        F.count(usable).alias("value_count"),
        F.count_if(is_suspect).alias("suspect_count"),
        F.sum(usable).alias("value_sum"),
        F.min(usable).alias("value_min"),
        F.max(usable).alias("value_max"),
        F.sum(usable * usable).alias("value_sum_of_squares"),
        F.sum(F.sin(radians)).alias("eastward_sum"),
        F.sum(F.cos(radians)).alias("northward_sum"),
    )
