"""Which records of a replay's range Raw holds: asked of its log and its columns, without a JVM."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from weahouse.io.lake import MissingTableError, query
from weahouse.orchestration.ingest_hours import hour_of
from weahouse.schemas.datasets import RAW_OBSERVATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.orchestration.replay_request import Edge, Offsets
    from weahouse.settings import Settings


class RawRange(NamedTuple):
    """What Raw holds of a partition: so many records with offsets from `first` to before `end`, of these hours."""

    first: int
    end: int
    records: int
    first_hour: str
    last_hour: str


def held_by_raw(settings: Settings, start: Edge, end: Edge, before: Offsets | None) -> dict[int, RawRange]:
    """By partition what Raw holds from `start` to before `end`, and of that what lies `before` offsets where told.

    With `before`, a partition that an edge of offsets does not name holds nothing. Raises LakeError.
    """
    if before is not None:
        named = start.keys() if isinstance(start, dict) else before.keys()
        before = {partition: before[partition] for partition in named if before.get(partition)}
        if not before:
            return {}
    conditions = [f"topic = '{settings.observations_topic}'", *_since(start), *_until(end)]
    if before is not None:
        conditions.append(_any(f'("partition" = {p} AND "offset" < {offset})' for p, offset in before.items()))
    sql = (
        'SELECT "partition", min("offset") AS first, max("offset") + 1 AS upto, count(*) AS records, '
        f"min(ingest_hour) AS first_hour, max(ingest_hour) AS last_hour FROM {RAW_OBSERVATIONS.name} "
        f'WHERE {" AND ".join(conditions)} GROUP BY "partition"'
    )
    try:
        found = query(settings, sql).to_pylist()
    except MissingTableError:
        return {}
    return {
        row["partition"]: RawRange(row["first"], row["upto"], row["records"], row["first_hour"], row["last_hour"])
        for row in found
    }


def _since(edge: Edge) -> list[str]:
    if isinstance(edge, datetime):
        return [f"ingest_hour >= '{hour_of(edge)}'", f"\"timestamp\" >= TIMESTAMP '{edge.isoformat()}'"]
    return [_by_partition(edge, ">=")] if edge else []


def _until(edge: Edge) -> list[str]:
    if isinstance(edge, datetime):
        return [f"ingest_hour <= '{hour_of(edge)}'", f"\"timestamp\" < TIMESTAMP '{edge.isoformat()}'"]
    return [_by_partition(edge, "<")] if edge else []


def _by_partition(offsets: Offsets, sign: str) -> str:
    named = ", ".join(map(str, offsets))
    others = f'"partition" NOT IN ({named})'
    return _any([*(f'("partition" = {p} AND "offset" {sign} {offset})' for p, offset in offsets.items()), others])


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"
