"""The rows of the lake that tell of one station and time, and where they were looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.io import lake
from weahouse.orchestration.ingest_hours import HOUR, begin_of, hour_of, hours_between
from weahouse.schemas.datasets import (
    CURATED_INGEST_UNITS,
    CURATED_OBSERVATIONS,
    CURATED_QUARANTINE,
    CURATED_VERDICTS,
    DATASETS,
    RAW_OBSERVATIONS,
)
from weahouse.schemas.fields import MOST_MINUTES_AHEAD
from weahouse.schemas.gold import GOLD_STATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

Row = dict[str, Any]

_COORDINATES = ("topic", "partition", "offset", "timestamp", "key", "value")
# These are asked about record by record, or keep no reading.
_ASKED_OTHERWISE = (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, CURATED_QUARANTINE, CURATED_VERDICTS)
# The columns of a key that place a row in time, and the value that a reading at a time is found under.
_FOUND_UNDER = {
    "observed_at": lambda at: f"TIMESTAMP '{at:%Y-%m-%dT%H:%M:%SZ}'",
    "window_start": lambda at: f"TIMESTAMP '{at:%Y-%m-%dT%H:00:00Z}'",
    "issued_at": lambda at: f"TIMESTAMP '{at:%Y-%m-%dT%H:%M:%SZ}'",
    "observed_date": lambda at: f"DATE '{at:%Y-%m-%d}'",
}


@dataclass(frozen=True)
class Search:
    """Which hours of append time are looked through; None for all that there are."""

    raw: tuple[str, ...] | None = None
    quarantine: tuple[str, ...] | None = None


EVERYWHERE = Search()


def station_of(settings: Settings, station: str) -> Row | None:
    """The station's row of the registry, None where there is none. Raises LakeError, as all of these do."""
    found = _ask(settings, f"SELECT * FROM {GOLD_STATIONS.name} WHERE station_id = {_quoted(station)}")
    return found[0] if found else None


def curated_row(settings: Settings, station: str, at: datetime) -> Row | None:
    """The row that Curated holds of a station and time."""
    found = _ask(settings, f"SELECT * FROM {CURATED_OBSERVATIONS.name} WHERE {_key(station, at)}")
    # Two would be a fault, which reconciliation calls `doubled`; the newer is the one that the stream means.
    return max(found, key=lambda row: (row["ingested_at"], row["kafka_offset"]), default=None)


def verdict_row(settings: Settings, station: str, at: datetime) -> Row | None:
    """What levels 2 and 3 have said of a station and time, of whichever version they judged."""
    found = _ask(settings, f"SELECT * FROM {CURATED_VERDICTS.name} WHERE {_key(station, at)}")
    return found[0] if found else None


def search(settings: Settings, at: datetime, curated: Row | None, now: datetime) -> Search:
    """The hours in which a record of a time may have been appended, without looking through all of Raw.

    Hours that curation has been through tell what they touched. Of the others: from just before the time, for clocks
    that are ahead, until the lateness is over, and the hour of the record that Curated holds. The quarantine is small,
    and the reason for which a record stands there may be its time: it is searched from the lateness before on.
    """
    ledger = _ledger(settings, at)
    last = min(at + settings.lateness, now)
    window = hours_between(at - timedelta(minutes=MOST_MINUTES_AHEAD), last)
    held = set() if curated is None else {hour_of(curated["ingested_at"])}
    touching = {hour for hour, touches in ledger.items() if touches}
    raw = touching | held | {hour for hour in window if hour not in ledger}
    quarantine = raw | set(window) | set(hours_between(min(at, now) - settings.lateness, last))
    return Search(tuple(sorted(raw)), tuple(sorted(quarantine)))


def _ledger(settings: Settings, at: datetime) -> dict[str, bool]:
    """By hour that was over when it was curated, whether a reading of the same hour of observation is in it."""
    touches = f"array_has(touched_hours, TIMESTAMP '{at:%Y-%m-%dT%H:00:00Z}')"
    found = _ask(settings, f"SELECT ingest_hour, curated_at, {touches} AS touches FROM {CURATED_INGEST_UNITS.name}")
    return {
        row["ingest_hour"]: bool(row["touches"])
        for row in found
        if row["touches"] or row["curated_at"] >= begin_of(row["ingest_hour"]) + HOUR
    }


def raw_rows(settings: Settings, station: str, where: Search) -> list[Row]:
    """Records of Raw whose key is a station or whose value names it."""
    return _mentioning(settings, RAW_OBSERVATIONS, _COORDINATES, station, where.raw)


def quarantine_rows(settings: Settings, station: str, where: Search) -> list[Row]:
    """Records of the quarantine, with their reasons, whose key is a station or whose value names it."""
    return _mentioning(settings, CURATED_QUARANTINE, (*_COORDINATES, "reason"), station, where.quarantine)


def held_by_others(settings: Settings, station: str, at: datetime) -> list[tuple[Dataset, int | None]]:
    """Every other table that holds readings or what is made of them, with its rows; None where there is no table."""
    return [(dataset, _count(settings, dataset, station, at)) for dataset in keyed_by_station_and_time()]


def keyed_by_station_and_time() -> list[Dataset]:
    """The tables of which a row is of one station and time, beyond those that hold records and observations."""
    return [
        dataset
        for dataset in DATASETS
        if dataset not in _ASKED_OTHERWISE and "station_id" in dataset.primary_key and _time_of(dataset)
    ]


def _count(settings: Settings, dataset: Dataset, station: str, at: datetime) -> int | None:
    columns = dict.fromkeys((_time_of(dataset), *dataset.partition_by))
    placed = [f"{column} = {_FOUND_UNDER[column](at)}" for column in columns if column in _FOUND_UNDER]
    where = " AND ".join([f"station_id = {_quoted(station)}", *placed])
    try:
        found = lake.query(settings, f"SELECT count(*) AS held FROM {dataset.name} WHERE {where}")
    except lake.MissingTableError:
        return None
    return int(found.to_pylist()[0]["held"])


def _time_of(dataset: Dataset) -> str | None:
    return next((column for column in dataset.primary_key if column in _FOUND_UNDER), None)


def _mentioning(
    settings: Settings, dataset: Dataset, columns: Iterable[str], station: str, hours: tuple[str, ...] | None
) -> list[Row]:
    names, sought = ", ".join(f'"{column}"' for column in columns), _quoted(station)
    # Bytes that are no text become null, and null names nobody.
    key, value = (f'TRY_CAST("{column}" AS VARCHAR)' for column in ("key", "value"))
    mentions = f"({key} = {sought} OR strpos({value}, {sought}) > 0)"
    folders = "true" if hours is None else f"ingest_hour IN ({', '.join(map(_quoted, hours))})"
    return _ask(settings, f"SELECT {names} FROM {dataset.name} WHERE {folders} AND {mentions}")


def _ask(settings: Settings, sql: str) -> list[Row]:
    try:
        rows: list[Row] = lake.query(settings, sql).to_pylist()
    except lake.MissingTableError:
        return []
    return rows


def _key(station: str, at: datetime) -> str:
    time, day = _FOUND_UNDER["observed_at"](at), _FOUND_UNDER["observed_date"](at)
    return f"station_id = {_quoted(station)} AND observed_date = {day} AND observed_at = {time}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
