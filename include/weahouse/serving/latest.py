"""The newest value of everything, by region."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import Row, rows
from weahouse.io.variable_rows import SELECT_LATEST, latest_in
from weahouse.schemas.fields import VARIABLES
from weahouse.schemas.serving_tables import LATEST_BY_REGION
from weahouse.serving.errors import NotServedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.settings import Settings


def regions(settings: Settings) -> list[str]:
    """The regions that have reported, in order."""
    return sorted(row["region"] for row in rows(settings, f"SELECT DISTINCT region FROM {LATEST_BY_REGION.name}"))


def latest(settings: Settings, region: str | None = None) -> list[dict[str, Any]]:
    """One entry per station, of one region or of all, ordered by region and station.

    `{"station_id", "region", "observed_at", "variables": {name: {"value", "flag", "observed_at"}}}`: times are UTC, a
    value is in its variable's unit and as old as its own observed_at; the station's is the newest of them.
    Raises NotServedError for a region that has never reported, CassandraError.
    """
    if region is None:
        # A whole scan: one row per station, and as many pages as there are stations to show.
        return _by_station(rows(settings, SELECT_LATEST))
    stations = _by_station(rows(settings, f"{SELECT_LATEST} WHERE region = ?", (region,)))
    if not stations:
        known = ", ".join(regions(settings)) or "none yet"
        raise NotServedError(f"no station of region {region!r} has reported; regions that have: {known}")
    return stations


def _by_station(served: Iterable[Row]) -> list[dict[str, Any]]:
    stations: dict[str, dict[str, Any]] = {}
    for row in (told for each in served for told in latest_in(each)):
        observed_at = row["observed_at"].replace(tzinfo=UTC)
        station = stations.setdefault(
            row["station_id"],
            {"station_id": row["station_id"], "region": row["region"], "observed_at": observed_at, "variables": {}},
        )
        if observed_at > station["observed_at"]:
            # A station that moved to another region has old rows in the former: it belongs where it reported last.
            station.update(region=row["region"], observed_at=observed_at)
        _keep_newer(
            station["variables"],
            row["variable"],
            {"value": row["measured_value"], "flag": row["flag"], "observed_at": observed_at},
        )
    for station in stations.values():
        told = station["variables"]
        station["variables"] = {variable: told[variable] for variable in VARIABLES if variable in told}
    return sorted(stations.values(), key=lambda station: (station["region"], station["station_id"]))


def _keep_newer(variables: dict[str, Row], name: str, told: Row) -> None:
    known = variables.get(name)
    if known is None or told["observed_at"] > known["observed_at"]:
        variables[name] = told
