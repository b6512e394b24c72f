"""Columns that the tests of all levels are written with."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.qc.masks import BAD, MISSING, bits_of
from weahouse.schemas.fields import flag_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyspark.sql import Column

    from weahouse.qc.rules import Rules


def threshold(rules: Rules, name: str, build: Callable[[Any], Column]) -> Column:
    """`build` of the row's own threshold; without overrides, of the default and nothing else.

    Reads station_id and region where there are overrides of the name.
    """
    found = build(rules.defaults[name])
    for column, owners, other in reversed(rules.overrides(name)):
        found = F.when(F.col(column).isin(*owners), build(other)).otherwise(found)
    return found


def number(rules: Rules, name: str) -> Column:
    """The row's own threshold where that is a number."""
    return threshold(rules, name, F.lit)


def usable(variable: str) -> Column:
    """The value, or null where level 1 has flagged it bad or missing."""
    return F.when(~F.col(flag_of(variable)).isin(BAD, MISSING), F.col(variable))


def mask(tests: Mapping[str, Column]) -> Column:
    """A bigint with the bits of the tests whose condition holds; null is no."""
    none = F.lit(0).cast("bigint")
    bits = [F.when(holds, F.lit(bits_of([test])).cast("bigint")).otherwise(none) for test, holds in tests.items()]
    return reduce(lambda left, right: left.bitwiseOR(right), bits)


def has_any(masks: Column, tests: Iterable[str]) -> Column:
    """Whether a mask has the bit of any of the tests."""
    return masks.bitwiseAND(F.lit(bits_of(tests)).cast("bigint")) != 0
