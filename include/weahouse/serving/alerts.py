"""Alerts as they stand, for people: by region, active or of the last days."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from weahouse.io.alerts import active_alerts, alerts_of, partitions_of

if TYPE_CHECKING:
    from datetime import datetime

    from weahouse.settings import Settings

ACKNOWLEDGED = "acknowledged"


def active(settings: Settings, region: str | None = None) -> list[dict[str, Any]]:
    """The alerts whose condition holds, the newest first, of one region or of all. Raises CassandraError."""
    return _newest_first(row for row in active_alerts(settings) if region in (None, row["region"]))


def since(settings: Settings, start: datetime, region: str | None = None) -> list[dict[str, Any]]:
    """The alerts that were on at any time from `start` on, the newest first. Raises CassandraError.

    Rows have the columns of `alerts_by_region` without its bucket; an active alert that somebody has taken note of is
    `acknowledged`.
    """
    month = f"{start.astimezone(UTC):%Y-%m}"
    # The month before too: an alert stands in the month in which it began. Older ones are found if they are active.
    first = f"{int(month[:4]) - 1}-12" if month.endswith("-01") else f"{month[:5]}{int(month[5:]) - 1:02d}"
    wanted = [(r, m) for r, m in partitions_of(settings) if region in (None, r) and m >= first]
    held = {row["alert_id"]: row for row in alerts_of(settings, wanted)}
    held |= {row["alert_id"]: row for row in active_alerts(settings) if region in (None, row["region"])}
    return _newest_first(
        row for row in held.values() if row["is_active"] or (row["cleared_at"] or row["event_at"]) >= start
    )


def _newest_first(rows: Any) -> list[dict[str, Any]]:
    return sorted(map(_told, rows), key=lambda row: row["event_at"], reverse=True)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    is_noted = row["is_active"] and row["acknowledged_at"] is not None
    told = {name: value for name, value in row.items() if name not in ("month", "version")}
    return told | ({"alert_state": ACKNOWLEDGED} if is_noted else {})
