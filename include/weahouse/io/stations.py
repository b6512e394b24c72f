"""The station registry: `gold.stations` is the truth, Cassandra's `stations_by_region` its copy for reads."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from weahouse.io.cassandra import write_partitions
from weahouse.io.lake import arrow_schema, open_table, table_uri
from weahouse.schemas.fields import STATION_ID_PATTERN
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.serving_tables import STATIONS_BY_REGION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.settings import Settings

Station = dict[str, Any]

# The registry of a station that only its own readings told of; any list knows better.
OBSERVED = "observed"
# Two importers at once are rare and short: the second merges again on what the first wrote.
_MERGE_ATTEMPTS = 5


def stations(settings: Settings) -> dict[str, Station]:
    """Every station of the registry by its id, with all columns of `gold.stations`; empty where there is none."""
    table = open_table(settings, GOLD_STATIONS)
    if table is None:
        return {}
    rows: list[Station] = table.to_pyarrow_table().to_pylist()
    return {row["station_id"]: row for row in rows}


def upsert_stations(settings: Settings, given: Iterable[Station]) -> int:
    """Insert or replace stations in both stores; returns how many rows of the registry changed.

    Each needs station_id, region and registry; other columns of `gold.stations` may be missing. Of two with one id the
    later wins. A station with registry `observed` never replaces one that a list has described. Idempotent.
    Raises ValueError for an id or a region of the wrong form.
    """
    known = stations(settings)
    wanted = {row["station_id"]: row for row in map(_row, given) if not _knows_better(known, row)}
    # Cassandra first: after a crash in between the registry still shows the old region, so the next try removes it.
    moved = [[(known[id_]["region"], id_)] for id_, row in wanted.items() if _moved(known.get(id_), row)]
    write_partitions(settings, f"DELETE FROM {STATIONS_BY_REGION.name} WHERE region = ? AND station_id = ?", moved)
    write_partitions(settings, _INSERT, _by_region(wanted.values()))
    changed = [row for id_, row in wanted.items() if known.get(id_) != row]
    if changed:
        _merge(settings, changed)
    return len(changed)


_INSERT = (
    f"INSERT INTO {STATIONS_BY_REGION.name} ({', '.join(STATIONS_BY_REGION.columns)}) "
    f"VALUES ({', '.join('?' * len(STATIONS_BY_REGION.columns))})"
)


def _row(station: Station) -> Station:
    row = {column: station.get(column) for column in GOLD_STATIONS.columns}
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


def _merge(settings: Settings, changed: list[Station]) -> None:
    import pyarrow as pa
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    source = pa.Table.from_pylist(changed, schema=arrow_schema(GOLD_STATIONS))
    for attempt in range(1, _MERGE_ATTEMPTS + 1):
        table = DeltaTable.create(
            table_uri(settings, GOLD_STATIONS),
            source.schema,
            mode="ignore",
            # Off on every table of ours: with them Spark cannot merge into files that the same session has read.
            configuration={"delta.enableDeletionVectors": "false"},
        )
        merge = table.merge(source, "known.station_id = given.station_id", source_alias="given", target_alias="known")
        try:
            merge.when_matched_update_all().when_not_matched_insert_all().execute()
            return
        except CommitFailedError:
            if attempt == _MERGE_ATTEMPTS:
                raise
