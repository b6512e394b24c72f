"""Level 1: what one observation tells about itself. Column expressions only; no value is ever changed."""

from __future__ import annotations

from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspark.sql import functions as F

from weahouse.qc.columns import mask, threshold
from weahouse.qc.masks import BAD, CONSISTENCY_TESTS, GOOD, LEVEL_1_TESTS, MISSING, SUSPECT, bits_of, variables_of
from weahouse.qc.rules import RAIN
from weahouse.schemas.fields import VARIABLES, flag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import Column, DataFrame

    from weahouse.qc.limits import Limits, Pair, Range
    from weahouse.qc.rules import Rules

LATITUDE = "latitude_deg"

# Magnus over water, Alduchov and Eskridge 1996.
_MAGNUS_A, _MAGNUS_B_C = 17.625, 243.04


class _Verdict(NamedTuple):
    """Column expressions; `failed` reads the column tests_applied, `flags` read both masks."""

    applied: Column
    failed: Column
    flags: dict[str, Column]


def judge(observations: DataFrame, rules: Rules) -> DataFrame:
    """Add `<variable>_flag`, the masks of tests applied and failed, quality_level 1 and rules_version.

    Reads station_id, region, observed_at and the nine measurements, and `latitude_deg` where there is such a column:
    the station's latitude, null where it is unknown. The session's time zone must be UTC: seasons begin with a month.
    """
    verdict = _verdict(rules, LATITUDE in observations.columns)
    # The masks become columns first: a flag that repeated their expressions would evaluate each test many times over.
    applied = observations.withColumn("tests_applied", verdict.applied)
    return applied.withColumn("tests_failed", verdict.failed).withColumns(verdict.flags)


@lru_cache(maxsize=8)
def _verdict(rules: Rules, has_latitude: bool) -> _Verdict:
    """Built once for each set of rules: hundreds of calls into the JVM, a third of a second in every micro-batch."""
    limits = _Expressions(rules, has_latitude)
    present = {variable: limits.is_present(variable) for variable in VARIABLES}
    applied = {f"range:{variable}": present[variable] for variable in VARIABLES}
    applied |= {test: _all(present[name] for name in names) for test, names in CONSISTENCY_TESTS.items()}
    violated = {f"range:{variable}": limits.is_outside(variable, "suspect") for variable in VARIABLES}
    violated |= limits.contradictions()
    flags = {flag_of(variable): _flag(variable, limits.is_outside(variable, "bad")) for variable in VARIABLES}
    return _Verdict(
        applied=mask(applied),
        # A number that means missing lies outside most limits; it fails no test, since none applies to it.
        failed=F.col("tests_applied").bitwiseAND(mask(violated)),
        flags=flags | {"quality_level": F.lit(1).cast("tinyint"), "rules_version": F.lit(rules.version)},
    )


class _Expressions:
    """What the tests ask of a row, with the thresholds of its station, region, latitude and season."""

    def __init__(self, rules: Rules, has_latitude: bool) -> None:
        self._rules = rules
        self._has_latitude = has_latitude

    def is_present(self, variable: str) -> Column:
        value = F.col(variable)
        is_code = self._threshold(f"missing.{variable}", lambda numbers: value.isin(*numbers))
        return value.isNotNull() & ~is_code

    def is_outside(self, variable: str, kind: str) -> Column:
        """Whether a value lies outside its `suspect` or `bad` limits."""
        outside = self._threshold(f"range.{variable}", lambda limits: self._beyond(variable, kind, limits))
        if variable == RAIN and kind == "suspect":
            rate, interval = (
                self._threshold(name, F.lit) for name in ("heaviest_rain_mm_per_min", "reporting_interval_min")
            )
            outside |= F.col(variable) > rate * interval
        return outside

    def contradictions(self) -> dict[str, Column]:
        temperature, dew_point = F.col("air_temperature_c"), F.col("dew_point_c")
        speed, direction = F.col("wind_speed_mps"), F.col("wind_from_direction_deg")
        implied_pct = 100 * F.exp(_magnus_exponent(dew_point) - _magnus_exponent(temperature))
        tolerance_pct = self._threshold("humidity_tolerance_pct", F.lit)
        return {
            "dew_point_above_temperature": dew_point > temperature,
            "gust_below_mean_speed": F.col("wind_gust_mps") < speed,
            "calm_with_direction": (speed == 0) != (direction == 0),
            "humidity_disagrees": F.abs(F.col("relative_humidity_pct") - implied_pct) > tolerance_pct,
        }

    def _threshold(self, name: str, build: Callable[[Any], Column]) -> Column:
        return threshold(self._rules, name, build)

    def _beyond(self, variable: str, kind: str, limits: Limits) -> Column:
        def outside(span: Range) -> Column:
            pair: Pair = getattr(span, kind)
            return (F.col(variable) < pair[0]) | (F.col(variable) > pair[1])

        if not limits.zones or not self._has_latitude:
            return outside(limits.everywhere)
        latitude, month = F.col(LATITUDE), F.month("observed_at")
        is_winter = month.isin(*self._rules.northern_winter_months) == (latitude >= 0)
        by_zone = [F.when(is_winter, outside(zone.winter)).otherwise(outside(zone.summer)) for zone in limits.zones]
        found = by_zone[-1]
        for zone, inside in zip(reversed(limits.zones[:-1]), reversed(by_zone[:-1]), strict=True):
            found = F.when(F.abs(latitude) <= zone.up_to_latitude_deg, inside).otherwise(found)
        return F.when(latitude.isNull(), outside(limits.everywhere)).otherwise(found)


def _magnus_exponent(temperature_c: Column) -> Column:
    # At -243.04 degrees the quotient has no value, and ANSI mode would fail the batch for one absurd reading.
    return F.try_divide(_MAGNUS_A * temperature_c, _MAGNUS_B_C + temperature_c)


def _flag(variable: str, is_bad: Column) -> Column:
    """9 where there is no value, else the worst verdict of the tests that were applied."""
    involved = bits_of(test for test in LEVEL_1_TESTS if variable in variables_of(test))
    any_failed = F.col("tests_failed").bitwiseAND(F.lit(involved)) != 0
    is_applied = F.col("tests_applied").bitwiseAND(F.lit(bits_of([f"range:{variable}"]))) != 0
    return F.when(~is_applied, MISSING).when(is_bad, BAD).when(any_failed, SUSPECT).otherwise(GOOD).cast("tinyint")


def _all(conditions: Iterable[Column]) -> Column:
    return reduce(lambda left, right: left & right, conditions)
