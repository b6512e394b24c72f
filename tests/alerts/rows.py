"""Rules and readings for tests, written as short as they can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from weahouse.alerts.alert import Alert, Change
from weahouse.alerts.readings import Reading
from weahouse.alerts.rules import AlertRules, load_alert_rules
from weahouse.alerts.scope import WiderScopeError, scope_of
from weahouse.alerts.state import next_state

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
LATENESS = timedelta(hours=6)
WIND = {
    "meaning": "m",
    "severity": "minor",
    "kind": "threshold",
    "variables": ["wind_speed_mps"],
    "at_least": 20.0,
    "clear_below": 15.0,
    "quiet_min": 60,
    "gap_min": 120,
}


def rules(**entries: dict[str, Any]) -> AlertRules:
    """Rules by name; each entry changes the plain threshold on wind, `...` removes a key."""
    whole = {name: {k: v for k, v in (WIND | entry).items() if v is not ...} for name, entry in entries.items()}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(yaml.safe_dump({"rules": whole}))
        return load_alert_rules.__wrapped__(file)


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def wind(values: dict[float, float]) -> list[Reading]:
    """Readings of wind by minutes after noon."""
    return [Reading(at(minute), {"wind_speed_mps": value}) for minute, value in sorted(values.items())]


class Station:
    """A station with its readings and its stored alerts, driven as the stream drives one."""

    def __init__(self, rules: AlertRules) -> None:
        self.rules = rules
        self.readings: dict[datetime, Reading] = {}
        self.alerts: dict[str, Alert] = {}

    def tell(self, *readings: Reading, now: datetime, gone: Sequence[datetime] = ()) -> list[Change]:
        """Readings come or replace others, and those at `gone` lose their values: what changes."""
        self.readings |= {reading.observed_at: reading for reading in readings}
        self.readings |= {time: Reading(time, {}) for time in gone}
        touched = [*(reading.observed_at for reading in readings), *gone]
        changes = self.judge(min(touched), max(touched), now)
        self.alerts |= {change.alert.alert_id: change.alert for change in changes}
        return changes

    def judge(
        self, first: datetime, last: datetime, now: datetime, names: frozenset[str] | None = None
    ) -> list[Change]:
        previous = list(self.alerts.values())
        scope = scope_of(self.rules, previous, "a", "us-ca", first, last, names)
        while True:
            span = (scope.reads_from(self.rules), scope.until)
            readings = [self.readings[time] for time in sorted(self.readings) if span[0] <= time <= span[1]]
            try:
                return next_state(self.rules, previous, readings, scope, now, LATENESS)
            except WiderScopeError as wider:
                scope = wider.scope

    @property
    def standing(self) -> list[Alert]:
        """The alerts that are not withdrawn, by time."""
        kept = [alert for alert in self.alerts.values() if alert.alert_state != "withdrawn"]
        return sorted(kept, key=lambda alert: alert.event_at)


def states(changes: Sequence[Change]) -> list[str]:
    return [change.alert.alert_state for change in changes]


def published(changes: Sequence[Change]) -> list[str]:
    return [change.alert.alert_state for change in changes if change.is_published]
