"""Level 3: what a station's neighbours tell about a value (the buddy check of titanlib)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.bounds import BUDDY_PANES
from weahouse.qc.columns import has_any, mask, number, threshold
from weahouse.qc.level2 import BAD_STEPS, ROUNDING, severity
from weahouse.qc.masks import SMOOTH, STEPPED
from weahouse.qc.series import PRESSURE, TEMPERATURE, THOUSAND, deviation, of, thousandths, value
from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.schemas.fields import VARIABLES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.qc.limits import Buddy
    from weahouse.qc.rules import Rules

APPLIED, FAILED = "applied_3", "failed_3"
# Which variables are distrusted on the row's day: a bit for each, in the order of VARIABLES.
DISTRUSTED = "distrusted"
PANE = "pane"

_LAPSES = {TEMPERATURE: "temperature_lapse_c_per_km", "dew_point_c": "dew_point_lapse_c_per_km"}
# The standard atmosphere: g over the gas constant of dry air in K/m, temperature at sea level, its lapse in K/m.
_G_OVER_R, _SEA_LEVEL_K, _LAPSE_K_PER_M, _ZERO_C_K = 9.80665 / 287.053, 288.15, 0.0065, 273.15


def pane() -> Column:
    """The number of the 10 minutes in which a row lies."""
    return F.floor(F.col("at_s") / (PANE_MINUTES * 60))


def panes(rows: DataFrame) -> DataFrame:
    """What each station tells its neighbours: per pane the mean of its values, and its greatest rise and fall.

    Reads the rows of level 2 with PANE and DISTRUSTED; distrusted values, those flagged bad or missing by level 1, and
    those behind a step beyond the bad limit stay out. Shape: station_id, pane, by variable a mean in the variable's
    unit, rise and fall as severities.
    """
    is_trusted = {name: F.col(DISTRUSTED).bitwiseAND(F.lit(1 << VARIABLES.index(name))) == 0 for name in STEPPED}
    told = []
    for name in SMOOTH:
        is_sound = is_trusted[name] & ~has_any(F.col(BAD_STEPS), [f"step:{name}"])
        whole = thousandths(F.when(is_sound, value(name)))
        told.append((F.try_divide(F.sum(whole), F.count(whole)) / THOUSAND).alias(of(name, "mean")))
    for name in STEPPED:
        trusted = F.when(is_trusted[name], severity(name))
        told += [F.max(trusted).alias(of(name, "rise")), F.min(trusted).alias(of(name, "fall"))]
    return rows.groupBy("station_id", PANE).agg(*told)


def judge(rows: DataFrame, told: DataFrame, neighbours: DataFrame, rules: Rules) -> DataFrame:
    """Add APPLIED and FAILED to rows of level 2, from `panes` of all stations and the `pairs` of neighbours."""
    compared = rows.join(_buddies(told, neighbours, rules), ["station_id", PANE], "left")
    applied = compared.withColumn(APPLIED, mask({f"buddy:{name}": _is_among_enough(rules, name) for name in SMOOTH}))
    failed = mask({f"buddy:{name}": _is_far(rules, name) for name in SMOOTH})
    return applied.withColumn(FAILED, F.col(APPLIED).bitwiseAND(failed))


def _is_among_enough(rules: Rules, variable: str) -> Column:
    least = _of_buddy(rules, variable, "least_neighbours")
    return value(variable).isNotNull() & (F.col(of(variable, "buddies")) >= least)


def _is_far(rules: Rules, variable: str) -> Column:
    def beyond(buddy: Buddy) -> Column:
        sigma = F.greatest(F.col(of(variable, "buddy_sigma")), F.lit(buddy.least_sigma))
        return distance > buddy.deviations * sigma + ROUNDING

    distance = F.abs(value(variable) - F.col(of(variable, "buddy_mean")))
    return threshold(rules, f"buddy.{variable}", beyond)


def _buddies(told: DataFrame, neighbours: DataFrame, rules: Rules) -> DataFrame:
    """Per station and pane: how many neighbours have a value of a variable, their mean and deviation at its height."""
    near = neighbours.withColumns({of(name, "is_near"): _is_near(rules, name) for name in SMOOTH})
    near = near.where(F.greatest(*[F.col(of(name, "is_near")) for name in SMOOTH]))
    joined = near.join(_nearest(told), "neighbour_id").withColumns(
        {of(name, "told"): F.when(F.col(of(name, "is_near")), thousandths(_brought(rules, name))) for name in SMOOTH}
    )
    sums = []
    for name in SMOOTH:
        whole = F.col(of(name, "told"))
        count, total, squares = F.count(whole), F.sum(whole), F.sum(whole * whole)
        sums += [
            count.alias(of(name, "buddies")),
            (F.try_divide(total, count) / THOUSAND).alias(of(name, "buddy_mean")),
            deviation(count, total, squares).alias(of(name, "buddy_sigma")),
        ]
    return joined.groupBy("station_id", PANE).agg(*sums)


def _is_near(rules: Rules, variable: str) -> Column:
    def within(buddy: Buddy) -> Column:
        return (F.col("distance_km") <= buddy.radius_km) & (F.abs("rise_m") <= buddy.elevation_difference_m)

    return threshold(rules, f"buddy.{variable}", within)


def _nearest(told: DataFrame) -> DataFrame:
    """For each pane around those told: the mean of the nearest pane that has one, the earlier of two equally near."""
    away = F.explode(F.sequence(F.lit(-BUDDY_PANES), F.lit(BUDDY_PANES))).alias("away")
    around = told.select(F.col("station_id").alias("neighbour_id"), PANE, *[of(name, "mean") for name in SMOOTH], away)
    # A pane stands `away` before the one that it is told for; twice the distance and one more for later panes.
    order = F.abs("away") * 2 + F.when(F.col("away") < 0, 1).otherwise(0)
    nearest = []
    for name in SMOOTH:
        mean = F.col(of(name, "mean"))
        nearest.append(F.min_by(mean, F.when(mean.isNotNull(), order)).alias(of(name, "mean")))
    return around.withColumn(PANE, F.col(PANE) + F.col("away")).groupBy("neighbour_id", PANE).agg(*nearest)


def _brought(rules: Rules, variable: str) -> Column:
    """A neighbour's mean as it would be at the station's height."""
    mean, rise_m = F.col(of(variable, "mean")), F.col("rise_m")
    if variable in _LAPSES:
        return mean + number(rules, _LAPSES[variable]) * rise_m / 1000
    if variable != PRESSURE:
        return mean
    # The column of air between both is as warm as the neighbour, or as the standard atmosphere where that is unknown.
    half_way = _LAPSE_K_PER_M / 2 * rise_m
    standard = _SEA_LEVEL_K - _LAPSE_K_PER_M * (F.col("elevation_m") + rise_m)
    column_k = F.coalesce(F.col(of(TEMPERATURE, "mean")) + _ZERO_C_K, standard) + half_way
    return mean * F.exp(_G_OVER_R * rise_m / column_k)


def _of_buddy(rules: Rules, variable: str, what: str) -> Column:
    return threshold(rules, f"buddy.{variable}", lambda buddy: F.lit(getattr(buddy, what)))
