"""Level 1: what one observation tells about itself. Column expressions only; no value is ever changed."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.fields import VARIABLES, flag_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules

GOOD, NOT_EVALUATED, SUSPECT, BAD, MISSING = 1, 2, 3, 4, 9

# A test's place here is its bit in the masks: append, never reorder.
RANGE_TESTS = tuple(f"range:{variable}" for variable in VARIABLES)
CONSISTENCY_TESTS: dict[str, tuple[str, ...]] = {
    "dew_point_above_temperature": ("air_temperature_c", "dew_point_c"),
    "gust_below_mean_speed": ("wind_speed_mps", "wind_gust_mps"),
    "calm_with_direction": ("wind_speed_mps", "wind_from_direction_deg"),
    "humidity_disagrees": ("relative_humidity_pct", "air_temperature_c", "dew_point_c"),
}
TESTS = (*RANGE_TESTS, *CONSISTENCY_TESTS)

# Magnus over water, Alduchov and Eskridge 1996.
_MAGNUS_A, _MAGNUS_B_C = 17.625, 243.04


def judge(observations: DataFrame, rules: Rules) -> DataFrame:
    """Add `<variable>_flag`, the masks of tests applied and failed, quality_level 1 and rules_version."""
    present = {variable: _is_present(variable, rules) for variable in VARIABLES}
    applied = {f"range:{variable}": present[variable] for variable in VARIABLES}
    failed = {
        f"range:{variable}": present[variable] & _outside(variable, rules.ranges[variable].suspect)
        for variable in VARIABLES
    }
    for test, violated in _consistency(rules).items():
        applied[test] = _all(present[variable] for variable in CONSISTENCY_TESTS[test])
        failed[test] = applied[test] & violated

    # The masks become columns first: a flag that repeated their expressions would evaluate each test many times over.
    masked = observations.withColumns({"tests_applied": _mask(applied), "tests_failed": _mask(failed)})
    flags = {flag_of(variable): _flag(variable, rules) for variable in VARIABLES}
    return masked.withColumns(
        flags | {"quality_level": F.lit(1).cast("tinyint"), "rules_version": F.lit(rules.version)}
    )


def _is_present(variable: str, rules: Rules) -> Column:
    value = F.col(variable)
    return value.isNotNull() & ~value.isin(*rules.missing[variable])


def _outside(variable: str, limits: tuple[float, float]) -> Column:
    value = F.col(variable)
    return (value < limits[0]) | (value > limits[1])


def _consistency(rules: Rules) -> dict[str, Column]:
    temperature, dew_point = F.col("air_temperature_c"), F.col("dew_point_c")
    speed, direction = F.col("wind_speed_mps"), F.col("wind_from_direction_deg")
    implied_pct = 100 * F.exp(_magnus_exponent(dew_point) - _magnus_exponent(temperature))
    return {
        "dew_point_above_temperature": dew_point > temperature,
        "gust_below_mean_speed": F.col("wind_gust_mps") < speed,
        "calm_with_direction": (speed == 0) != (direction == 0),
        "humidity_disagrees": F.abs(F.col("relative_humidity_pct") - implied_pct) > rules.humidity_tolerance_pct,
    }


def _magnus_exponent(temperature_c: Column) -> Column:
    # At -243.04 degrees the quotient has no value, and ANSI mode would fail the batch for one absurd reading.
    return F.try_divide(_MAGNUS_A * temperature_c, _MAGNUS_B_C + temperature_c)


def _flag(variable: str, rules: Rules) -> Column:
    """9 where there is no value, else the worst verdict of the tests that were applied."""
    involved = [f"range:{variable}", *[test for test, names in CONSISTENCY_TESTS.items() if variable in names]]
    any_failed = F.col("tests_failed").bitwiseAND(F.lit(sum(_bit(test) for test in involved))) != 0
    is_applied = F.col("tests_applied").bitwiseAND(F.lit(_bit(f"range:{variable}"))) != 0
    flag = (
        F.when(~is_applied, MISSING)
        .when(_outside(variable, rules.ranges[variable].bad), BAD)
        .when(any_failed, SUSPECT)
        .otherwise(GOOD)
    )
    return flag.cast("tinyint")


def _bit(test: str) -> int:
    return 1 << TESTS.index(test)


def _mask(tests: dict[str, Column]) -> Column:
    none = F.lit(0).cast("bigint")
    bits = [F.when(condition, F.lit(_bit(test)).cast("bigint")).otherwise(none) for test, condition in tests.items()]
    return reduce(lambda left, right: left.bitwiseOR(right), bits)


def _all(conditions: Iterable[Column]) -> Column:
    return reduce(lambda left, right: left & right, conditions)
