"""Rolling statistics from 10-minute panes: the one place where panes become hours and days for a reader.

A pane is a row of `summaries_by_station`; its sums leave out values that are flagged bad or missing. The wind's
direction is an angle: its mean is that of unit vectors, and its steadiness their resultant length, 1 for a constant
wind and 0 for one from everywhere.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DIRECTION = "wind_from_direction_deg"
# Below this the vectors cancel, and the angle of what is left is noise.
_NO_DIRECTION = 1e-9


@dataclass(frozen=True)
class Statistics:
    """One variable over a span of time, in the variable's unit; None is a statistic that the values do not define.

    `stddev` is the sample's (n - 1), `sum` means something for amounts such as rain. For the wind's direction only
    count, suspect_count, mean (degrees, 0 <= mean < 360) and resultant are set.
    """

    count: int
    suspect_count: int
    mean: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    stddev: float | None = None
    sum: float | None = None
    resultant: float | None = None


def merge_panes(panes: Iterable[Mapping[str, Any]]) -> dict[str, Statistics]:
    """The statistics of each variable over all its panes, in any order; a variable without values is left out."""
    by_variable: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for pane in panes:
        if pane["value_count"]:
            by_variable[pane["variable"]].append(pane)
    return {
        variable: _direction(rows) if variable == DIRECTION else _statistics(rows)
        for variable, rows in sorted(by_variable.items())
    }


def _statistics(panes: list[Mapping[str, Any]]) -> Statistics:
    count = sum(pane["value_count"] for pane in panes)
    total = math.fsum(pane["value_sum"] for pane in panes)
    mean = total / count
    return Statistics(
        count=count,
        suspect_count=sum(pane["suspect_count"] for pane in panes),
        mean=mean,
        minimum=min(pane["value_min"] for pane in panes),
        maximum=max(pane["value_max"] for pane in panes),
        stddev=math.sqrt(_squared_deviations(panes, mean) / (count - 1)) if count > 1 else None,
        sum=total,
    )


def _squared_deviations(panes: list[Mapping[str, Any]], mean: float) -> float:
    """The sum of squared deviations from the mean: within each pane, and of the panes' means.

    Sum of squares minus squared sum over everything would cancel: a day of air pressure has a sum of squares of 1e9
    and deviations of 1. Within a pane the same difference is over few values; rounding may leave it just below 0.
    """
    within = (max(0.0, p["value_sum_of_squares"] - p["value_sum"] ** 2 / p["value_count"]) for p in panes)
    between = (p["value_count"] * (p["value_sum"] / p["value_count"] - mean) ** 2 for p in panes)
    return math.fsum(within) + math.fsum(between)


def _direction(panes: list[Mapping[str, Any]]) -> Statistics:
    count = sum(pane["value_count"] for pane in panes)
    eastward = math.fsum(pane["eastward_sum"] for pane in panes)
    northward = math.fsum(pane["northward_sum"] for pane in panes)
    resultant = min(1.0, math.hypot(eastward, northward) / count)
    return Statistics(
        count=count,
        suspect_count=sum(pane["suspect_count"] for pane in panes),
        mean=math.degrees(math.atan2(eastward, northward)) % 360.0 if resultant > _NO_DIRECTION else None,
        resultant=resultant,
    )
