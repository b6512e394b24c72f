"""What a person asks of a replay, checked before anything is done, and what becomes a plan of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.orchestration.backfill_kinds import AUTO, KAFKA, RAW, SOURCES
from weahouse.orchestration.requests import RequestError, moment_of, names_of, run_id_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from weahouse.orchestration.raw_records import RawRange

Offsets = dict[int, int]
Edge = datetime | Offsets

# Longer than any retention of a topic that this is for; a year that was mistyped is caught by it.
LONGEST = timedelta(days=366)
# What a run is known to take in, on two cores beside the live stream.
_RECORDS_PER_S = 5_000


@dataclass(frozen=True)
class ReplayRequest:
    """A range of append times or of offsets, the latter by partition; of some regions and stations, or of all."""

    start: Edge
    end: Edge
    regions: tuple[str, ...]
    stations: tuple[str, ...]
    reason: str
    source: str = AUTO

    @classmethod
    def of(cls, params: Mapping[str, Any], now: datetime) -> ReplayRequest:
        """From the parameters of a run; raises RequestError."""
        start, end = (_edge(name, params) for name in ("start", "end"))
        if isinstance(start, datetime) and isinstance(end, datetime):
            _check_times(start, end, now)
        regions, stations = (names_of(name, params.get(name)) for name in ("regions", "stations"))
        reason = str(params.get("reason") or "").strip()
        if not reason and not params.get("dry_run", True):
            raise RequestError("reason is empty: say in a few words why this is replayed")
        source = params.get("source") or AUTO
        if source not in SOURCES:
            raise RequestError(f"source is {source!r}: write one of {', '.join(SOURCES)}")
        return cls(start, end, regions, stations, reason, source)

    def plan(
        self,
        start: Offsets,
        end: Offsets,
        first: Offsets,
        last: Offsets,
        raw: Mapping[int, RawRange] | None = None,
        units: Iterable[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """The plan of replaying `start` to `end` of a topic that holds `first` to `last`; as JSON can hold it.

        `raw`: by partition what Raw holds of that, before `first` unless the source is Raw. `units`: rows of
        curated.ingest_units, which know the hours of observation. Raises RequestError where nothing is left to replay,
        or an offset is not of the topic.
        """
        raw = raw or {}
        for name, offsets in (("start", start), ("end", end)):
            unknown = sorted(offsets.keys() - last.keys())
            if unknown:
                raise RequestError(f"{name} names partition {unknown[0]}, and the topic has 0 to {max(last)}")
        begin = {p: max(first[p], start.get(p, first[p])) for p in last}
        upto = {p: max(begin[p], min(last[p], end.get(p, last[p]))) for p in last}
        if self.source == RAW:
            begin = upto = {p: raw[p].end if p in raw else begin[p] for p in last}
        records = sum(upto[p] - begin[p] for p in last) + sum(held.records for held in raw.values())
        expired = {str(p): first[p] - start[p] for p in start if start[p] < first[p]}
        if not records:
            raise RequestError(f"no record is left to replay: {self._why_none(expired)}")
        told = {
            "start": {str(p): raw[p].first if p in raw else begin[p] for p in sorted(last)},
            "end": {str(p): raw[p].end if p in raw and upto[p] == begin[p] else upto[p] for p in sorted(last)},
            "regions": list(self.regions),
            "stations": list(self.stations),
        }
        if raw:
            # From there on it is the topic's.
            told["raw_until"] = {str(p): begin[p] for p in sorted(raw)}
            told["raw_hours"] = [
                min(held.first_hour for held in raw.values()),
                max(held.last_hour for held in raw.values()),
            ]
        return {
            "run_id": run_id_of(told),
            **told,
            "reason": self.reason,
            "records": records,
            "hours": _hours_touched(units, told),
            "expired": expired,
            "from_raw": sum(held.records for held in raw.values()),
            "estimated_s": 30 + records // _RECORDS_PER_S,
        }

    def _why_none(self, expired: Mapping[str, int]) -> str:
        if self.source == KAFKA:
            gone = (
                "what was asked for has expired from the topic" if expired else "the topic holds nothing of the range"
            )
            return f"{gone}: with source auto, Raw is asked too"
        return "neither the topic nor Raw holds what was asked for" if expired else "the range is empty"


def _hours_touched(units: Iterable[Mapping[str, Any]], told: Mapping[str, Any]) -> int:
    """How many hours of observation the curated units have touched whose offsets lie in a plan's range."""
    touched = set()
    for unit in units:
        held = json.loads(unit["offsets"])
        if any(first < told["end"].get(p, 0) and end > told["start"][p] for p, (first, end) in held.items()):
            touched.update(unit["touched_hours"])
    return len(touched)


def _edge(name: str, params: Mapping[str, Any]) -> Edge:
    """A time with a zone, or offsets by partition as JSON; one of them is given."""
    by_offsets = f"{name}_offsets"
    time, offsets = (str(params.get(each) or "").strip() for each in (name, by_offsets))
    if time and offsets:
        raise RequestError(f"{name} {time!r} and {by_offsets} {offsets!r} are both given: leave one of them empty")
    if offsets:
        return _offsets(by_offsets, offsets)
    moment = moment_of(time)
    if moment is None:
        raise RequestError(
            f"{name} {time!r} is no time with a zone: write it like 2024-05-01T12:00:00Z, or offsets in {by_offsets}"
        )
    return moment


def _offsets(name: str, told: str) -> Offsets:
    try:
        found = json.loads(told)
    except ValueError:
        raise RequestError(f'{name} {told!r} is no JSON: write offsets like {{"0": 120}}') from None
    if not isinstance(found, dict):
        raise RequestError(f'{name} {told!r} is no object: write offsets like {{"0": 120}}')
    for partition, offset in found.items():
        if not partition.isdigit() or type(offset) is not int or offset < 0:
            raise RequestError(f'{name} has {partition!r}: {offset!r}: write offsets like {{"0": 120}}')
    return {int(partition): offset for partition, offset in found.items()}


def _check_times(start: datetime, end: datetime, now: datetime) -> None:
    if end <= start:
        raise RequestError(f"end {end:%Y-%m-%dT%H:%M:%SZ} must lie after start {start:%Y-%m-%dT%H:%M:%SZ}")
    if end - start > LONGEST:
        raise RequestError(f"from start to end are {(end - start).days} days: at most {LONGEST.days} are allowed")
    if start > now:
        raise RequestError(f"start {start:%Y-%m-%dT%H:%M:%SZ} lies in the future: nothing was appended then")
