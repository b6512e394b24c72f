"""Windows as panes of mergeable statistics: the one function that panes, hours and days are made with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.level1 import BAD, MISSING, SUSPECT
from weahouse.schemas.datasets import SUMMARIES_BY_STATION
from weahouse.schemas.fields import FIELDS, VARIABLES, flag_of
from weahouse.transforms.rolling import DIRECTION, SPEED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

STATISTICS = tuple(name for name in SUMMARIES_BY_STATION.columns if name not in SUMMARIES_BY_STATION.key)


def window_start(observed_at: Column, minutes: int) -> Column:
    """The start of the window of `minutes` that holds a time; windows start at the epoch."""
    seconds = F.unix_seconds(observed_at)
    return F.timestamp_seconds(seconds - F.pmod(seconds, F.lit(minutes * 60)))


def summarise(observations: DataFrame, minutes: int, *of_window: Column) -> DataFrame:
    """Statistics per (station_id, window_start, variable) over the values that are not flagged bad or missing.

    Shape: station_id, day, variable, window_start, STATISTICS, newest_ingested_at, revisions. Statistics that a
    variable does not have (sums of directions, vectors of all but the wind) are null, and so are those of no values: a
    window in which a variable has none has a row with value_count 0. Sums are of the variable's unit. `of_window`: more
    aggregates, over whatever columns, that each row of a window gets.
    """
    # Values are chosen below the aggregate, so that its many sums are of plain columns.
    chosen = {name: column for variable in VARIABLES for name, column in _values(variable).items()}
    # One aggregate per variable and window in a single pass, then unpivoted: exploding first would shuffle nine
    # times the rows. The day belongs to the window; grouped by it too, rows that are placed by station and day stay
    # where they are.
    window = [F.col("observed_date").alias("day"), window_start(F.col("observed_at"), minutes).alias("window_start")]
    summaries = (
        observations.withColumns(chosen)
        .groupBy("station_id", *window)
        .agg(
            F.max("ingested_at").alias("newest_ingested_at"),
            # Grows with each row and each correction, so that no two states of a pane have the same.
            F.sum(F.col("revision") + 1).alias("revisions"),
            *of_window,
            *[_statistics(variable).alias(variable) for variable in VARIABLES],
        )
    )
    rows = F.explode(F.array(*[F.struct(F.lit(name).alias("variable"), F.col(name).alias("s")) for name in VARIABLES]))
    rest = [column for column in summaries.columns if column not in VARIABLES]
    return summaries.select(*rest, rows.alias("v")).select(*rest, "v.variable", "v.s.*")


# Columns are built once: each costs several calls into the JVM, and every micro-batch needs the same ones.
@cache
def _values(variable: str) -> dict[str, Column]:
    """What is summed of a variable: its value where usable, whether that is suspect, and the wind's vector."""
    usable = _usable(variable)
    parts = {variable: usable, _suspect(variable): usable.isNotNull() & (F.col(flag_of(variable)) == SUSPECT)}
    if variable in (DIRECTION, SPEED):
        radians = F.radians(_usable(DIRECTION))
        for part, share in ((_eastward(variable), F.sin(radians)), (_northward(variable), F.cos(radians))):
            # A calm is the zero vector, whatever was sent as its direction.
            parts[part] = F.when(usable == 0, F.lit(0.0)).otherwise(usable * share) if variable == SPEED else share
    return parts


def _usable(variable: str) -> Column:
    return F.when(~F.col(flag_of(variable)).isin(BAD, MISSING), F.col(variable))


@cache
def _statistics(variable: str) -> Column:
    value = F.col(variable)
    told = {"value_count": F.count(value), "suspect_count": F.count_if(F.col(_suspect(variable)))}
    if variable != DIRECTION:
        told |= {
            "value_sum": F.sum(value),
            "value_min": F.min(value),
            "value_max": F.max(value),
            # The squared deviations of its second argument, updated by the value: nothing large cancels.
            "value_squared_deviations": F.regr_sxx(value, value),
        }
    if variable in (DIRECTION, SPEED):
        eastward, northward = F.col(_eastward(variable)), F.col(_northward(variable))
        told |= {
            "vector_count": F.count(eastward),
            "eastward_sum": F.coalesce(F.sum(eastward), F.lit(0.0)),
            "northward_sum": F.coalesce(F.sum(northward), F.lit(0.0)),
        }
    absent = {name: F.lit(None).cast(FIELDS[name].type) for name in STATISTICS}
    return F.struct(*[(absent | told)[name].alias(name) for name in STATISTICS])


def _suspect(variable: str) -> str:
    return f"{variable}_suspect"


def _eastward(variable: str) -> str:
    return f"{variable}_eastward"


def _northward(variable: str) -> str:
    return f"{variable}_northward"
