"""An alert: one episode of one rule at one station, and what was told of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from weahouse.schemas.serving_tables import ALERT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

RAISED, UPDATED, CLEARED = "raised", "updated", "cleared"
WITHDRAWN, HISTORICAL, ACKNOWLEDGED = "withdrawn", "historical", "acknowledged"


@dataclass(frozen=True)
class Alert:
    """The columns of `alerts_by_region`; times are UTC. `version` is the timestamp with which it was written."""

    alert_id: str
    rule: str
    rule_version: str
    severity: str
    station_id: str
    region: str
    variable: str | None
    alert_state: str
    first_window: datetime
    last_window: datetime
    event_at: datetime
    run_started_at: datetime
    cleared_at: datetime | None
    trigger_value: float
    peak_value: float
    peak_at: datetime
    limit_value: float
    raised_at: datetime
    detection_delay_s: float
    alert_revision: int
    superseded_by: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledgement_note: str | None = None
    version: int = 0

    @property
    def is_active(self) -> bool:
        return self.cleared_at is None and self.alert_state != WITHDRAWN

    @property
    def month(self) -> str:
        """The bucket in which it stands, by its first window."""
        return month_of(self.first_window)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Alert:
        """The alert of a row of the table with its `version`; times are aware."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    def row(self) -> dict[str, Any]:
        """The columns of the message."""
        return {column: getattr(self, column) for column in ALERT_COLUMNS}

    def stored(self) -> dict[str, Any]:
        """The columns of the table, and `version`."""
        return self.row() | {"month": self.month, "version": self.version}


@dataclass(frozen=True)
class Change:
    """An alert to be stored, and whether anybody is to be told of it."""

    alert: Alert
    is_published: bool


def alert_id(rule: str, station_id: str, first: datetime) -> str:
    """The same for the same episode, whoever finds it and how often; `first` is its first window."""
    told = f"{rule}|{station_id}|{int(first.timestamp())}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def month_of(at: datetime) -> str:
    return f"{at:%Y-%m}"


def months_of(first: datetime, last: datetime) -> list[str]:
    """The months that a span touches, in order."""
    count = (last.year - first.year) * 12 + last.month - first.month
    places = (first.month - 1 + n for n in range(count + 1))
    return [f"{first.year + place // 12:04d}-{place % 12 + 1:02d}" for place in places]


def revised(before: Alert, now: datetime, **changes: Any) -> Alert:
    """The alert after a change that is worth telling."""
    return replace(
        before, **changes, alert_revision=before.alert_revision + 1, version=next_version(before.version, now)
    )


def next_version(before: int, now: datetime) -> int:
    """A write's timestamp in microseconds: the broker's time, and always later than the write before."""
    return max(int(now.timestamp() * 1_000_000), before + 1)
