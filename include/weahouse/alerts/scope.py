"""How much of a station must be judged again after some of its time was touched, and what must be read for it.

A reading counts for a bounded time, the longest span of any rule. What lies further back is told by the stored alerts:
one that was on at the beginning of the scope is carried in. Where that is not enough (the beginning of an alert was
touched, or its peak), the scope grows to hold the whole of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from weahouse.alerts.alert import WITHDRAWN
from weahouse.alerts.conditions import reach
from weahouse.alerts.episodes import lapses_at
from weahouse.transforms.rolling import PANE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from weahouse.alerts.alert import Alert
    from weahouse.alerts.rules import AlertRules, Rule

# An alert that goes on behind the scope is followed by this at first, then by twice as much each time.
STEP = timedelta(days=1)


@dataclass(frozen=True)
class Scope:
    """A station's time that is judged, since <= t <= until, by the rules of some names, or by all for None.

    `further`: how much more is read than conditions look back, to find the report before the first that is judged.
    """

    station_id: str
    region: str
    since: datetime
    until: datetime
    names: frozenset[str] | None = None
    further: timedelta = timedelta()

    def reads_from(self, rules: AlertRules) -> datetime:
        """The earliest reading that is needed."""
        longest = max((reach(rule) for rule in rules.named(self.names)), default=timedelta())
        return self.since - longest - PANE - self.further


class WiderScopeError(Exception):
    """The scope was too narrow to know; `scope` is what to read and judge instead."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(f"{scope.since} to {scope.until} of {scope.station_id} is wanted")
        self.scope = scope


def scope_of(
    rules: AlertRules,
    previous: Sequence[Alert],
    station_id: str,
    region: str,
    first: datetime,
    last: datetime,
    names: frozenset[str] | None = None,
) -> Scope:
    """What to judge when readings with first <= observed_at <= last came, changed or went."""
    longest = max((rule.span for rule in rules.named(names)), default=timedelta())
    return settled(rules, previous, Scope(station_id, region, first, last + longest + PANE, names))


def settled(rules: AlertRules, previous: Sequence[Alert], scope: Scope) -> Scope:
    """The scope widened until no stored alert crosses its limits in a way that matters."""
    by_name = {rule.name: rule for rule in rules.named(scope.names)}
    held = [alert for alert in previous if alert.alert_state != WITHDRAWN and alert.rule in by_name]
    while True:
        wider = scope
        for alert in held:
            wider = _with(by_name[alert.rule], alert, wider)
        if wider == scope:
            return scope
        scope = wider


def _with(rule: Rule, alert: Alert, scope: Scope) -> Scope:
    end = alert.cleared_at or lapses_at(rule, alert.last_window)
    if alert.event_at > scope.until + rule.quiet or end + rule.quiet < scope.since:
        return scope
    since = scope.since
    if alert.event_at < since <= alert.run_started_at:
        # Touched in an earlier run than its last: whether the runs still belong together must be seen from the first.
        since = alert.event_at
    is_carried = alert.event_at < since and end < since
    return replace(scope, since=since, until=scope.until if is_carried else max(scope.until, end + rule.span))
