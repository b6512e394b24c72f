"""What rules would have raised on history: the stream's own functions over all readings of a station at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from weahouse.alerts.scope import Scope
from weahouse.alerts.silence import next_silence
from weahouse.alerts.state import next_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from weahouse.alerts.alert import Alert
    from weahouse.alerts.readings import Reading
    from weahouse.alerts.rules import AlertRules


def backtest(rules: AlertRules, station_id: str, region: str, readings: Sequence[Reading]) -> list[Alert]:
    """The alerts of one station over its readings, which are in order, by the time of the event.

    Every reading counts as reported when it was observed; `raised_at` is the end of the readings and tells nothing.
    """
    if not readings:
        return []
    first, last = readings[0].observed_at, readings[-1].observed_at
    scope = Scope(station_id, region, first, last)
    changes = next_state(rules, (), readings, scope, now=last, lateness=timedelta.max)
    alerts = [change.alert for change in changes] + list(_silences(rules, station_id, region, readings))
    return sorted(alerts, key=lambda alert: (alert.event_at, alert.rule))


def _silences(rules: AlertRules, station_id: str, region: str, readings: Sequence[Reading]) -> Iterator[Alert]:
    for rule in rules.of_silence:
        seen: datetime | None = None
        for reading in readings:
            if seen is not None and reading.observed_at - seen >= rule.after:
                for begun in next_silence(rule, None, station_id, region, seen, reading.observed_at):
                    ended = next_silence(
                        rule, begun.alert, station_id, region, reading.observed_at, reading.observed_at
                    )
                    yield from (change.alert for change in ended)
            seen = reading.observed_at
