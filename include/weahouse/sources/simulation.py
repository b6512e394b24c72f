"""One run of the simulated network against the broker."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from weahouse.io import kafka
from weahouse.sources.faults import PROFILES, Fault, Faults
from weahouse.sources.live import CHUNK, Schedule, SimulatedSource, reading_of
from weahouse.sources.network import network
from weahouse.sources.producer import Refusal, Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from weahouse.settings import Settings
    from weahouse.sources.ingest import Report

# What one core generates, renders and sends while the stream works beside it (docs/sources.md).
MAXIMUM_RATE = 20_000.0
_PAUSE_S = 0.05


class SimulationError(ValueError):
    """A run that cannot be; the message says which number to change."""


@dataclass
class Run:
    """What a run sent; `faults` counts by kind."""

    due: int = 0
    sent: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    def rows(self) -> list[tuple[str, int]]:
        """The counts by name."""
        kinds = [(f"with fault {kind}", count) for kind, count in sorted(self.faults.items())]
        ends = [("sent and acknowledged", self.sent), ("refused by the broker", len(self.refusals))]
        return [*kinds, ("records due", self.due), *ends]


class Simulation:
    """A network and its schedule, with faults or without; raises SimulationError for numbers that cannot be."""

    def __init__(
        self, stations: int, rate: float, seed: int, faults: str | None, share: float, truth: Path | None
    ) -> None:
        if not rate <= MAXIMUM_RATE:
            raise SimulationError(f"--rate {rate:g} is not at most {MAXIMUM_RATE:g} readings a second")
        if faults is not None and faults not in PROFILES:
            raise SimulationError(f"--faults {faults} is not a profile: choose one of {', '.join(PROFILES)}")
        if truth is not None and faults is None:
            raise SimulationError("--truth needs --faults: without faults there is nothing to write down")
        self.network = network(seed, stations)
        try:
            # A thousandth of a reading a second is 86 a day: rates below are not asked for.
            self._schedule = Schedule(self.network, Fraction(rate).limit_denominator(1000))
        except ValueError as error:
            raise SimulationError(f"{error}: lower --rate or add --stations") from None
        self._faults = None
        if faults is not None and share > 0:
            reading = reading_of(self.network, self._schedule.interval_s)
            self._faults = Faults(self.network, PROFILES[faults], share, reading)
        self._truth = truth

    def run(self, settings: Settings, seconds: float | None, stopped: Callable[[], bool], report: Report) -> Run:
        """Send every reading as its moment comes, for `seconds` or until `stopped`, then wait for the broker."""
        kafka.ensure_topic(settings)
        account, sender, began = Run(), Sender(settings), time.time()
        end = float("inf") if seconds is None else began + seconds
        with _truth_file(self._truth) as write:

            def told(fault: Fault) -> None:
                account.faults[fault.kind] += 1
                write(fault)

            source = SimulatedSource(self._schedule, began, self._faults, told)
            while not stopped():
                now = min(time.time(), end)
                given = sender.send_each(source.due(now))
                account.due += given
                report("sending", account.due, None)
                if given == 0 and now == end:
                    break
                # Caught up: readings are due all the time, and sent one by one they would keep a core busy.
                if given < CHUNK:
                    sender.wait(_PAUSE_S)
            account.due += sender.send_each(source.rest())
        sender.flush()
        account.sent, account.refusals = sender.sent, sender.refusals
        return account


@contextmanager
def _truth_file(path: Path | None) -> Iterator[Callable[[Fault], object]]:
    if path is None:
        yield lambda _: None
        return
    with path.open("w", encoding="utf-8") as file:
        yield lambda fault: file.write(fault.to_json() + "\n")
