"""Windows as panes of mergeable statistics: the one function that panes, hours and days are made with."""

from __future__ import annotations

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


def summarise(observations: DataFrame, minutes: int) -> DataFrame:
    """Statistics per (station_id, window_start, variable) over the values that are not flagged bad or missing.

    Shape: station_id, day, variable, window_start, STATISTICS, newest_ingested_at, revisions. Statistics that a
    variable does not have (sums of directions, vectors of all but the wind) are null, and so are those of no values: a
    window in which a variable has none has a row with value_count 0. Sums are of the variable's unit.
    """
    # Values are chosen below the aggregate, so that its many sums are of plain columns.
    values = observations.select(
        "station_id",
        window_start(F.col("observed_at"), minutes).alias("window_start"),
        "ingested_at",
        "revision",
        *[column for variable in VARIABLES for column in _values(variable)],
    )
    # One aggregate per variable and window in a single pass, then unpivoted: exploding first would shuffle nine
    # times the rows.
    summaries = values.groupBy("station_id", "window_start").agg(
        F.max("ingested_at").alias("newest_ingested_at"),
        # Grows with each row and each correction, so that no two states of a pane have the same.
        F.sum(F.col("revision") + 1).alias("revisions"),
        *[_statistics(variable).alias(variable) for variable in VARIABLES],
    )
    rows = F.explode(F.array(*[F.struct(F.lit(name).alias("variable"), F.col(name).alias("s")) for name in VARIABLES]))
    unpivoted = summaries.select("station_id", "window_start", "newest_ingested_at", "revisions", rows.alias("v"))
    return unpivoted.select(
        "station_id",
        F.to_date("window_start").alias("day"),
        "v.variable",
        "window_start",
        "v.s.*",
        "newest_ingested_at",
        "revisions",
    )


def _values(variable: str) -> list[Column]:
    """What is summed of a variable: its value where usable, whether that is suspect, and the wind's vector."""
    usable = _usable(variable)
    is_suspect = usable.isNotNull() & (F.col(flag_of(variable)) == SUSPECT)
    parts = [usable.alias(variable), is_suspect.alias(_suspect(variable))]
    if variable in (DIRECTION, SPEED):
        radians = F.radians(_usable(DIRECTION))
        for part, share in ((_eastward(variable), F.sin(radians)), (_northward(variable), F.cos(radians))):
            # A calm is the zero vector, whatever was sent as its direction.
            vector = F.when(usable == 0, F.lit(0.0)).otherwise(usable * share) if variable == SPEED else share
            parts.append(vector.alias(part))
    return parts


def _usable(variable: str) -> Column:
    return F.when(~F.col(flag_of(variable)).isin(BAD, MISSING), F.col(variable))


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
