"""Level 2: what a station's own series tells about a value. Column expressions only; no value is ever changed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.columns import mask, number, threshold
from weahouse.qc.masks import PERSISTING, SMOOTH, STEPPED
from weahouse.qc.series import DIRECTION, PAST_HOUR_S, SPEED, of, spread, value, with_series

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.qc.limits import Point, Spike
    from weahouse.qc.rules import Rules

# Values in tenths have differences that are off in the last bits; a limit itself must still be inside.
ROUNDING = 1e-6
# Of the hour that persistence looks at, the oldest value may lack so much.
_HOUR_LACKS_S = 300
_MINUTE_S, _HOUR_S = 60, 3600
_LOOK_BACK_S = 12 * _HOUR_S
# A value beside a spike has one long and one short leg, of whatever sign. A spike comes back at least this part.
_LEAST_RETURN = 0.5

# Masks of level 2 and, by variable, how much a value changed in parts of what its gap allows, with the change's sign.
APPLIED, FAILED, BAD_STEPS = "applied_2", "failed_2", "bad_steps"


def severity(variable: str) -> Column:
    """The last change as a part of the change that is suspect (bad where none is suspect); null without a limit."""
    return F.col(of(variable, "severity"))


def judge(rows: DataFrame, rules: Rules) -> DataFrame:
    """Add the series of `with_series`, APPLIED, FAILED, BAD_STEPS (failed steps beyond the bad limit) and severities.

    Reads station_id, region, observed_at, values and flags of level 1; rows of a station must be all of its time.
    """
    gaps = {of(name, "gap_min"): (F.col("at_s") - F.col(of(name, "before"))["at_s"]) / _MINUTE_S for name in STEPPED}
    changes = {of(name, "change"): value(name) - F.col(of(name, "before"))["value"] for name in STEPPED}
    limits = {
        of(name, kind): _limit(rules, name, kind, F.col(of(name, "gap_min")))
        for name in STEPPED
        for kind in ("suspect", "bad")
    }
    severities = {
        of(name, "severity"): F.col(of(name, "change")) / F.coalesce(of(name, "suspect"), of(name, "bad"))
        for name in STEPPED
    }
    returns = {of(name, "returns"): _returns(rules, name) for name in STEPPED}
    measured = with_series(rows, rules).withColumns(gaps | changes).withColumns(limits | returns)
    judged = measured.withColumns(severities).withColumn(APPLIED, mask(_applied(rules)))
    failed = F.col(APPLIED).bitwiseAND(mask(_failed(rules)))
    bad = {f"step:{name}": _is_step(name, "bad") for name in STEPPED}
    return judged.withColumn(FAILED, failed).withColumn(BAD_STEPS, F.col(FAILED).bitwiseAND(mask(bad)))


def _applied(rules: Rules) -> dict[str, Column]:
    steps = {f"step:{name}": severity(name).isNotNull() for name in STEPPED}
    persistence = {
        f"persistence:{name}": value(name).isNotNull()
        & _may_not_stand(rules, name)
        & (_fills_hour(rules, name) | _has_run(rules, name))
        for name in PERSISTING
    }
    return steps | persistence | {f"spike:{name}": _has_legs(rules, name) for name in SMOOTH}


def _failed(rules: Rules) -> dict[str, Column]:
    steps = {f"step:{name}": _is_step(name, "suspect") | _is_step(name, "bad") for name in STEPPED}
    persistence = {f"persistence:{name}": _stands_still(rules, name) for name in PERSISTING}
    return steps | persistence | {f"spike:{name}": _is_spike(rules, name) for name in SMOOTH}


def _limit(rules: Rules, variable: str, kind: str, gap_min: Column) -> Column:
    return threshold(rules, f"step.{variable}", lambda step: _along(getattr(step, kind), gap_min))


def _along(points: tuple[Point, ...], gap_min: Column) -> Column:
    """The limit of a gap, as `Step.at` tells it; null where there is none."""
    found = F.lit(None).cast("double")
    if not points:
        return found
    for before, after in reversed(list(pairwise(points))):
        slope = (after[1] - before[1]) / (after[0] - before[0])
        found = F.when(gap_min <= after[0], before[1] + (gap_min - before[0]) * slope).otherwise(found)
    return F.when(gap_min <= points[0][0], points[0][1]).otherwise(found)


def _is_step(variable: str, kind: str) -> Column:
    beyond = F.abs(of(variable, "change")) > F.col(of(variable, kind)) + ROUNDING
    return F.coalesce(beyond & ~F.col(of(variable, "returns")), F.lit(False))


def _returns(rules: Rules, variable: str) -> Column:
    """Whether a value agrees again with the last but one, from which the last led away: then the last is accused."""
    before, second = F.col(of(variable, "before")), F.col(of(variable, "second_before"))
    away, whole = before["value"] - second["value"], value(variable) - second["value"]

    def least_limit(gap_s: Column) -> Column:
        gap_min = gap_s / _MINUTE_S
        return F.coalesce(_limit(rules, variable, "suspect", gap_min), _limit(rules, variable, "bad", gap_min))

    led_away = F.abs(away) > least_limit(before["at_s"] - second["at_s"]) + ROUNDING
    is_back = F.abs(whole) <= least_limit(F.col("at_s") - second["at_s"]) + ROUNDING
    opposite = away * (value(variable) - before["value"]) < 0
    return F.coalesce(led_away & is_back & opposite, F.lit(False))


def _fills_hour(rules: Rules, variable: str) -> Column:
    """Whether the last hour holds values enough, from its beginning to now, to expect a change."""
    reaches = F.col("at_s") - F.col(of(variable, "oldest_at")) >= PAST_HOUR_S - _HOUR_LACKS_S
    return reaches & (F.col(of(variable, "values")) >= number(rules, "persistence_least_values"))


def _has_run(rules: Rules, variable: str) -> Column:
    """Whether so many last values are about hourly: within 12 hours, and no more than one of them out of turn."""
    lasts_s = F.col("at_s") - F.col(of(variable, "run_at"))
    least_s = (number(rules, "persistence_equal_values") - 2) * _HOUR_S
    return F.coalesce(lasts_s.between(least_s, F.lit(_LOOK_BACK_S)), F.lit(False))


def _may_not_stand(rules: Rules, variable: str) -> Column:
    """Whether a variable that stands still is no weather."""
    if variable == "relative_humidity_pct":
        return value(variable) < number(rules, "persistence_humidity_below_pct")
    if variable in (SPEED, DIRECTION):
        return F.coalesce(
            F.col(of(SPEED, "mean")) > number(rules, "persistence_wind_above_mps") + ROUNDING, F.lit(False)
        )
    return F.lit(True)


def _stands_still(rules: Rules, variable: str) -> Column:
    still = spread(variable) < number(rules, f"persistence.{variable}") - ROUNDING
    equal = F.col(of(variable, "equal_since")) <= F.col(of(variable, "run_at"))
    return F.when(_fills_hour(rules, variable), still).otherwise(equal & _has_run(rules, variable))


def _legs(variable: str) -> tuple[Column, Column]:
    return tuple(value(variable) - F.col(of(variable, side))["value"] for side in ("before", "after"))  # type: ignore[return-value]


def _has_legs(rules: Rules, variable: str) -> Column:
    """Whether a value has near neighbours in time, and a deviation to be measured by."""
    within_s = number(rules, "spike_within_min") * _MINUTE_S
    before_s = F.col("at_s") - F.col(of(variable, "before"))["at_s"]
    after_s = F.col(of(variable, "after"))["at_s"] - F.col("at_s")
    known = F.col(of(variable, "sigma_values")) >= number(rules, "spike_least_values")
    return value(variable).isNotNull() & (before_s <= within_s) & (after_s <= within_s) & known


def _is_spike(rules: Rules, variable: str) -> Column:
    def beyond(spike: Spike) -> Column:
        return total > spike.sigmas * F.greatest(F.col(of(variable, "sigma")), F.lit(spike.least_sigma)) + ROUNDING

    there, back = _legs(variable)
    total = F.abs(there) + F.abs(back)
    shorter = F.least(F.abs(there), F.abs(back))
    comes_back = (there * back > 0) & (shorter >= _LEAST_RETURN * (total - shorter))
    return comes_back & threshold(rules, f"spike.{variable}", beyond)
