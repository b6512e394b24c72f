"""The ISD station list, and the region of a station."""

from __future__ import annotations

import csv
import re
from functools import cache
from typing import TYPE_CHECKING, TypedDict

from weahouse.settings import ROOT
from weahouse.sources.lines import numbered_lines
from weahouse.sources.records import UNKNOWN_REGION, Refused, is_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ISD_STATIONS = ROOT / "data" / "isd-stations.csv.gz"
_COLUMNS = 8


class Station(TypedDict):
    """A row of `gold.stations`; degrees and metres, None where unknown."""

    station_id: str
    region: str
    station_name: str | None
    country: str | None
    state: str | None
    call_sign: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    elevation_m: float | None
    registry: str


def region_of(country: str, state: str) -> str:
    """`us-ca` for US and CA, `no` for NO without a state, `unknown` without a country."""
    words = [re.sub(r"[^a-z0-9._:\-]", "", word.lower()) for word in (country, state)]
    return "-".join(word for word in words if word) if words[0] else UNKNOWN_REGION


def read_stations(path: Path = ISD_STATIONS) -> Iterator[Station | Refused]:
    """The rows of an ISD list: id, name, country, state, call sign, latitude, longitude, elevation (m).

    Latitude, longitude and elevation all 0 mean unknown: no weather station stands in the Gulf of Guinea at sea level.
    A station listed twice is yielded twice; the later row is the one to keep.
    """
    for number, line in numbered_lines(path):
        if line:
            yield _station(number, line)


def _station(number: int, line: bytes) -> Station | Refused:
    try:
        row = next(csv.reader([line.decode("utf-8", errors="replace")], strict=True))
        if len(row) != _COLUMNS:
            return Refused(number, f"{len(row)} columns instead of {_COLUMNS}")
        station_id, name, country, state, call_sign, *where = (text.strip() for text in row)
        latitude, longitude, elevation = (float(text) for text in where)
    except (csv.Error, ValueError) as error:
        return Refused(number, str(error))
    if not is_name(station_id):
        return Refused(number, f"{station_id!r} is not a station id")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and abs(elevation) < 9000):
        return Refused(number, f"{latitude}, {longitude}, {elevation} m is no place on Earth")
    known = (latitude, longitude, elevation) != (0.0, 0.0, 0.0)
    return Station(
        station_id=station_id,
        region=region_of(country, state),
        station_name=name or None,
        country=country or None,
        state=state or None,
        call_sign=call_sign or None,
        latitude_deg=latitude if known else None,
        longitude_deg=longitude if known else None,
        elevation_m=elevation if known else None,
        registry="isd",
    )


@cache
def isd_regions() -> dict[str, str]:
    """Region by station id, of the list that ships with the product."""
    stations = (row for row in read_stations() if not isinstance(row, Refused))
    return {station["station_id"]: station["region"] for station in stations}
