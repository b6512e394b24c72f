"""A seeded load: what stations send in six hours when everything happens to their records that may happen."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

Record = tuple[str, bytes]

START = datetime(2024, 5, 1, 3, tzinfo=UTC)
MINUTES = 360
# Half of the stations report every minute and measure all; the others, every ten minutes, lack some instruments.
STATIONS, SPARSE_EVERY_MIN = 24, 10
REGIONS = ("us-ca", "us-il", "us-ak")
# The share of readings to which each thing happens; several may happen to one.
REPEATED, CORRECTED, RETURNED, WITHDRAWN, LATE, UNREADABLE = 0.06, 0.04, 0.015, 0.02, 0.03, 0.02
_UNREADABLE = (b"{", b"not json", b"[]", b'{"station_id": 7}', b"", b'{"observed_at": "2024-05-01T12:00:00Z"}')


def prefix(seed: int) -> str:
    """How the ids of a seed's stations begin."""
    return f"f{seed}-"


@cache
def load(seed: int) -> tuple[Record, ...]:
    """(key, value) pairs in the order in which they are sent; a pure function of the seed.

    Exact repeats, corrections, readings that return to what they were (A, B, A), values that are withdrawn, late
    readings and records that cannot be read. Nothing happens to a station's last reading: what is latest in the end is
    then a function of Curated, which does not say whether a missing value was ever there.
    """
    drawn = random.Random(seed)
    sent = [each for number in range(STATIONS) for each in _station(drawn, seed, number)]
    # Python's sort keeps the order of what is due at once.
    return tuple((key, value) for _, key, value in sorted(sent, key=lambda each: each[0]))


def chunks(seed: int, count: int) -> list[tuple[Record, ...]]:
    """The load in as many parts of like size."""
    whole = load(seed)
    bounds = [len(whole) * n // count for n in range(count + 1)]
    return [whole[begin:end] for begin, end in pairwise(bounds)]


@lru_cache(maxsize=10_000)
def key_of(value: bytes) -> tuple[str, datetime] | None:
    """The key of the observation that a record's value is; None where it cannot be read."""
    try:
        told = json.loads(value)
        return told["station_id"], datetime.fromisoformat(told["observed_at"])
    except (ValueError, TypeError, KeyError):
        return None


def _station(drawn: random.Random, seed: int, number: int) -> Iterator[tuple[float, str, bytes]]:
    """(minute at which it is sent, key, value) of one station."""
    station, step = f"{prefix(seed)}{number:02d}", 1 if number % 2 else SPARSE_EVERY_MIN
    region, temperature_c, wind_mps = REGIONS[number % len(REGIONS)], drawn.uniform(-5, 30), drawn.uniform(5, 20)
    for minute in range(0, MINUTES + 1, step):
        temperature_c += drawn.gauss(0, 0.2)
        # Across the limits of the rules of alerts now and then.
        wind_mps = min(28.0, max(0.0, wind_mps + drawn.gauss(0, 0.4 * step**0.5)))
        reading = _reading(drawn, station, region, minute, temperature_c, wind_mps, is_whole=step == 1)
        for due, value in _fate(drawn, minute, reading):
            yield due, station, value


def _reading(
    drawn: random.Random, station: str, region: str, minute: int, temperature_c: float, wind_mps: float, is_whole: bool
) -> dict[str, Any]:
    # 58 °C is suspect and 75 °C bad.
    told = drawn.choices([temperature_c, 58.0, 75.0], [0.97, 0.02, 0.01])[0]
    reading = {
        "station_id": station,
        "region": region,
        "observed_at": (START + timedelta(minutes=minute)).isoformat(),
        "air_temperature_c": round(told, 1),
        "dew_point_c": round(temperature_c - drawn.uniform(0, 8), 1),
        "wind_speed_mps": round(wind_mps, 1),
        "wind_from_direction_deg": float(drawn.randrange(1, 361)),
    }
    if is_whole:
        reading |= {
            "wind_gust_mps": round(wind_mps * 1.4, 1),
            "air_pressure_hpa": round(drawn.gauss(990, 3), 1),
            "precipitation_mm": drawn.choice([0.0, 0.0, 0.0, 0.2]),
        }
    return reading


def _fate(drawn: random.Random, minute: int, reading: dict[str, Any]) -> Iterator[tuple[float, bytes]]:
    """When each record of a reading is sent, and its bytes."""

    def later() -> float:
        return minute + drawn.choice([0.0, 0.5, 3.0, 40.0]) if minute < MINUTES else MINUTES

    def happens(share: float) -> bool:
        return drawn.random() < share and minute < MINUTES

    due = minute + (drawn.uniform(60, 200) if happens(LATE) else 0.0)
    yield min(due, MINUTES - 1) if minute < MINUTES else MINUTES, _bytes(reading)
    if happens(REPEATED):
        yield later(), _bytes(reading)
    if happens(CORRECTED):
        yield later(), _bytes(reading | {"air_temperature_c": reading["air_temperature_c"] - 1.5})
    if happens(RETURNED):
        other, back = sorted((later(), later() + drawn.choice([0.0, 20.0])))
        yield other, _bytes(reading | {"wind_speed_mps": 0.5})
        yield back, _bytes(reading)
    if happens(WITHDRAWN):
        yield later(), _bytes({name: value for name, value in reading.items() if name != "dew_point_c"})
    if happens(UNREADABLE):
        yield later(), drawn.choice([*_UNREADABLE, _bytes(reading)[:-1]])


def _bytes(reading: dict[str, Any]) -> bytes:
    return json.dumps(reading).encode()
