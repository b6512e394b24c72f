"""What Cassandra holds of one station and time: the observation, its pane, the latest values, the alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.io.alerts import active_alerts, alerts_of, partitions_of
from weahouse.io.cassandra import rows
from weahouse.io.variable_rows import (
    SELECT_LATEST,
    latest_in,
    panes_in,
    select_observations,
    select_panes,
    verdict_of,
)
from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.schemas.fields import FIELDS, FLAG_NAMES, VARIABLES, flag_of
from weahouse.schemas.serving_tables import (
    ALERTS_BY_REGION,
    LATEST_BY_REGION,
    OBSERVATIONS_BY_STATION,
    SUMMARIES_BY_STATION,
)

if TYPE_CHECKING:
    from weahouse.settings import Settings

Row = Mapping[str, Any]

_OBSERVATION = f"{select_observations(OBSERVATIONS_BY_STATION.columns)} AND observed_at = ?"
# What an alert says of the observation that it was found by, by the column that then has its time.
_ROLES = {"event_at": "began with it", "peak_at": "has its peak there", "cleared_at": "ended with it"}


def tables(settings: Settings, station: str, at: datetime, region: str | None, curated: Row | None) -> list[Row]:
    """An entry {"table", "holds", "what"} for each serving table. Raises CassandraError."""
    return [
        _entry(OBSERVATIONS_BY_STATION.name, _observation(settings, station, at, curated)),
        _entry(SUMMARIES_BY_STATION.name, _pane(settings, station, at, curated)),
        _entry(LATEST_BY_REGION.name, _latest(settings, station, at, region)),
        _entry(ALERTS_BY_REGION.name, _alerts(settings, station, at, region)),
    ]


def pane_of(at: datetime) -> datetime:
    """The start of the pane that holds a time."""
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % (PANE_MINUTES * 60), UTC)


def differing(curated: Row, served: Row) -> list[str]:
    """The columns in which a served observation is not what Curated says."""
    shared = [column for column in OBSERVATIONS_BY_STATION.columns if column in curated]
    return [column for column in shared if _plain(served[column], column) != curated[column]]


def role_of(alert: Row, at: datetime) -> str | None:
    """What an alert has to do with an observation at a time; None where it is another's."""
    named = [role for column, role in _ROLES.items() if alert[column] == at]
    if named:
        return ", ".join(named)
    lasted = alert["event_at"] <= at and (alert["cleared_at"] is None or at <= alert["cleared_at"])
    return "lasted while it was observed" if lasted else None


def _entry(table: str, found: tuple[bool | None, str]) -> Row:
    return {"table": table, "store": "Cassandra", "holds": found[0], "what": found[1]}


def _observation(settings: Settings, station: str, at: datetime, curated: Row | None) -> tuple[bool, str]:
    served = next(iter(rows(settings, _OBSERVATION, (station, at.date(), at))), None)
    if served is None:
        return False, _expired(settings, curated)
    if curated is None:
        return True, "a row, and Curated has none: `weahouse reconcile` tells of such"
    unequal = differing(curated, served)
    told = f"differs from Curated in {', '.join(unequal)}" if unequal else "as Curated has it"
    return True, told + _with_verdict(served)


def _with_verdict(served: Row) -> str:
    """What levels 2 and 3 make of a served row, where that is worse than level 1's."""
    verdict = verdict_of(served) or {}
    flags = {variable: verdict.get(flag_of(variable)) for variable in VARIABLES}
    told = [f"{variable} {FLAG_NAMES[flag]}" for variable, flag in flags.items() if flag is not None]
    return f", and by levels 2 and 3 {', '.join(told)}" if told else ""


def _expired(settings: Settings, curated: Row | None) -> str:
    days = settings.serving_retention_days
    if curated is None:
        return "no row"
    if days and curated["ingested_at"] < datetime.now(UTC) - timedelta(days=days):
        return f"no row: kept for {days} days from {curated['ingested_at']:%Y-%m-%d} on, when it was appended"
    return "no row, and Curated has one: see `weahouse status`, `weahouse reconcile`"


def _pane(settings: Settings, station: str, at: datetime, curated: Row | None) -> tuple[bool, str]:
    start = pane_of(at)
    served = rows(settings, f"{select_panes()} AND window_start = ?", (station, start.date(), start))
    found = {pane["variable"]: pane["value_count"] for row in served for pane in panes_in(row)}
    counted = ", ".join(f"{variable} {found[variable]}" for variable in VARIABLES if variable in found)
    window = f"{start:%H:%M} to {start + timedelta(minutes=PANE_MINUTES):%H:%M}"
    if not found:
        return False, f"no pane from {window}"
    # Several readings share a pane.
    whose = "values" if curated else "values of other readings"
    return curated is not None, f"{whose} counted from {window}: {counted}"


def _latest(settings: Settings, station: str, at: datetime, region: str | None) -> tuple[bool | None, str]:
    if region is None:
        return None, "the station's region is not known"
    served = rows(settings, f"{SELECT_LATEST} WHERE region = ? AND station_id = ?", (region, station))
    found = {told["variable"]: told["observed_at"].replace(tzinfo=UTC) for row in served for told in latest_in(row)}
    ours = [variable for variable in VARIABLES if found.get(variable) == at]
    if ours:
        return True, f"its {', '.join(ours)}"
    return False, f"the newest is of {max(found.values()):%Y-%m-%d %H:%M:%S}" if found else f"nothing in {region}"


def _alerts(settings: Settings, station: str, at: datetime, region: str | None) -> tuple[bool | None, str]:
    if region is None:
        return None, "the station's region is not known"
    # An alert stands in the month in which it began; one that lasts longer than two is found while it is active.
    months = {f"{at:%Y-%m}", f"{at.replace(day=1) - timedelta(days=1):%Y-%m}"}
    partitions = [place for place in partitions_of(settings) if place[0] == region and place[1] in months]
    found = {alert["alert_id"]: alert for alert in (*alerts_of(settings, partitions), *active_alerts(settings))}
    told = [
        f"{alert['rule']} {alert['alert_id']} ({alert['alert_state']}) {role}"
        for alert in found.values()
        if alert["station_id"] == station and (role := role_of(alert, at))
    ]
    return bool(told), "; ".join(told) or "none names it"


def _plain(value: Any, column: str) -> Any:
    """A value of Cassandra as the lake has it: its times come without a zone and are UTC."""
    return value.replace(tzinfo=UTC) if value is not None and FIELDS[column].type == "timestamp" else value
