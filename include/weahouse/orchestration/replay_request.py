"""What a person asks of a replay, checked before anything is done, and what becomes a plan of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.orchestration.requests import moment_of, run_id_of
from weahouse.schemas.fields import STATION_ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weahouse.orchestration.raw_records import RawRange

Offsets = dict[int, int]
Edge = datetime | Offsets
# Where records are read from: with `auto` from the topic, and what has expired from it from Raw.
AUTO, KAFKA, RAW = SOURCES = ("auto", "kafka", "raw")

# Longer than any retention of a topic that this is for; a year that was mistyped is caught by it.
LONGEST = timedelta(days=366)
# What a run is known to take in, on two cores beside the live stream.
_RECORDS_PER_S = 5_000


class ReplayRequestError(ValueError):
    """A request that cannot be meant; one sentence that says what to do."""


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
        """From the parameters of a run; raises ReplayRequestError."""
        start, end = (_edge(name, params[name]) for name in ("start", "end"))
        if isinstance(start, datetime) and isinstance(end, datetime):
            _check_times(start, end, now)
        names = {name: tuple(sorted(set(params[name] or ()))) for name in ("regions", "stations")}
        for name, given in names.items():
            for each in given:
                if not re.fullmatch(STATION_ID_PATTERN, each):
                    raise ReplayRequestError(f"{name} has {each!r}: 1 to 64 of A-Z a-z 0-9 . _ : - are allowed")
        reason = str(params["reason"] or "").strip()
        if not reason and not params["dry_run"]:
            raise ReplayRequestError("reason is empty: say in a few words why this is replayed")
        source = params.get("source") or AUTO
        if source not in SOURCES:
            raise ReplayRequestError(f"source is {source!r}: write one of {', '.join(SOURCES)}")
        return cls(start, end, names["regions"], names["stations"], reason, source)

    def plan(
        self, start: Offsets, end: Offsets, first: Offsets, last: Offsets, raw: Mapping[int, RawRange] | None = None
    ) -> dict[str, Any]:
        """The plan of replaying `start` to `end` of a topic that holds `first` to `last`; as JSON can hold it.

        `raw`: by partition what Raw holds of that, before `first` unless the source is Raw. Raises ReplayRequestError
        where nothing is left to replay, or an offset is not of the topic.
        """
        raw = raw or {}
        for name, offsets in (("start", start), ("end", end)):
            unknown = sorted(offsets.keys() - last.keys())
            if unknown:
                raise ReplayRequestError(f"{name} names partition {unknown[0]}, and the topic has 0 to {max(last)}")
        begin = {p: max(first[p], start.get(p, first[p])) for p in last}
        upto = {p: max(begin[p], min(last[p], end.get(p, last[p]))) for p in last}
        if self.source == RAW:
            begin = upto = {p: raw[p].end if p in raw else begin[p] for p in last}
        records = sum(upto[p] - begin[p] for p in last) + sum(held.records for held in raw.values())
        expired = {str(p): first[p] - start[p] for p in start if start[p] < first[p]}
        if not records:
            raise ReplayRequestError(f"no record is left to replay: {self._why_none(expired)}")
        told = {
            "start": {str(p): raw[p].first if p in raw else begin[p] for p in sorted(last)},
            "end": {str(p): raw[p].end if p in raw and upto[p] == begin[p] else upto[p] for p in sorted(last)},
            "regions": list(self.regions),
            "stations": list(self.stations),
            "reason": self.reason,
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
            "records": records,
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


def _edge(name: str, text: Any) -> Edge:
    """A time with a zone, or offsets by partition as JSON."""
    told = str(text or "").strip()
    if told.startswith("{"):
        return _offsets(name, told)
    moment = moment_of(told)
    if moment is None:
        raise ReplayRequestError(
            f'{name} {told!r} is neither a time with a zone, like 2024-05-01T12:00:00Z, nor offsets, like {{"0": 120}}'
        )
    return moment


def _offsets(name: str, told: str) -> Offsets:
    try:
        found = json.loads(told)
    except ValueError:
        raise ReplayRequestError(f'{name} {told!r} is no JSON: write offsets like {{"0": 120}}') from None
    for partition, offset in found.items():
        if not partition.isdigit() or type(offset) is not int or offset < 0:
            raise ReplayRequestError(f'{name} has {partition!r}: {offset!r}: write offsets like {{"0": 120}}')
    return {int(partition): offset for partition, offset in found.items()}


def _check_times(start: datetime, end: datetime, now: datetime) -> None:
    if end <= start:
        raise ReplayRequestError(f"end {end:%Y-%m-%dT%H:%M:%SZ} must lie after start {start:%Y-%m-%dT%H:%M:%SZ}")
    if end - start > LONGEST:
        raise ReplayRequestError(f"from start to end are {(end - start).days} days: at most {LONGEST.days} are allowed")
    if start > now:
        raise ReplayRequestError(f"start {start:%Y-%m-%dT%H:%M:%SZ} lies in the future: nothing was appended then")
