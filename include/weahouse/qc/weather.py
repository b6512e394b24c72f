"""Fault or weather: which failed steps and spikes neighbours or other variables of the station explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.bounds import SHARED_PANES
from weahouse.qc.columns import has_any, mask, number
from weahouse.qc.level2 import FAILED, ROUNDING, severity
from weahouse.qc.level3 import PANE
from weahouse.qc.masks import SMOOTH, SPIKE_TESTS, STEP_TESTS, STEPPED
from weahouse.qc.series import DIRECTION, PRESSURE, SEA_LEVEL, SPEED, TEMPERATURE, of, value
from weahouse.schemas.datasets import KEY

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules

EXPLAINED_BY_FRONT, EXPLAINED_BY_NEIGHBOURS = "explained_by_front", "explained_by_neighbours"
# A neighbour that changed half as much, for the time it took, felt the same weather less.
_LEAST_SHARE = 0.5
# An hourly report that is late by half an hour still tells of the hour before.
_HOUR_AGO_AT_MOST_MIN = 90
_MINUTE_S = 60


def explained_by_front(rules: Rules) -> Column:
    """The steps and spikes that a front explains: those of a variable of which the other two signs are there.

    The signs are a jump of pressure, a shift of the wind and a fall of temperature in the last hour; a front explains
    no rise of temperature and no fall of pressure. Dew point and humidity are measured in one housing with the
    temperature and cannot speak for each other.
    """
    jump = F.greatest(_gained(PRESSURE), _gained(SEA_LEVEL)) >= number(rules, "front_pressure_jump_hpa") - ROUNDING
    fall = -_gained(TEMPERATURE) >= number(rules, "front_temperature_drop_c") - ROUNDING
    # 0 is a calm, which has no direction.
    turned = F.abs(F.pmod(value(DIRECTION) - _an_hour_ago(DIRECTION) + 540, F.lit(360.0)) - 180)
    shift = (value(DIRECTION) != 0) & (turned >= number(rules, "front_wind_shift_deg") - ROUNDING)
    signs = dict.fromkeys(SMOOTH, jump & shift)
    signs[TEMPERATURE] &= severity(TEMPERATURE) < 0
    signs |= {name: fall & shift & (severity(name) > 0) for name in (PRESSURE, SEA_LEVEL)}
    signs[SPEED] = jump & fall
    return mask({f"step:{name}": signs[name] for name in STEPPED} | {f"spike:{name}": signs[name] for name in SMOOTH})


def _gained(variable: str) -> Column:
    return value(variable) - _an_hour_ago(variable)


def _an_hour_ago(variable: str) -> Column:
    """The oldest value of the last hour; of an hourly station its last report."""
    before = F.col(of(variable, "before"))
    is_near = F.col("at_s") - before["at_s"] <= _HOUR_AGO_AT_MOST_MIN * _MINUTE_S
    has_direction = (before["value"] != 0) if variable == DIRECTION else F.lit(True)
    return F.coalesce(of(variable, "an_hour_ago"), F.when(is_near & has_direction, before["value"]))


def explained_by_neighbours(rows: DataFrame, told: DataFrame, neighbours: DataFrame, rules: Rules) -> DataFrame:
    """Per key with a failed step or spike the mask of those that neighbours share.

    Reads rows of level 2 with PANE, `level3.panes` of all stations and the `pairs` of neighbours. A neighbour shares a
    step when it changed in the same direction within the hour before or after, and a spike when it did so both ways.
    """
    severities = [of(name, "severity") for name in STEPPED]
    failed = has_any(F.col(FAILED), (*STEP_TESTS, *SPIKE_TESTS))
    asked = rows.where(failed).select(*KEY, "region", PANE, *severities)
    around = F.explode(F.sequence(F.col(PANE) - SHARED_PANES, F.col(PANE) + SHARED_PANES))
    near = neighbours.where(F.col("distance_km") <= number(rules, "shared_radius_km")).select(
        "station_id", "neighbour_id"
    )
    there = told.select(
        F.col("station_id").alias("neighbour_id"),
        PANE,
        *[of(name, what) for name in STEPPED for what in ("rise", "fall")],
    )
    met = asked.withColumn(PANE, around).join(near, "station_id").join(there, ["neighbour_id", PANE])
    # A key has one region and one severity of each variable, which the groups carry along.
    each = met.groupBy(*KEY, "region", *severities, "neighbour_id").agg(
        *[F.max(of(name, "rise")).alias(of(name, "rise")) for name in STEPPED],
        *[F.min(of(name, "fall")).alias(of(name, "fall")) for name in STEPPED],
    )
    counts = [F.count(of(name, "rise")).alias(of(name, "reporting")) for name in STEPPED]
    counts += [F.count_if(_shares_step(name)).alias(of(name, "sharing")) for name in STEPPED]
    counts += [F.count_if(_shares_both_ways(name)).alias(of(name, "spiking")) for name in SMOOTH]
    counted = each.groupBy(*KEY, "region").agg(*counts)
    shared = {f"step:{name}": _is_shared(rules, name, "sharing") for name in STEPPED}
    shared |= {f"spike:{name}": _is_shared(rules, name, "spiking") for name in SMOOTH}
    return counted.select(*KEY, mask(shared).alias(EXPLAINED_BY_NEIGHBOURS))


def _shares_step(variable: str) -> Column:
    enough = _LEAST_SHARE * severity(variable)
    rises, falls = F.col(of(variable, "rise")) >= enough, F.col(of(variable, "fall")) <= enough
    return F.when(severity(variable) > 0, rises).otherwise(falls)


def _shares_both_ways(variable: str) -> Column:
    enough = _LEAST_SHARE * F.abs(severity(variable))
    return (F.col(of(variable, "rise")) >= enough) & (F.col(of(variable, "fall")) <= -enough)


def _is_shared(rules: Rules, variable: str, what: str) -> Column:
    sharing = F.col(of(variable, what))
    part = number(rules, "shared_least_part") * F.col(of(variable, "reporting"))
    return (sharing >= number(rules, "shared_least_neighbours")) & (sharing >= part)
