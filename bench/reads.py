"""The reads of the live view, through the functions that the command and the page ask, in one process that is warm."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from bench.results import Sample, percentile
from weahouse.serving.history import history
from weahouse.serving.latest import latest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from weahouse.settings import Settings

Read = Callable[[], list[object]]

# The third slowest of them is p99: fewer would make it the slowest.
READS = 300
_WARM_UP = 50
MINUTES_OF_A_DAY = 1440


def day_reader(settings: Settings, stations: Sequence[str], start: datetime, length: timedelta) -> Read:
    """Reads one station after the other, so that no partition is read twice in a row."""
    turns = count()

    def read() -> list[object]:
        return list(history(settings, stations[next(turns) % len(stations)], start, start + length))

    return read


def latest_reader(settings: Settings, region: str) -> Read:
    return lambda: list(latest(settings, region))


def timed(read: Read, rows: int, pause_s: float = 0.0) -> list[float]:
    """Milliseconds of READS reads, each of which must give so many rows, with a pause after each.

    Under load they are spread over some of the stream's batches, of which each is heaviest in another moment.
    """
    for _ in range(_WARM_UP):
        read()
    found: list[float] = []
    for _ in range(READS):
        began = time.perf_counter()
        got = len(read())
        found.append(1000 * (time.perf_counter() - began))
        if got != rows:
            raise RuntimeError(f"a read gave {got} rows and not {rows}: nothing is measured by it")
        time.sleep(pause_s)
    return found


def of_latencies(values: Sequence[float]) -> dict[str, Sample]:
    """p50 and p99 of one run."""
    return {"p50": Sample(percentile(values, 0.50)), "p99": Sample(percentile(values, 0.99))}
