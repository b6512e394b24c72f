"""SURFRAD: one station and day of NOAA's radiation network, a line per minute.

The first line is the station's name, the second its latitude, its longitude **positive west** and its elevation.
Each line then holds year, day of year, month, day, hour, minute, decimal hour, solar zenith, and pairs of a value and
its flag; the last five pairs are air temperature (degC), relative humidity (%), wind speed (m/s), wind direction
(degree) and station pressure (hPa). -9999.9 is missing. The network's flags are not carried over: values are judged
here by the same rules as everybody's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING

from weahouse.sources.lines import SourceError, numbered_lines
from weahouse.sources.records import UNKNOWN_REGION, Record, Records, Refused, render
from weahouse.sources.stations import Station

if TYPE_CHECKING:
    from pathlib import Path

_MISSING = -9999.0
_CLOCK = 8
VARIABLES = (
    "air_temperature_c",
    "relative_humidity_pct",
    "wind_speed_mps",
    "wind_from_direction_deg",
    "air_pressure_hpa",
)

# The network has seven stations and its files name no state.
_REGIONS = {
    "alamosa": "us-co",
    "bondville": "us-il",
    "boulder": "us-co",
    "desert_rock": "us-nv",
    "fort_peck": "us-mt",
    "goodwin_creek": "us-ms",
    "penn_state": "us-pa",
    "sioux_falls": "us-sd",
}


def read(path: Path) -> Records:
    """The file's minutes in its own order; raises SourceError for a file without the network's header."""
    station = station_of(path)
    for number, line in numbered_lines(path):
        if number <= 2 or not line.strip():
            continue
        try:
            yield _record(station, line.split())
        except ValueError:
            yield Refused(number, "not a clock and pairs of numbers")


def station_of(path: Path) -> Station:
    """The station that the two header lines describe; raises SourceError when they do not."""
    header = [line.decode("ascii", errors="replace").strip() for _, line in islice(numbered_lines(path), 2)]
    try:
        name, place = header
        latitude, longitude_west, elevation = (float(text) for text in place.split()[:3])
    except ValueError:
        raise SourceError(f"{path} does not begin with SURFRAD's two header lines") from None
    word = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    region = _REGIONS.get(word, UNKNOWN_REGION)
    country, _, state = region.upper().partition("-") if word in _REGIONS else ("", "", "")
    return Station(
        station_id=f"surfrad:{word}",
        region=region,
        station_name=name,
        country=country or None,
        state=state or None,
        call_sign=None,
        latitude_deg=latitude,
        longitude_deg=-longitude_west,
        elevation_m=elevation,
        registry="surfrad",
    )


def _record(station: Station, columns: list[bytes]) -> Record:
    if len(columns) < _CLOCK + 2 * len(VARIABLES):
        raise ValueError(columns)
    year, _, month, day, hour, minute = (int(text) for text in columns[:6])
    at = int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())
    values = {name: float(text) for name, text in zip(VARIABLES, columns[-2 * len(VARIABLES) :: 2], strict=True)}
    if not all(isfinite(value) for value in values.values()):
        raise ValueError(columns)
    present = {name: value for name, value in values.items() if value > _MISSING}
    # In a calm the vane keeps the direction of the last wind, and a north wind may be written 0; ours are 0 and 360.
    if present.get("wind_speed_mps") == 0:
        present["wind_from_direction_deg"] = 0.0
    elif present.get("wind_from_direction_deg") == 0:
        present["wind_from_direction_deg"] = 360.0
    return Record(at, station["station_id"].encode(), render(station["station_id"], station["region"], at, present))
