"""The simulated network in real time: each reading leaves when its moment comes."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from weahouse.sources import simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from fractions import Fraction

    from numpy.typing import NDArray

    from weahouse.sources.faults import Event, Fault, Faults
    from weahouse.sources.network import Network
    from weahouse.sources.records import Record

# The largest part that is computed at once: a quarter of a second at the highest rate, a few MB of arrays.
CHUNK = 5_000


@dataclass(frozen=True)
class Schedule:
    """`rate` readings a second, dealt to the stations in turn, so that they are spread over the interval.

    Reading k is due at k / rate in epoch seconds, whenever the process was started.
    """

    network: Network
    rate: Fraction

    def __post_init__(self) -> None:
        if not 0 < self.rate <= len(self.network):
            raise ValueError(
                f"{float(self.rate):g} readings/s from {len(self.network)} stations: observations are dated by the"
                " second, so the rate must be above 0 and at most one a second and station"
            )

    @property
    def interval_s(self) -> float:
        """Seconds between two reports of one station."""
        return float(len(self.network) / self.rate)

    def first_from(self, moment: float) -> int:
        """The number of the first reading at or after a moment."""
        return int(np.ceil(moment * float(self.rate)))

    def readings(self, first: int, beyond: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Stations (by number), whole seconds of observation and exact due times of the readings [first, beyond)."""
        number = np.arange(first, beyond, dtype=np.int64)
        # In whole numbers: a rounded quotient could date two reports of one station to the same second.
        at = number * self.rate.denominator // self.rate.numerator
        return number % len(self.network), at, number / float(self.rate)


class SimulatedSource:
    """The readings of a schedule as their time comes, spoilt by `faults` if there are any."""

    def __init__(
        self, schedule: Schedule, start: float, faults: Faults | None = None, told: Callable[[Fault], None] = print
    ) -> None:
        self._schedule, self._faults, self._told = schedule, faults, told
        self._next = schedule.first_from(start)
        # Records that a fault holds back: (when they leave, a number that settles ties, the record).
        self._held: list[tuple[float, int, Record]] = []
        self._ties = 0

    def due(self, now: float) -> Iterator[Record]:
        """What is to leave by `now`, at most a chunk."""
        beyond = min(self._schedule.first_from(now), self._next + CHUNK)
        if beyond > self._next:
            yield from self._made(*self._schedule.readings(self._next, beyond))
            self._next = beyond
        while self._held and self._held[0][0] <= now:
            yield heapq.heappop(self._held)[2]

    def rest(self) -> Iterator[Record]:
        """What is still held back, in its order: the last to leave when the run ends."""
        while self._held:
            yield heapq.heappop(self._held)[2]

    def _made(self, station: NDArray[np.int64], at: NDArray[np.int64], due: NDArray[np.float64]) -> Iterator[Record]:
        network, interval = self._schedule.network, self._schedule.interval_s
        records = simulator.records(network, station, at, simulator.measure(network, station, at, interval))
        if self._faults is None:
            yield from records
            return
        for (outgoing, fault), moment in zip(self._faults.apply(station, at, records), due.tolist(), strict=True):
            if fault is not None:
                self._told(fault)
            for record, delay in outgoing:
                if delay == 0.0:
                    yield record
                else:
                    self._ties += 1
                    heapq.heappush(self._held, (moment + delay, self._ties, record))


def reading_of(network: Network, interval_s: float) -> Callable[[int, int], Event]:
    """What a station (by number) reports at a time, as the event it would send."""

    def reading(number: int, at: int) -> Event:
        station, moment = np.array([number]), np.array([at])
        made = simulator.records(network, station, moment, simulator.measure(network, station, moment, interval_s))
        event: Event = json.loads(next(made).value)
        return event

    return reading
