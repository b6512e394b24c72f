"""Pairs of neighbours are those of the great circle, anywhere on the globe."""

from __future__ import annotations

from math import acos, cos, radians, sin
from random import Random

from pyspark.sql import SparkSession
from tests.qc.series import stations_table

from weahouse.qc.neighbours import EARTH_KM, pairs
from weahouse.qc.rules import load_rules

RADIUS_KM = 50.0


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    latitude, there, east = radians(one[0]), radians(other[0]), radians(other[1] - one[1])
    cosine = sin(latitude) * sin(there) + cos(latitude) * cos(there) * cos(east)
    return EARTH_KM * acos(max(-1.0, min(1.0, cosine)))


def places() -> dict[str, tuple[float, float]]:
    """Stations in patches of a degree: in the middle of nowhere, at the date line, and around a pole."""
    random, found = Random(7), {}
    for patch, (latitude, longitude) in enumerate([(40.0, -100.0), (-17.0, 180.0), (89.6, 0.0)]):
        for number in range(40):
            east = random.uniform(-180, 180) if latitude > 80 else longitude + random.uniform(-0.5, 0.5)
            found[f"p{patch}-{number}"] = (latitude + random.uniform(-0.4, 0.4), (east + 180) % 360 - 180)
    return found


def test_neighbours_are_all_stations_within_the_radius(spark: SparkSession):
    stations = places()
    rows = [
        {"station_id": name, "region": "x", "registry": "isd", "latitude_deg": place[0], "longitude_deg": place[1]}
        | {"elevation_m": 10.0 * number}
        for number, (name, place) in enumerate(stations.items())
    ]
    unplaced = [
        rows[0] | {"station_id": "nowhere", "latitude_deg": None},
        rows[0] | {"station_id": "anyhow high", "elevation_m": None},
    ]
    found = pairs(stations_table(spark, [*rows, *unplaced]), load_rules()).collect()
    expected = {
        (one, other): distance_km(stations[one], stations[other])
        for one in stations
        for other in stations
        if one != other and distance_km(stations[one], stations[other]) <= RADIUS_KM
    }
    assert len(found) == len({(row["station_id"], row["neighbour_id"]) for row in found})
    told = {(row["station_id"], row["neighbour_id"]): row["distance_km"] for row in found}
    assert told.keys() == expected.keys()
    assert len(told) > 200
    assert max(abs(told[pair] - expected[pair]) for pair in told) < 1e-3
    assert all(row["rise_m"] == 10.0 * (_number(row["neighbour_id"]) - _number(row["station_id"])) for row in found)


def _number(name: str) -> int:
    return list(places()).index(name)
