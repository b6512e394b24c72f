"""The station registry: `gold.stations` is the truth, Cassandra's `stations_by_region` its copy for reads."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import write_partitions
from weahouse.io.small_tables import merge_rows, read_rows
from weahouse.schemas.fields import STATION_ID_PATTERN
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.serving_tables import STATIONS_BY_REGION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.settings import Settings

Station = dict[str, Any]

# The registry of a station that only its own readings told of; any list knows better.
OBSERVED = "observed"


def stations(settings: Settings) -> dict[str, Station]:
    """Every station of the registry by its id, with all columns of `gold.stations`; empty where there is none."""
    return {row["station_id"]: row for row in read_rows(settings, GOLD_STATIONS)}


def upsert_stations(settings: Settings, given: Iterable[Station]) -> int:
    """Insert or replace stations in both stores; returns how many rows of the registry changed.

    Each needs station_id, region and registry; other columns of `gold.stations` may be missing. Of two with one id the
    later wins. A station with registry `observed` never replaces one that a list has described. Idempotent.
    Raises ValueError for an id or a region of the wrong form.
    """
    known = {id_: _described(row) for id_, row in stations(settings).items()}
    wanted = {row["station_id"]: row for row in map(_row, given) if not _knows_better(known, row)}
    # Cassandra first: after a crash in between the registry still shows the old region, so the next try removes it.
    moved = [[(known[id_]["region"], id_)] for id_, row in wanted.items() if _moved(known.get(id_), row)]
    write_partitions(settings, f"DELETE FROM {STATIONS_BY_REGION.name} WHERE region = ? AND station_id = ?", moved)
    write_partitions(settings, _INSERT, _by_region(wanted.values()))
    changed = [row for id_, row in wanted.items() if known.get(id_) != row]
    now = datetime.now(UTC)
    merge_rows(settings, GOLD_STATIONS, [{**row, "registered_at": now} for row in changed])
    return len(changed)


_INSERT = (
    f"INSERT INTO {STATIONS_BY_REGION.name} ({', '.join(STATIONS_BY_REGION.columns)}) "
    f"VALUES ({', '.join('?' * len(STATIONS_BY_REGION.columns))})"
)


def _described(station: Station) -> Station:
    """What is said of a station, without when it was said."""
    return {column: station.get(column) for column in STATIONS_BY_REGION.columns}


def _row(station: Station) -> Station:
    row = _described(station)
    for column in ("station_id", "region"):
        if re.fullmatch(STATION_ID_PATTERN, row[column] or "") is None:
            raise ValueError(
                f"{column} {row[column]!r} of station {row['station_id']!r}: {STATION_ID_PATTERN} is wanted"
            )
    return row


def _by_region(rows: Iterable[Station]) -> list[list[tuple[object, ...]]]:
    regions: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for row in rows:
        regions[row["region"]].append(tuple(row[column] for column in STATIONS_BY_REGION.columns))
    return list(regions.values())


def _knows_better(known: dict[str, Station], row: Station) -> bool:
    return row["registry"] == OBSERVED and row["station_id"] in known


def _moved(before: Station | None, row: Station) -> bool:
    return before is not None and before["region"] != row["region"]
