"""Rolling statistics from 10-minute panes: the one place where panes become hours and days for a reader.

A pane is one variable's window, as Cassandra holds it; its sums leave out values that are flagged bad or missing. The
wind's direction is an angle: its mean is that of unit vectors. The resultant wind weighs directions by speed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from weahouse.schemas.datasets import PANE_MINUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    Pane = Mapping[str, Any]

PANE = timedelta(minutes=PANE_MINUTES)
DIRECTION, SPEED = "wind_from_direction_deg", "wind_speed_mps"
# The station's own pressure first: reduction to sea level depends on the temperature, which changes too in three hours.
PRESSURES = ("air_pressure_hpa", "air_pressure_at_sea_level_hpa")
ROLLING_H = (1, 6, 24)
# WMO-No. 306, element appp: the change at the station during the three hours that precede.
TENDENCY = timedelta(hours=3)
# The span that an hourly station fills with one report; an older one tells nothing about now.
_NEWEST_WITHIN = timedelta(hours=1)
# Below this the vectors cancel, and the angle of what is left is noise.
NO_DIRECTION = 1e-9


@dataclass(frozen=True)
class Statistics:
    """One variable over a span of time, in the variable's unit; None is a statistic that the values do not define.

    `stddev` is the sample's (n - 1), `sum` means something for amounts such as rain. `minimum_at` and `maximum_at` are
    the starts of the first panes that hold the extremes. For the wind's direction only count, suspect_count, mean
    (degrees, 0 <= mean < 360) and steadiness are set: the length of the mean unit vector, 1 for a constant wind and 0
    for one from everywhere.
    """

    count: int
    suspect_count: int
    mean: float | None = None
    minimum: float | None = None
    minimum_at: datetime | None = None
    maximum: float | None = None
    maximum_at: datetime | None = None
    stddev: float | None = None
    sum: float | None = None
    steadiness: float | None = None


@dataclass(frozen=True)
class Wind:
    """The resultant wind: the mean of `count` observed vectors; from nowhere when they cancel. A calm is a zero one."""

    count: int
    speed_mps: float
    from_direction_deg: float | None


@dataclass(frozen=True)
class Span:
    """The panes that begin in start <= window_start < end, merged: statistics of each variable that has values.

    The rain is the sum of `precipitation_mm`, the peak gust the maximum of `wind_gust_mps`.
    """

    start: datetime
    end: datetime
    variables: dict[str, Statistics]
    resultant_wind: Wind | None


@dataclass(frozen=True)
class Tendency:
    """How the pressure changed in the three hours before the pane at `window_start`; suspects of both panes counted."""

    variable: str
    window_start: datetime
    change_hpa: float
    suspect_count: int


@dataclass(frozen=True)
class Features:
    """What a station's last day tells at a time: a span for each of ROLLING_H, and the pressure's tendency."""

    at: datetime
    hours: dict[int, Span]
    pressure_tendency: Tendency | None


def features(panes: Iterable[Pane], at: datetime) -> Features:
    """The features at a time from the panes of one station, in any order; those of other times are left aside.

    The last pane of every span is the one that holds `at` and may still fill.
    """
    held = list(panes)
    hours = {count: merge(held, *rolling_span(count, at)) for count in ROLLING_H}
    return Features(at, hours, pressure_tendency(held, at))


def rolling_span(hours: int, at: datetime) -> tuple[datetime, datetime]:
    """Start and end of the 6 * hours panes of which the last one holds `at`."""
    end = pane_start(at) + PANE
    return end - timedelta(hours=hours), end


def pane_start(at: datetime) -> datetime:
    """The start of the pane that holds an aware time."""
    return start_of(at, PANE)


def start_of(at: datetime, length: timedelta) -> datetime:
    """The start of the window of a length that holds an aware time; windows start at the epoch."""
    return at - timedelta(seconds=at.timestamp() % length.total_seconds())


def merge(panes: Iterable[Pane], start: datetime, end: datetime) -> Span:
    """The panes of one station that begin in start <= window_start < end, in any order, as one."""
    held = [pane for pane in panes if start <= pane["window_start"] < end]
    return Span(start, end, merge_panes(held), _resultant([pane for pane in held if pane["variable"] == SPEED]))


def merge_panes(panes: Iterable[Pane]) -> dict[str, Statistics]:
    """The statistics of each variable over all its panes, in any order; a variable without values is left out."""
    by_variable: defaultdict[str, list[Pane]] = defaultdict(list)
    for pane in panes:
        if pane["value_count"]:
            by_variable[pane["variable"]].append(pane)
    return {
        variable: _direction(rows) if variable == DIRECTION else _statistics(rows)
        for variable, rows in sorted(by_variable.items())
    }


def pressure_tendency(panes: Iterable[Pane], at: datetime) -> Tendency | None:
    """The mean of the newest pane minus that of the pane that begins three hours earlier; None where one is missing.

    The newest pane is sought in the hour that ends with the pane of `at`. Both panes are of one variable, the first of
    PRESSURES that has both.
    """
    after, before = rolling_span(1, at)
    held = {(pane["variable"], pane["window_start"]): pane for pane in panes if pane["value_count"]}
    for variable in PRESSURES:
        newest = max((time for name, time in held if name == variable and after <= time < before), default=None)
        if newest is not None and (variable, newest - TENDENCY) in held:
            now, earlier = held[variable, newest], held[variable, newest - TENDENCY]
            return Tendency(
                variable, newest, _mean(now) - _mean(earlier), now["suspect_count"] + earlier["suspect_count"]
            )
    return None


def _statistics(panes: Sequence[Pane]) -> Statistics:
    count = sum(pane["value_count"] for pane in panes)
    total = math.fsum(pane["value_sum"] for pane in panes)
    mean = total / count
    in_order = sorted(panes, key=itemgetter("window_start"))
    least, greatest = min(in_order, key=itemgetter("value_min")), max(in_order, key=itemgetter("value_max"))
    return Statistics(
        count=count,
        suspect_count=_suspects(panes),
        mean=mean,
        minimum=least["value_min"],
        minimum_at=least["window_start"],
        maximum=greatest["value_max"],
        maximum_at=greatest["window_start"],
        stddev=math.sqrt(_squared_deviations(panes, mean) / (count - 1)) if count > 1 else None,
        sum=total,
    )


def _squared_deviations(panes: Sequence[Pane], mean: float) -> float:
    """The sum of squared deviations from the mean: within each pane, and of the panes' means (Chan et al. 1979)."""
    within = (pane["value_squared_deviations"] for pane in panes)
    between = (pane["value_count"] * (_mean(pane) - mean) ** 2 for pane in panes)
    return math.fsum(within) + math.fsum(between)


def _direction(panes: Sequence[Pane]) -> Statistics:
    count, length, angle = _mean_vector(panes)
    return Statistics(
        count=count,
        suspect_count=_suspects(panes),
        mean=angle,
        steadiness=min(1.0, length),
    )


def _resultant(panes: Sequence[Pane]) -> Wind | None:
    """The resultant wind of wind speed's panes; None where no observation had both speed and direction."""
    count, length, angle = _mean_vector(panes)
    return Wind(count, length, angle) if count else None


def _mean_vector(panes: Sequence[Pane]) -> tuple[int, float, float | None]:
    """How many vectors, the length of their mean and where it points to, in degrees; None where it has no length."""
    count = sum(pane["vector_count"] for pane in panes)
    eastward = math.fsum(pane["eastward_sum"] for pane in panes)
    northward = math.fsum(pane["northward_sum"] for pane in panes)
    length = math.hypot(eastward, northward) / max(1, count)
    # Twice, because a small negative angle modulo 360 is rounded to 360.
    angle = math.degrees(math.atan2(eastward, northward)) % 360.0 % 360.0 if length > NO_DIRECTION else None
    return count, length, angle


def _mean(pane: Pane) -> float:
    return float(pane["value_sum"] / pane["value_count"])


def _suspects(panes: Sequence[Pane]) -> int:
    return sum(pane["suspect_count"] for pane in panes)
