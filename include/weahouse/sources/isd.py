"""isd-hourly: NOAA's Integrated Surface Database as a CSV without header, one line per station and hour.

station id, year, month, day, hour (UTC), air temperature (degC), dew point (degC), sea-level pressure (hPa), wind
direction (degree), wind speed (m/s), sky condition, precipitation of 1 h and of 6 h (cm). What the source writes for
"missing" is told in `measurements`; the evidence, counted in the data, stands in docs/sources.md.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite, nan
from typing import TYPE_CHECKING

from weahouse.sources.lines import numbered_lines
from weahouse.sources.records import UNKNOWN_REGION, Record, Records, Refused, is_name, render
from weahouse.sources.stations import isd_regions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_COLUMNS = 13
_DEW_POINT_MISSING = 999.9
_TRACE_OF_RAIN = -0.1
_MM_PER_CM = 10
_HOURS = frozenset(form % hour for hour in range(24) for form in ("%d", "%02d"))


def read(path: Path, regions: Mapping[str, str] | None = None) -> Records:
    """The file's reports in its own order; a station that `regions` (default: the shipped list) lacks is `unknown`."""
    regions = isd_regions() if regions is None else regions
    for number, line in numbered_lines(path):
        try:
            yield _record(line.decode("ascii", errors="replace"), regions)
        except ValueError as error:
            yield Refused(number, str(error))


# Reasons name no values: they are counted, and a wrong file would have as many of them as lines.
def _record(line: str, regions: Mapping[str, str]) -> Record:
    columns = line.split(",")
    if len(columns) != _COLUMNS:
        raise ValueError(f"{len(columns)} columns instead of {_COLUMNS}")
    station_id, year, month, day, hour = columns[:5]
    region = regions.get(station_id, UNKNOWN_REGION)
    if region is UNKNOWN_REGION and not is_name(station_id):
        raise ValueError("the first column is not a station id")
    at = _midnight(year, month, day) + _hour(hour)
    values = measurements(*[_finite(text) for text in (*columns[5:10], columns[11])])
    return Record(at, station_id.encode(), render(station_id, region, at, values))


def measurements(
    temperature: float, dew_point: float, pressure: float, direction: float, speed: float, rain_cm: float
) -> dict[str, float]:
    """The columns of a report as measurements of the contract; what is missing is left out.

    A missing dew point is 999.9; every other missing value was written as 0, so a zero is judged by its company.
    """
    values: dict[str, float] = {}
    no_dew_point = dew_point == _DEW_POINT_MISSING
    # A dew point cannot exceed the temperature: 0.0 beside 19.4 is a hole, 0.0 beside -3.3 is a frosty hour.
    no_temperature = temperature == 0 and (no_dew_point or dew_point > 0)
    # A report without temperature and dew point shows no wind at all 99.8 times in 100, others 11.5 times: a hole too.
    no_wind = speed == 0 and (direction != 0 or (no_temperature and no_dew_point))
    if not no_temperature:
        values["air_temperature_c"] = temperature
    if not no_dew_point:
        values["dew_point_c"] = dew_point
    if pressure != 0:
        values["air_pressure_at_sea_level_hpa"] = pressure
    if not no_wind:
        values["wind_speed_mps"] = speed
    # North is written 360: 0 is right for a calm only.
    if direction != 0 or (speed == 0 and not no_wind):
        values["wind_from_direction_deg"] = direction
    values["precipitation_mm"] = 0.0 if rain_cm == _TRACE_OF_RAIN else round(rain_cm * _MM_PER_CM, 1)
    return values


@lru_cache(maxsize=4096)
def _midnight(year: str, month: str, day: str) -> int:
    try:
        return int(datetime(int(year), int(month), int(day), tzinfo=UTC).timestamp())
    except ValueError:
        raise ValueError("columns 2 to 4 are no date") from None


def _hour(text: str) -> int:
    if text not in _HOURS:
        raise ValueError("column 5 is not an hour from 0 to 23")
    return int(text) * 3600


@lru_cache(maxsize=16_384)
def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise ValueError("a value is not a finite number")
    return value
