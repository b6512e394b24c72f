"""The shipped file in plain SQL: what a day's high, low and mean are, told without the platform's functions."""

from __future__ import annotations

import csv
import gzip
import sqlite3
from typing import TYPE_CHECKING

from weahouse.qc.masks import BAD
from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame

FILE = ROOT / "data" / "isd-hourly-us5-2008-2014.csv.gz"
COLUMNS = ("station", "year", "month", "day", "hour", "t", "dew", "p", "d", "v", "sky", "rain_1h", "rain_6h")
# What the source writes for missing is told in docs/sources.md.
_SQL = """
WITH reports AS (SELECT DISTINCT * FROM lines),
told AS (
    SELECT
        station,
        year || '-' || month || '-' || day AS day,
        year || '-' || month || '-' || day || 'T' || hour AS at,
        CASE WHEN NOT (t = 0 AND (dew = 999.9 OR dew > 0)) THEN t END AS air_temperature_c,
        CASE WHEN dew <> 999.9 THEN dew END AS dew_point_c,
        CASE WHEN p <> 0 THEN p END AS air_pressure_at_sea_level_hpa,
        CASE WHEN v <> 0 OR (d = 0 AND NOT (t = 0 AND dew = 999.9)) THEN v END AS wind_speed_mps,
        CASE WHEN rain_1h < 0 THEN 0 ELSE rain_1h * 10 END AS precipitation_mm
    FROM reports
)
SELECT station, day, count(value), min(value), max(value), avg(value)
FROM (SELECT station, day, at, {variable} AS value FROM told)
WHERE (station, at) NOT IN (SELECT station, at FROM bad WHERE variable = '{variable}')
GROUP BY station, day
"""
SUMMARISED = (
    "air_temperature_c",
    "dew_point_c",
    "air_pressure_at_sea_level_hpa",
    "wind_speed_mps",
    "precipitation_mm",
)
Line = list[str]
# Station, hour and variable of a value that is flagged bad.
Bad = tuple[str, str, str]
Day = tuple[str, str]


def lines() -> Iterator[Line]:
    """The file's lines, split; each report is in it more than once."""
    with gzip.open(FILE, "rt") as file:
        yield from csv.reader(file)


def bad_values(judged: DataFrame) -> list[Bad]:
    """Which values of rows of Curated are flagged bad."""
    rows = judged.select("station_id", "observed_at", *[flag_of(variable) for variable in VARIABLES])
    told = rows.where(" OR ".join(f"{flag_of(variable)} = {BAD}" for variable in VARIABLES)).collect()
    return [
        (row["station_id"], f"{row['observed_at']:%Y-%m-%dT%H}", variable)
        for row in told
        for variable in VARIABLES
        if row[flag_of(variable)] == BAD
    ]


def database(given: Iterable[Line], bad: Iterable[Bad]) -> sqlite3.Connection:
    """Lines of the file and the values that count for nothing, as tables `lines` and `bad`."""
    found = sqlite3.connect(":memory:")
    columns = [f"{name} TEXT" for name in COLUMNS[:5]] + [f"{name} REAL" for name in COLUMNS[5:]]
    found.execute(f"CREATE TABLE lines ({', '.join(columns)})")
    found.executemany(f"INSERT INTO lines VALUES ({', '.join('?' * len(COLUMNS))})", given)
    found.execute("CREATE TABLE bad (station TEXT, at TEXT, variable TEXT)")
    found.executemany("INSERT INTO bad VALUES (?, ?, ?)", bad)
    return found


def days(found: sqlite3.Connection, variable: str) -> dict[Day, tuple[float | None, ...]]:
    """By station and day: how many values there are, the least, the greatest and the mean."""
    return {(station, day): told for station, day, *told in found.execute(_SQL.format(variable=variable))}
