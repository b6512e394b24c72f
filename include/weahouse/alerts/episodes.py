"""Episodes: from the points of a rule to the spans of time in which an alert was on.

An episode begins where the condition is met, goes on while it holds (hysteresis), ends at the first report where it
does not or when reports stay away, and goes on again when the condition is met within the rule's quiet period. After
31 days it ends in any case, and what is still on begins another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from weahouse.transforms.rolling import PANE, pane_start

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from weahouse.alerts.conditions import Point
    from weahouse.alerts.rules import Rule

# Who looks at a time finds every alert that was on then among those that began in this time before. After a month
# somebody should look again anyway.
LONGEST = timedelta(days=31)


@dataclass(frozen=True)
class Episode:
    """What the readings alone tell of an alert."""

    variable: str | None
    first_window: datetime
    last_window: datetime
    event_at: datetime
    run_started_at: datetime
    cleared_at: datetime | None
    trigger_value: float
    peak_value: float
    peak_at: datetime

    def overlaps(self, first: datetime, last: datetime) -> bool:
        """Whether it was on at any time of a span."""
        return self.event_at <= last and self.last_window + PANE > first


def episodes(rule: Rule, carried: Episode | None, points: Iterable[Point], now: datetime) -> list[Episode]:
    """The episodes of points in order, beginning with the one that is carried in, as of `now`."""
    found = [carried] if carried else []
    for point in points:
        current = lapsed(rule, found[-1], point.at) if found else None
        if current is not None:
            if current.cleared_at is None and _is_too_old(current, point):
                current = replace(current, cleared_at=point.at)
            found[-1] = current
        following = _next(rule, current, point)
        if following is None:
            continue
        if current is not None and following.first_window == current.first_window:
            found[-1] = following
        else:
            found.append(following)
    if found:
        found[-1] = lapsed(rule, found[-1], now)
    return found


def lapsed(rule: Rule, episode: Episode, now: datetime) -> Episode:
    """The episode as of `now`: over when no report has come for the rule's gap."""
    if episode.cleared_at is None and now > lapses_at(rule, episode.last_window):
        return replace(episode, cleared_at=lapses_at(rule, episode.last_window))
    return episode


def lapses_at(rule: Rule, last_window: datetime) -> datetime:
    """When an episode ends if nothing more is reported."""
    return last_window + PANE + rule.gap


def _next(rule: Rule, current: Episode | None, point: Point) -> Episode | None:
    """The episode after a point: the current one changed, a new one, or None where nothing is on."""
    if current is not None and current.cleared_at is None:
        return _extended(rule, current, point) if point.holds or point.is_met else replace(current, cleared_at=point.at)
    if not point.is_met:
        return None
    if current is not None and _goes_on(rule, current, point):
        return _extended(rule, replace(current, run_started_at=point.at, cleared_at=None), point)
    window = pane_start(point.at)
    return Episode(point.variable, window, window, point.at, point.at, None, point.value, point.value, point.at)


def _goes_on(rule: Rule, ended: Episode, point: Point) -> bool:
    # Within one pane an episode could not be told from the next: their ids are made of it.
    if pane_start(point.at) == ended.first_window:
        return True
    is_quiet = ended.cleared_at is not None and point.at - ended.cleared_at <= rule.quiet
    return is_quiet and not _is_too_old(ended, point)


def _is_too_old(episode: Episode, point: Point) -> bool:
    return point.at - episode.event_at >= LONGEST


def _extended(rule: Rule, episode: Episode, point: Point) -> Episode:
    longer = replace(episode, last_window=pane_start(point.at))
    if rule.direction * (point.value - episode.peak_value) > 0:
        return replace(longer, peak_value=point.value, peak_at=point.at, variable=point.variable)
    return longer
