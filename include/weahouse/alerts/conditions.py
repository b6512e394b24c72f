"""Where the condition of a rule is met: at each report, over what lies before it.

Looking back from reports, and not at the panes of a clock, makes an answer final when the report is there: a pane that
still fills would raise at its first value and withdraw at its second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from weahouse.alerts.sliding import STATISTICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.alerts.readings import Reading
    from weahouse.alerts.rules import Rule

# Sums and differences of tenths: 1013.1 - 1007.0 is 6.1000000000000227.
TOLERANCE = 1e-6

Series = Sequence[tuple[datetime, float]]


@dataclass(frozen=True)
class Point:
    """A report in the eyes of a rule: its value, whether it meets the condition, and whether it lets it go on."""

    at: datetime
    value: float
    variable: str
    is_met: bool
    holds: bool


def points(rule: Rule, readings: Sequence[Reading], since: datetime) -> list[Point]:
    """The points of one rule from `since` on, by time; `readings` are in order and begin `reach(rule)` earlier."""
    found: dict[datetime, Point] = {}
    for variable in rule.variables:
        series = [(reading.observed_at, reading.values[variable]) for reading in readings if variable in reading.values]
        for point in _points(rule, variable, series, since):
            found[point.at] = _stronger(rule, found.get(point.at), point)
    return [found[at] for at in sorted(found)]


def reach(rule: Rule) -> timedelta:
    """How far back a point depends on readings: the report before a run's first one included."""
    return rule.over + _remembered(rule)


def _stronger(rule: Rule, one: Point | None, other: Point) -> Point:
    if one is None:
        return other
    extreme = max(one, other, key=lambda point: rule.direction * point.value)
    return replace(extreme, is_met=one.is_met or other.is_met, holds=one.holds or other.holds)


def _points(rule: Rule, variable: str, series: Series, since: datetime) -> Iterator[Point]:
    judge, memory = {"duration": _lasting, "repetition": _repeated}.get(rule.kind, _plain), _remembered(rule)
    for at, value, is_met, holds in judge(rule, _features(rule, series, since - memory)):
        if at >= since:
            yield Point(at, value, variable, is_met, holds)


def _remembered(rule: Rule) -> timedelta:
    """How far back a report depends on the features of those before it; a station may report each second."""
    return {"duration": rule.lasting + rule.gap, "repetition": rule.within}.get(rule.kind, timedelta())


def _features(rule: Rule, series: Series, since: datetime) -> Iterator[tuple[datetime, float]]:
    times = [at for at, _ in series]
    first = bisect_left(times, since)
    if not rule.over:
        yield from series[first:]
        return
    # The span is open at its beginning: six reports of ten minutes make an hour. A change is over its ends.
    find = bisect_left if rule.kind == "change" else bisect_right
    statistic = STATISTICS[rule.statistic]
    window = statistic.window()
    start = find(times, times[first] - rule.over, 0, first + 1) if first < len(times) else first
    for number in range(start, first):
        window.push(number, series[number][1])
    for number in range(first, len(times)):
        at, value = series[number]
        start = find(times, at - rule.over, start, number + 1)
        window.push(number, value)
        window.drop_before(start)
        yield at, statistic.of(window.told(), number + 1 - start, value)


def is_beyond(rule: Rule, value: float, limit: float) -> bool:
    """Whether a value reaches a limit in the rule's direction."""
    return rule.direction * (value - limit) >= -TOLERANCE


_Told = tuple[datetime, float, bool, bool]


def _plain(rule: Rule, features: Iterable[tuple[datetime, float]]) -> Iterator[_Told]:
    for at, value in features:
        yield at, value, is_beyond(rule, value, rule.limit), is_beyond(rule, value, rule.clear)


def _lasting(rule: Rule, features: Iterable[tuple[datetime, float]]) -> Iterator[_Told]:
    begun: datetime | None = None
    before: datetime | None = None
    for at, value in features:
        if not is_beyond(rule, value, rule.limit):
            begun = None
        elif begun is None or before is None or at - before > rule.gap:
            begun = at
        before = at
        yield at, value, begun is not None and at - begun >= rule.lasting, is_beyond(rule, value, rule.clear)


def _repeated(rule: Rule, features: Iterable[tuple[datetime, float]]) -> Iterator[_Told]:
    reached: deque[datetime] = deque()
    held: datetime | None = None
    for at, value in features:
        while reached and reached[0] <= at - rule.within:
            reached.popleft()
        if is_beyond(rule, value, rule.limit):
            reached.append(at)
        if is_beyond(rule, value, rule.clear):
            held = at
        # Between two gusts there are reports without: the condition ends when none came for the whole span.
        yield at, value, len(reached) >= rule.times, held is not None and at - held < rule.within
