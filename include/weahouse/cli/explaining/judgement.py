"""What quality control said of one row: its flags, and each test with values, limit and whose limit it is.

The verdicts are read from the row's own masks. The limits are those of the rules file at hand, so they are the ones
that the row was judged by as long as both have one version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weahouse.cli.judging import FLAG_NAMES
from weahouse.qc.masks import TESTS, variables_of
from weahouse.schemas.fields import MEASUREMENTS, VARIABLES, flag_of

Row = Mapping[str, Any]
Entry = dict[str, Any]

PASSED, FAILED, NOT_APPLIED = "passed", "failed", "not applied"
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
    """Each test that the row's masks know, with `verdict`, `values`, its limits and `from`, whose they are.

    `limits` is what `effective` tells of the station and the month of the observation.
    """
    return [_test(bit, test, row, limits) for bit, test in enumerate(TESTS)]


def _test(bit: int, test: str, row: Row, limits: Mapping[str, Any]) -> Entry:
    values = {variable: row[variable] for variable in variables_of(test)}
    mask = 1 << bit
    verdict = NOT_APPLIED if not row["tests_applied"] & mask else FAILED if row["tests_failed"] & mask else PASSED
    entry: Entry = {"test": test, "verdict": verdict, "values": values, **_limit(test, limits)}
    return entry | ({"why": _why_not(values, limits)} if verdict == NOT_APPLIED else {})


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
