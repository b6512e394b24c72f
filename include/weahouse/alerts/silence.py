"""Stations that have fallen silent: judged against the broker's clock, and not by any reading.

Only a station that was live can fall silent: one whose newest record was on time when the broker appended it. A station
of the registry that never reported is not silent, nor is one whose data of former years were loaded yesterday.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weahouse.alerts.alert import CLEARED, RAISED, Alert, Change, alert_id, next_version, revised
from weahouse.transforms.rolling import pane_start

if TYPE_CHECKING:
    from datetime import datetime

    from weahouse.alerts.rules import Rule


def next_silence(
    rule: Rule, previous: Alert | None, station_id: str, region: str, seen: datetime, now: datetime
) -> list[Change]:
    """What changes for a station whose last record that was on time was appended at `seen`.

    `previous` is its active alert of this rule; values of the alert are in minutes.
    """
    if previous is not None and seen <= previous.raised_at:
        return []
    changes = [] if previous is None else [_ended(previous, seen, now)]
    if rule.applies_to(region) and now - seen >= rule.after:
        changes.append(_begun(rule, station_id, region, seen, now))
    return changes


def _ended(alert: Alert, seen: datetime, now: datetime) -> Change:
    minutes = alert.trigger_value + (seen - alert.event_at).total_seconds() / 60
    after = revised(
        alert,
        now,
        alert_state=CLEARED,
        cleared_at=seen,
        last_window=pane_start(seen.replace(microsecond=0)),
        peak_value=minutes,
        peak_at=seen,
    )
    return Change(after, is_published=True)


def _begun(rule: Rule, station_id: str, region: str, seen: datetime, now: datetime) -> Change:
    minutes, due = rule.after.total_seconds() / 60, seen + rule.after
    alert = Alert(
        # A silence may be shorter than a pane: the second in which it began tells it from the next.
        alert_id=alert_id(rule.name, station_id, seen),
        rule=rule.name,
        rule_version=rule.version,
        severity=rule.severity,
        station_id=station_id,
        region=region,
        variable=None,
        alert_state=RAISED,
        first_window=pane_start(seen.replace(microsecond=0)),
        last_window=pane_start(due.replace(microsecond=0)),
        event_at=due,
        run_started_at=due,
        cleared_at=None,
        trigger_value=minutes,
        peak_value=minutes,
        peak_at=due,
        limit_value=minutes,
        raised_at=now,
        detection_delay_s=(now - due).total_seconds(),
        alert_revision=1,
        version=next_version(0, now),
    )
    return Change(alert, is_published=True)
