"""NDJSON: one event of the contract a line, sent verbatim.

A line that breaks the contract is sent too: what cannot be read is for the platform to quarantine, with its reason.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.schemas.fields import EARLIEST_YEAR
from weahouse.sources.lines import numbered_lines
from weahouse.sources.records import Record, Records, Refused, is_name

if TYPE_CHECKING:
    from pathlib import Path

# Outside these years a time is a mistake of its line, and pacing by it would wait for ever.
_FIRST = int(datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC).timestamp())
_LAST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


def read(path: Path) -> Records:
    """The file's lines in its own order, keyed by station_id where there is one; empty lines are refused.

    A line without a readable time keeps its place: it takes the time of the line before.
    """
    at = _FIRST
    for number, line in numbered_lines(path):
        if not line.strip():
            yield Refused(number, "empty line")
            continue
        event = _event(line)
        at = _time(event.get("observed_at"), otherwise=at)
        station_id = event.get("station_id")
        yield Record(at, station_id.encode() if is_name(station_id) else None, line)


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    # RecursionError: a line may nest deeper than the parser can follow.
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _time(text: object, otherwise: int) -> int:
    if not isinstance(text, str):
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
        at = int(moment.timestamp())
    except (ValueError, OverflowError):
        return otherwise
    return at if moment.tzinfo is not None and _FIRST <= at < _LAST else otherwise
