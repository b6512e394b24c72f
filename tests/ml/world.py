"""Hours of Gold as models read them, and a world in which it is known what can be forecast."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from weahouse.schemas.fields import LEVELS
from weahouse.schemas.gold import GOLD_HOURLY_SUMMARIES
from weahouse.schemas.render import to_spark

MIDNIGHT = datetime(2024, 5, 1, tzinfo=UTC)
STATIONS = ("a", "b")
DAYS = 60
_VARIABLES = (*LEVELS, "air_pressure_hpa", "wind_from_direction_deg", "precipitation_mm")

Values = Mapping[str, float | None]


def at(hours: float) -> datetime:
    """So many hours after the first midnight."""
    return MIDNIGHT + timedelta(hours=hours)


def hour(station: str, begin: datetime, suspect: Iterable[str] = (), **values: float | None) -> dict[str, Any]:
    """The summary of an hour from its means, of rain from its sum; `suspect` variables have a suspect value in it."""
    row: dict[str, Any] = {"station_id": station, "window_start": begin, "observed_date": begin.date()}
    row |= {"region": "us-ca", "report_count": 2}
    for variable in _VARIABLES:
        value = values.get(variable)
        row |= {
            f"{variable}_count": 0 if value is None else 2,
            f"{variable}_suspect_count": int(variable in set(suspect)),
            f"{variable}_mean": value,
        }
    row["precipitation_mm_sum"] = values.get("precipitation_mm")
    row["resultant_wind_speed_mps"] = values.get("wind_speed_mps")
    row["resultant_wind_from_direction_deg"] = values.get("wind_from_direction_deg")
    return row


def hourly(spark: SparkSession, rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """The rows in the table's own schema; what no model reads is null."""
    told = [tuple(row.get(name) for name in GOLD_HOURLY_SUMMARIES.columns) for row in rows]
    return spark.createDataFrame(told, to_spark(GOLD_HOURLY_SUMMARIES))


def places(spark: SparkSession, **of: tuple[float, float]) -> DataFrame:
    """Stations by id with latitude and longitude in degrees."""
    rows = [(station, *place) for station, place in of.items()]
    return spark.createDataFrame(rows, "station_id string, latitude_deg double, longitude_deg double")


def world(days: int = DAYS, begin: datetime = MIDNIGHT) -> list[dict[str, Any]]:
    """Hours of two stations with a daily cycle of 8 degrees on weather that changes over days.

    Within an hour little changes, so that persistence is good and climatology poor; within six the sun decides. It
    rains where pressure is low, and pressure moves within a day, so that rain announces itself.
    """
    return [row for number, station in enumerate(STATIONS) for row in _station(station, number, days, begin)]


def _station(station: str, number: int, days: int, begin: datetime) -> Iterable[dict[str, Any]]:
    chance = random.Random(number)
    warmth = low = 0.0
    for n in range(days * 24):
        # Half of an anomaly is left after three days; its size is some 4 degrees.
        warmth = 0.99 * warmth + chance.gauss(0, 0.55)
        low = 0.95 * low + chance.gauss(0, 1.6)
        temperature_c = 15 + 8 * math.sin(2 * math.pi * (n % 24 - 9) / 24) + warmth
        yield hour(
            station,
            begin + timedelta(hours=n),
            air_temperature_c=temperature_c,
            dew_point_c=temperature_c - 5,
            air_pressure_at_sea_level_hpa=1013 + low,
            wind_speed_mps=3.0,
            wind_from_direction_deg=270.0,
            precipitation_mm=0.5 if low < -4 else 0.0,
        )
