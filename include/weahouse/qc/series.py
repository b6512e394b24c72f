"""A station's rows in time: what stands before and after each value, and how its last hour and hours went.

All are window functions over one order, so that Spark sorts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from weahouse.qc.columns import threshold, usable
from weahouse.qc.masks import PERSISTING, SMOOTH

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules

PAST_HOUR_S = 3600
# Deviations are those of so many whole hours before the hour of a value: all of them lie within the 12 hours before it,
# and hours are summed once instead of once for each value.
SIGMA_HOURS = 11
TEMPERATURE, PRESSURE, SEA_LEVEL = "air_temperature_c", "air_pressure_hpa", "air_pressure_at_sea_level_hpa"
SPEED, DIRECTION = "wind_speed_mps", "wind_from_direction_deg"
# A direction's other reading, in which those around north are close together.
_TURNED = "turned_direction"
# Sums of whole thousandths are exact in whatever order Spark adds them up.
THOUSAND = 1000


def of(variable: str, what: str) -> str:
    """The name of a column about a variable."""
    return f"{variable}__{what}"


def value(variable: str) -> Column:
    """The usable value of a variable."""
    return F.col(of(variable, "value"))


def with_series(rows: DataFrame, rules: Rules) -> DataFrame:
    """Add what the tests of level 2 ask of a station's series.

    Reads station_id, region, observed_at, values and flags. Adds at_s (epoch seconds) and, named by `of`:

    - value, usable only; before, second_before and after: at_s and value of the nearest usable ones
    - equal_since: since when the value has been what it is; run_at: when the first of so many last values was measured
    - least, most, values (how many), oldest_at: of the last hour; an_hour_ago: its oldest value before this one
    - sigma, sigma_values: deviation of the SIGMA_HOURS before, in the variable's unit, and of how many values
    """
    at_s = F.unix_seconds("observed_at")
    valued = rows.withColumns(
        {
            "at_s": at_s,
            "hour": F.floor(at_s / 3600),
            **{of(variable, "value"): usable(variable) for variable in PERSISTING},
        }
    ).withColumn(_TURNED, F.pmod(value(DIRECTION) + 180, F.lit(360.0)))
    ordered = valued.withColumns(_around(rules) | _last_hour())
    return _with_sigmas(ordered.withColumns({of(name, "equal_since"): _equal_since(name) for name in PERSISTING}))


def _around(rules: Rules) -> dict[str, Column]:
    found = {}
    for variable in PERSISTING:
        found[of(variable, "before")] = _nth("lag", variable, 1)
        found[of(variable, "second_before")] = _nth("lag", variable, 2)
        found[of(variable, "run_at")] = _run_at(rules, variable)
    return found | {of(variable, "after"): _nth("lead", variable, 1) for variable in SMOOTH}


def _run_at(rules: Rules, variable: str) -> Column:
    return threshold(rules, "persistence_equal_values", lambda count: _nth("lag", variable, int(count) - 1)["at_s"])


def _nth(function: str, variable: str, count: int) -> Column:
    """Time and value of the usable value that stands so many before or after."""
    name = of(variable, "value")
    one = f"if({name} IS NULL, NULL, named_struct('at_s', at_s, 'value', {name}))"
    return F.expr(f"{function}({one}, {count}) IGNORE NULLS OVER (PARTITION BY station_id ORDER BY at_s)")


def _last_hour() -> dict[str, Column]:
    series = Window.partitionBy("station_id").orderBy("at_s")
    hour, before = series.rangeBetween(-PAST_HOUR_S, 0), series.rangeBetween(-PAST_HOUR_S, -1)
    found = {}
    for variable in PERSISTING:
        held = value(variable)
        found[of(variable, "least")] = F.min(held).over(hour)
        found[of(variable, "most")] = F.max(held).over(hour)
        found[of(variable, "values")] = F.count(held).over(hour)
        found[of(variable, "oldest_at")] = F.min(F.when(held.isNotNull(), F.col("at_s"))).over(hour)
    found[of(_TURNED, "least")] = F.min(_TURNED).over(hour)
    found[of(_TURNED, "most")] = F.max(_TURNED).over(hour)
    found[of(SPEED, "mean")] = F.avg(value(SPEED)).over(hour)
    # A calm has no direction from which the wind could shift.
    blowing = F.when(value(DIRECTION) != 0, value(DIRECTION))
    earlier = {TEMPERATURE: value(TEMPERATURE), PRESSURE: value(PRESSURE), SEA_LEVEL: value(SEA_LEVEL)}
    return found | {
        of(variable, "an_hour_ago"): F.first(held, ignorenulls=True).over(before)
        for variable, held in (earlier | {DIRECTION: blowing}).items()
    }


def spread(variable: str) -> Column:
    """How much a variable changed within the last hour: greatest less least, of directions the arc that holds them."""
    plain = F.col(of(variable, "most")) - F.col(of(variable, "least"))
    if variable != DIRECTION:
        return plain
    return F.least(plain, F.col(of(_TURNED, "most")) - F.col(of(_TURNED, "least")))


def _equal_since(variable: str) -> Column:
    """The time of the first of the equal values in a row of which this is the last."""
    before = F.col(of(variable, "before"))
    begins = value(variable).isNotNull() & (before.isNull() | (value(variable) != before["value"]))
    running = Window.partitionBy("station_id").orderBy("at_s").rowsBetween(Window.unboundedPreceding, 0)
    return F.max(F.when(begins, F.col("at_s"))).over(running)


def _with_sigmas(rows: DataFrame) -> DataFrame:
    """Add the deviation of the whole hours before, from sums by hour."""
    sums = []
    for variable in SMOOTH:
        whole = thousandths(value(variable))
        sums += [
            F.count(whole).alias(of(variable, "n")),
            F.sum(whole).alias(of(variable, "sum")),
            F.sum(whole * whole).alias(of(variable, "squares")),
        ]
    hours = rows.groupBy("station_id", "hour").agg(*sums)
    before = Window.partitionBy("station_id").orderBy("hour").rangeBetween(-SIGMA_HOURS, -1)
    deviations = []
    for variable in SMOOTH:
        n, total, squares = (F.sum(of(variable, name)).over(before) for name in ("n", "sum", "squares"))
        deviations += [
            n.alias(of(variable, "sigma_values")),
            deviation(n, total, squares).alias(of(variable, "sigma")),
        ]
    return rows.join(hours.select("station_id", "hour", *deviations), ["station_id", "hour"], "left")


def thousandths(number: Column) -> Column:
    """A number as whole thousandths of its unit."""
    return F.rint(number * THOUSAND).cast("bigint")


def deviation(count: Column, total: Column, squares: Column) -> Column:
    """The standard deviation (of a population) of numbers of which sums of thousandths are known; 0 of none."""
    mean = F.try_divide(total, count)
    return F.sqrt(F.greatest(F.lit(0.0), F.try_divide(squares, count) - mean * mean)) / THOUSAND
