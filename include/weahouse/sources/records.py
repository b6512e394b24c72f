"""What a source hands to the producer, and how an observation becomes bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, TypeGuard

from weahouse.schemas.fields import STATION_ID_PATTERN

UNKNOWN_REGION = "unknown"
_STATION_ID = re.compile(STATION_ID_PATTERN)
_HEAD = b'{"observed_at":"'
_STAMP_LENGTH = len("2014-06-12T05:00:00Z")


class Record(NamedTuple):
    """One Kafka record to send. `at` orders and paces it: the observation's time in epoch seconds, UTC."""

    at: int
    key: bytes | None
    value: bytes


class Refused(NamedTuple):
    """A line that the source could not read, and why; `line` counts from 1."""

    line: int
    reason: str


Records = Iterator[Record | Refused]


def is_name(text: object) -> TypeGuard[str]:
    """Whether a text may be a station id or a region."""
    return isinstance(text, str) and _STATION_ID.fullmatch(text) is not None


# An hourly file asks for each hour once per station; 65,536 hours are seven years of them.
@lru_cache(maxsize=65_536)
def rfc3339(at: int) -> str:
    """Epoch seconds as `2014-06-12T05:00:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Sensors report tenths: some thousands of texts cover a file of any length.
@lru_cache(maxsize=65_536)
def _number(value: float) -> str:
    return repr(value)


def render(station_id: str, region: str, at: int, measurements: Mapping[str, float]) -> bytes:
    """An event of the contract as JSON; the names must be valid, the measurements finite and present.

    The time stands first and has a fixed length, so that `redated` can splice another one in without parsing.
    """
    members = "".join([f',"{variable}":{_number(value)}' for variable, value in measurements.items()])
    return f'{{"observed_at":"{rfc3339(at)}","station_id":"{station_id}","region":"{region}"{members}}}'.encode()


def redated(record: Record, at: int) -> Record:
    """The same reading at another time; raises ValueError for a record that `render` did not write."""
    if not record.value.startswith(_HEAD):
        raise ValueError("only an event that an adapter rendered can be dated anew")
    rest = record.value[len(_HEAD) + _STAMP_LENGTH :]
    return Record(at, record.key, _HEAD + rfc3339(at).encode() + rest)
