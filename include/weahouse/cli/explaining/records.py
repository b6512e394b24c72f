"""The Kafka records of one station and time: which they are, and what became of each. Plain Python over a few rows.

The dispositions are those of `weahouse.transforms.dispositions`, which proves them for whole tables in Spark.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from weahouse.schemas.fields import VARIABLES

Row = Mapping[str, Any]
Content = tuple[Any, ...]


@dataclass(frozen=True)
class Explained:
    """One record: the row of Raw or of the quarantine that holds it, its disposition, and why it has that one."""

    row: Row
    disposition: str
    why: str


def event_of(value: bytes | None) -> dict[str, Any]:
    """The members of a record's event; empty where it holds no JSON object."""
    try:
        found = json.loads(value or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def observed_at(event: Mapping[str, Any]) -> datetime | None:
    """When an event says it was observed, to the second; None where that cannot be read as a time with a zone.

    Takes a little more than the contract: a reading is quarantined for the way its time is written, and still of it.
    """
    try:
        at = datetime.fromisoformat(event["observed_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return at.astimezone(UTC).replace(microsecond=0) if at.tzinfo else None


def tells_of(row: Row, station: str, at: datetime) -> bool:
    """Whether a record is of a station and time, as far as it can be read.

    What is no JSON object counts where its text, or its key, names the station and its text the time in UTC.
    """
    event = event_of(row["value"])
    if event:
        return event.get("station_id") == station and observed_at(event) == at
    text = (row["value"] or b"").decode(errors="replace")
    return (station in text or row["key"] == station.encode()) and f"{at:%Y-%m-%dT%H:%M:%S}" in text


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Each record once, in the order in which the broker appended them."""
    unique = {(row["topic"], *_version(row)): row for row in rows}
    return sorted(unique.values(), key=_version)


def explain(raw: Sequence[Row], quarantine: Sequence[Row], curated: Row | None) -> list[Explained]:
    """What became of each record of one station and time, in the order of their versions.

    `raw` and `quarantine` are rows of these tables that tell of it, `curated` is the row that Curated holds.
    """
    reasons = {(row["topic"], *_version(row)): row["reason"] for row in quarantine}
    held = None if curated is None else _held_version(curated)
    records = in_order([*quarantine, *raw])
    winner = next((_content(row) for row in records if _version(row) == held), None)

    def explained(row: Row) -> Explained:
        reason = reasons.get((row["topic"], *_version(row)))
        if reason is not None:
            return Explained(row, "quarantined", reason)
        return Explained(row, *_disposition(row, held, curated, winner))

    return [explained(row) for row in records]


def _disposition(row: Row, held: Content | None, curated: Row | None, winner: Content | None) -> tuple[str, str]:
    if curated is None or held is None:
        return "unaccounted", "the stream has not merged it yet: see `weahouse status`; `weahouse reconcile` proves it"
    if _version(row) == held:
        return "curated", "the row of curated.observations is this record's"
    where = f"{curated['kafka_partition']}/{curated['kafka_offset']}"
    # Where Raw lacks the record that won, Curated's values tell as much, but not the region that it was sent with.
    same = _content(row) == winner if winner else _content(row)[1:] == _values(curated)
    if same:
        return "duplicate", f"says what {where} says"
    if _version(row) < held:
        return "superseded", f"corrected by {where}, which was appended later"
    return "unaccounted", f"newer than {where} and not merged yet: see `weahouse status`"


def _version(row: Row) -> Content:
    return row["timestamp"], row["partition"], row["offset"]


def _held_version(curated: Row) -> Content:
    return curated["ingested_at"], curated["kafka_partition"], curated["kafka_offset"]


def _content(row: Row) -> Content:
    """What two records must have in common to say the same: region and measurements, as they were sent."""
    event = event_of(row["value"])
    return event.get("region"), *_values(event)


def _values(told: Mapping[str, Any]) -> Content:
    return tuple(told.get(variable) for variable in VARIABLES)
