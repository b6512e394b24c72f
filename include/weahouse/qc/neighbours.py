"""Which stations are neighbours, and how far apart they stand."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.columns import number, threshold
from weahouse.qc.masks import SMOOTH

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules

# Mean radius of the earth (IUGG).
EARTH_KM = 6371.009
_AXES = ("x_cell", "y_cell", "z_cell")


def pairs(stations: DataFrame, rules: Rules) -> DataFrame:
    """Each station with each of its neighbours, in both directions, as far as any test of the station looks.

    Reads rows of gold.stations; a station of which coordinates or elevation are unknown has no neighbours and is none.
    Shape: station_id, region, elevation_m, neighbour_id, distance_km, rise_m (how much higher the neighbour stands).
    """
    placed = stations.where(
        "latitude_deg IS NOT NULL AND longitude_deg IS NOT NULL AND elevation_m IS NOT NULL"
    ).select("station_id", "region", "latitude_deg", "longitude_deg", "elevation_m")
    # Stations are put into cubes as wide as the farthest look: neighbours stand in one cube or in two that touch. Cubes
    # know neither poles nor a date line, and a chord is never longer than the way over ground.
    cells = placed.withColumns(dict(zip(_AXES, _cells(_farthest_km(rules)), strict=True)))
    asked = cells
    for axis in _AXES:
        near = F.explode(F.sequence(F.col(axis) - 1, F.col(axis) + 1))
        asked = asked.withColumn(axis, near)
    there = cells.select(
        *_AXES,
        F.col("station_id").alias("neighbour_id"),
        F.col("latitude_deg").alias("neighbour_latitude_deg"),
        F.col("longitude_deg").alias("neighbour_longitude_deg"),
        F.col("elevation_m").alias("neighbour_elevation_m"),
    )
    found = asked.join(there, list(_AXES)).where(F.col("station_id") != F.col("neighbour_id"))
    return (
        found.withColumn("distance_km", _distance_km())
        .where(F.col("distance_km") <= _radius_km(rules))
        .select(
            "station_id",
            "region",
            "elevation_m",
            "neighbour_id",
            "distance_km",
            (F.col("neighbour_elevation_m") - F.col("elevation_m")).alias("rise_m"),
        )
    )


def _radius_km(rules: Rules) -> Column:
    """How far any test of a station looks."""
    radii = [threshold(rules, f"buddy.{variable}", lambda buddy: F.lit(buddy.radius_km)) for variable in SMOOTH]
    return F.greatest(number(rules, "shared_radius_km"), *radii)


def _farthest_km(rules: Rules) -> float:
    """How far any test of any station looks."""
    everywhere = (rules.defaults, *rules.regions.values(), *rules.stations.values())
    named = list(chain.from_iterable(thresholds.items() for thresholds in everywhere))
    radii = [buddy.radius_km for name, buddy in named if name.startswith("buddy.")]
    return float(max([*radii, *[radius for name, radius in named if name == "shared_radius_km"]]))


def _cells(size_km: float) -> tuple[Column, ...]:
    latitude, longitude = F.radians("latitude_deg"), F.radians("longitude_deg")
    axes = (F.cos(latitude) * F.cos(longitude), F.cos(latitude) * F.sin(longitude), F.sin(latitude))
    return tuple(F.floor(axis * (EARTH_KM / size_km)) for axis in axes)


def _distance_km() -> Column:
    """The great circle between two stations (haversine)."""
    latitude, other = F.radians("latitude_deg"), F.radians("neighbour_latitude_deg")
    east = F.radians(F.col("neighbour_longitude_deg") - F.col("longitude_deg"))
    square = F.sin((other - latitude) / 2) ** 2 + F.cos(latitude) * F.cos(other) * F.sin(east / 2) ** 2
    # Rounding may carry the square of antipodes beyond 1, where there is no arc.
    return 2 * EARTH_KM * F.asin(F.least(F.lit(1.0), F.sqrt(square)))
