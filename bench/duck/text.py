"""Pieces of SQL that are rendered from a set of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.qc.masks import BAD, MISSING, bits_of
from weahouse.schemas.fields import flag_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from weahouse.qc.rules import Rules


def threshold(rules: Rules, name: str) -> Any:
    """A threshold of everywhere; raises ValueError where regions or stations have others, which is not rendered."""
    if rules.overrides(name):
        raise ValueError(f"the rules have overrides of {name}, and the yardstick knows none: leave them out")
    return rules.defaults[name]


def mask(tests: Mapping[str, str]) -> str:
    """A bigint with the bits of the tests whose condition holds; null is no."""
    return " | ".join(f"CASE WHEN {holds} THEN {bits_of([test])}::BIGINT ELSE 0 END" for test, holds in tests.items())


def has_any(masks: str, tests: Iterable[str]) -> str:
    """Whether a mask has the bit of any of the tests."""
    return f"(({masks}) & {bits_of(tests)}::BIGINT) <> 0"


def usable(variable: str) -> str:
    """The value, or null where level 1 has flagged it bad or missing."""
    return f"CASE WHEN {flag_of(variable)} NOT IN ({BAD}, {MISSING}) THEN {variable} END"


def thousandths(number: str) -> str:
    """A number as whole thousandths of its unit."""
    return f"CAST(round_even(({number}) * 1000, 0) AS BIGINT)"


def deviation(count: str, total: str, squares: str) -> str:
    """The standard deviation (of a population) of numbers of which sums of thousandths are known; 0 of none."""
    n = f"nullif({count}, 0)::DOUBLE"
    mean = f"({total}::DOUBLE / {n})"
    return f"sqrt(greatest(0.0, coalesce({squares}::DOUBLE / {n} - {mean} * {mean}, 0.0))) / 1000"


def columns(named: Mapping[str, str]) -> str:
    """Expressions with their names, as a select list."""
    return ",\n".join(f"{expression} AS {name}" for name, expression in named.items())
