"""Windows as panes of mergeable statistics: the one function that panes, hours and days are made with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.masks import BAD, MISSING, SUSPECT
from weahouse.schemas.fields import FIELDS, VARIABLES, flag_of
from weahouse.schemas.serving_tables import PANE
from weahouse.transforms.rolling import DIRECTION, SPEED

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

STATISTICS = PANE.columns


def window_start(observed_at: Column, minutes: int) -> Column:
    """The start of the window of `minutes` that holds a time; windows start at the epoch."""
    seconds = F.unix_seconds(observed_at)
    return F.timestamp_seconds(seconds - F.pmod(seconds, F.lit(minutes * 60)))


def summarise(observations: DataFrame, minutes: int) -> DataFrame:
    """Statistics per (station_id, window_start, variable) over the values that are not flagged bad or missing.

    Shape: station_id, day, variable, window_start, STATISTICS, newest_ingested_at, newest_observed_at, revisions.
    Statistics that a
    variable does not have (sums of directions, vectors of all but the wind) are null, and so are those of no values: a
    window in which a variable has none has a row with value_count 0. Sums are of the variable's unit.
    """
    return by_variable(windows(observations, minutes))


def by_variable(summaries: DataFrame) -> DataFrame:
    """`windows`, or several of them merged, as one row per variable."""
    rest = [column for column in summaries.columns if column not in VARIABLES]
    return summaries.select(*rest, exploded("s").alias("v")).select(*rest, "v.variable", "v.s.*")


# Columns are built once: each costs several calls into the JVM, and every micro-batch needs the same ones.
@cache
def exploded(name: str) -> Column:
    """The columns named as the variables as rows: structures of `variable` and, under the given name, its column."""
    return F.explode(
        F.array(*[F.struct(F.lit(variable).alias("variable"), F.col(variable).alias(name)) for variable in VARIABLES])
    )


def windows(observations: DataFrame, minutes: int, *of_window: Column) -> DataFrame:
    """The same with one row per (station_id, day, window_start), and STATISTICS as a structure for each variable.

    `of_window`: more aggregates, over whatever columns, that a window gets.
    """
    # Values are chosen below the aggregate, so that its many sums are of plain columns.
    # One aggregate per variable and window in a single pass, then unpivoted: exploding first would shuffle nine
    # times the rows. The day belongs to the window; grouped by it too, rows that are placed by station and day stay
    # where they are.
    window = [F.col("observed_date").alias("day"), window_start(F.col("observed_at"), minutes).alias("window_start")]
    return observations.withColumns(_all_values()).groupBy("station_id", *window).agg(*of_window, *_of_window())


def merged(held: DataFrame, fresh: DataFrame) -> DataFrame:
    """Two summaries of different observations as one of all of them; both, and the result, are shaped as `windows`.

    Equal to `windows` of all the observations, but for the rounding of sums. What `fresh` has of its window beyond
    them is null where only `held` has the window.
    """
    window = ["station_id", "day", "window_start"]
    both = held.alias("held").join(fresh.alias("fresh").hint("shuffle_hash"), window, "full_outer")
    return both.select(*window, *_all_of_both(tuple(column for column in fresh.columns if column not in window)))


@cache
def _of_window() -> list[Column]:
    return [
        F.max("ingested_at").alias("newest_ingested_at"),
        F.max("observed_at").alias("newest_observed_at"),
        # Grows with each row and each correction, so that no two states of a pane have the same.
        F.sum(F.col("revision") + 1).alias("revisions"),
        *[_statistics(variable).alias(variable) for variable in VARIABLES],
    ]


@cache
def _all_values() -> dict[str, Column]:
    return {name: column for variable in VARIABLES for name, column in _values(variable).items()}


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


@cache
def _all_of_both(columns: tuple[str, ...]) -> list[Column]:
    return [_both(column).alias(column) for column in columns]


def _both(column: str) -> Column:
    held, fresh = F.col(f"held.{column}"), F.col(f"fresh.{column}")
    if column in ("newest_ingested_at", "newest_observed_at"):
        return F.greatest(held, fresh)
    if column == "revisions":
        return F.coalesce(held + fresh, held, fresh)
    if column not in VARIABLES:
        return fresh
    told = F.struct(*[_of_both(column, name).alias(name) for name in STATISTICS])
    return F.when(held.isNull(), fresh).when(fresh.isNull(), held).otherwise(told)


def _of_both(variable: str, name: str) -> Column:
    held, fresh = F.col(f"held.{variable}.{name}"), F.col(f"fresh.{variable}.{name}")
    if name == "value_min":
        return F.least(held, fresh)
    if name == "value_max":
        return F.greatest(held, fresh)
    total = held + fresh
    if name == "value_squared_deviations":
        # Of the means as well (Chan et al. 1979); without it the values of both would be measured from two means.
        n, m = F.col(f"held.{variable}.value_count"), F.col(f"fresh.{variable}.value_count")
        means = [F.col(f"{side}.{variable}.value_sum") / count for side, count in (("held", n), ("fresh", m))]
        total += (means[0] - means[1]) * (means[0] - means[1]) * n * m / (n + m)
    # Null is the sum of no values.
    return F.coalesce(total, held, fresh)


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
