"""What quality control said of one row: its flags, and each test with values, limit and whose limit it is.

Verdicts are read from masks: the row's own, or those of curated.verdicts, which hold the deeper levels as well. The
limits are those of the rules file at hand, so they are the ones that the row was judged by as long as both have one
version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weahouse.qc.masks import TESTS, level_of, variables_of
from weahouse.schemas.datasets import VERDICT_VERSION
from weahouse.schemas.fields import FLAG_NAMES, MEASUREMENTS, VARIABLES, flag_of

Row = Mapping[str, Any]
Entry = dict[str, Any]

PASSED, FAILED, EXCUSED, NOT_APPLIED = "passed", "failed", "excused", "not applied"
_RANGE = "range"
# What a consistency test asks; none but the humidity's has a limit in the rules.
_RULES = {
    "dew_point_above_temperature": "dew point ≤ temperature",
    "gust_below_mean_speed": "gust ≥ mean speed",
    "calm_with_direction": "speed 0 if and only if direction 0",
    "humidity_disagrees": "humidity as temperature and dew point imply",
}
_TOLERANCE = {"humidity_disagrees": "humidity_tolerance_pct"}
_FIXED = "the test"


def is_of(verdict: Row | None, curated: Row) -> bool:
    """Whether a row of curated.verdicts judges the very version that Curated holds."""
    return verdict is not None and all(verdict[column] == curated[column] for column in VERDICT_VERSION)


def judged(curated: Row, verdict: Row | None) -> Row:
    """The row with what the deepest levels say of it: the verdict's flags and masks where it is of this version."""
    return {**curated, **verdict} if verdict is not None and is_of(verdict, curated) else curated


def flags_of(row: Row) -> dict[str, Entry]:
    """By variable its value, unit and flag, with the flag's name."""
    return {
        variable: {
            "value": row[variable],
            "unit": MEASUREMENTS[variable].unit,
            "flag": row[flag_of(variable)],
            "flag_name": FLAG_NAMES.get(row[flag_of(variable)], "?"),
        }
        for variable in VARIABLES
    }


def verdicts_of(row: Row, limits: Mapping[str, Any]) -> list[Entry]:
    """Each test of the levels that have judged a row, with `verdict`, `values`, its limits and `from`, whose they are.

    `limits` is what `effective` tells of the station and the month of the observation. A test that failed is excused
    where the weather explains it: then it left the flags alone.
    """
    level = row["quality_level"]
    return [_test(bit, test, row, limits) for bit, test in enumerate(TESTS) if level_of(test) <= level]


def _test(bit: int, test: str, row: Row, limits: Mapping[str, Any]) -> Entry:
    values = {variable: row[variable] for variable in variables_of(test)}
    verdict = _verdict(row, 1 << bit)
    entry: Entry = {"test": test, "verdict": verdict, "values": values, **_limit(test, limits)}
    return entry | ({"why": _why_not(values, limits)} if verdict == NOT_APPLIED else {})


def _verdict(row: Row, mask: int) -> str:
    if not row["tests_applied"] & mask:
        return NOT_APPLIED
    if not row["tests_failed"] & mask:
        return PASSED
    return EXCUSED if row.get("tests_excused", 0) & mask else FAILED


def _limit(test: str, limits: Mapping[str, Any]) -> Entry:
    kind, _, variable = test.partition(":")
    if kind == _RANGE:
        told = limits["variables"][variable]
        return {name: told[name] for name in ("suspect_outside", "bad_outside", "from")}
    if variable:
        # Levels above the first have a section of the rules for each kind of test.
        return dict(limits.get(kind, {}).get(variable, {}))
    tolerance = limits.get(_TOLERANCE.get(test, ""))
    told = {"rule": _RULES.get(test, test), "from": _FIXED}
    return told | ({"within_pct": tolerance["value"], "from": tolerance["from"]} if tolerance else {})


def _why_not(values: Row, limits: Mapping[str, Any]) -> str:
    """Why a test could not be applied: a value is absent, or a number that means so."""
    absent = [variable for variable, value in values.items() if value is None]
    codes = [
        f"{value:g} means missing for {variable}"
        for variable, value in values.items()
        if value is not None and value in limits["variables"][variable]["missing"]
    ]
    return "; ".join([*([f"no {', '.join(absent)}"] if absent else []), *codes]) or "its context is absent"
