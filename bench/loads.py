"""The loads of the stream: topics of simulated readings, the same in every bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weahouse.io.kafka import ensure_topic
from weahouse.sources import simulator
from weahouse.sources.network import network
from weahouse.sources.producer import send_all

if TYPE_CHECKING:
    from weahouse.settings import Settings
    from weahouse.sources.records import Record

Numbers = NDArray[np.int64]
# The first moment of the loads: a fixed one, so that every run of the bench measures the same records.
FIRST_S = 1_700_000_000
INTERVAL_S = 60
HOT_IN_TEN = 9
# Readings that are computed at once: some MB of arrays.
_CHUNK = 25_000


@dataclass(frozen=True)
class Load:
    """`name` is the measure's; reading k is of the station and at the time (epoch s) that `reading` tells."""

    name: str
    topic: str
    stations: int
    # Of the even load's measured records: the others need no more to show whether they come to half its rate.
    share: float
    reading: Callable[[Numbers, int], tuple[Numbers, Numbers]]


def even(k: Numbers, stations: int) -> tuple[Numbers, Numbers]:
    """Every station once a minute."""
    return k % stations, FIRST_S + k // stations * INTERVAL_S


def hot(k: Numbers, stations: int) -> tuple[Numbers, Numbers]:
    """Nine of ten readings are of station 0, one a second; the tenth is of the others in turn."""
    round_, within = np.divmod(k, 10)
    station = np.where(within < HOT_IN_TEN, 0, 1 + round_ % (stations - 1))
    return station, FIRST_S + round_ * HOT_IN_TEN + np.minimum(within, HOT_IN_TEN - 1)


LOADS = (
    Load("stream.whole", "bench.even", 500, 1.0, even),
    Load("stream.hot_station", "bench.hot", 500, 0.5, hot),
    Load("stream.many_stations", "bench.many", 100_000, 0.5, even),
)


def records(load: Load, count: int) -> Iterator[Record]:
    """The first readings of a load, in the order in which they are sent."""
    stations = network(seed=1, size=load.stations)
    for first in range(0, count, _CHUNK):
        station, at = load.reading(np.arange(first, min(first + _CHUNK, count)), load.stations)
        readings = simulator.measure(stations, station, at, float(INTERVAL_S))
        yield from simulator.records(stations, station, at, readings)


def preload(settings: Settings, load: Load, count: int) -> None:
    """Make the load's topic and fill it; raises RuntimeError where the broker refuses a record."""
    ensure_topic(settings)
    sender = send_all(settings, records(load, count), None, lambda _: None)
    if sender.refusals:
        raise RuntimeError(f"the broker refused {len(sender.refusals)} records: {sender.refusals[0]}")
