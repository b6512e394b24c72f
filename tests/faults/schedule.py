"""A seeded schedule: which faults strike, in which order and when; one line long, and the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from weahouse.streaming.fault_points import POINTS

KILLED_AT = {f"killed_at_{point}": point for point in POINTS}
RECOVERABLE = (
    *KILLED_AT,
    "terminated",
    "two_drivers",
    "worker_killed",
    "cassandra_killed",
    "cassandra_paused",
    "kafka_killed",
    "kafka_paused",
    "datanode_killed",
    "safe_mode",
    "quota_exceeded",
)
REFUSING = ("topic_recreated", "offsets_expired", "archive_checkpoint_damaged", "observations_checkpoint_damaged")
# Five seeds, the default, meet every recoverable fault.
FAULTS_PER_SEED = 4
# From the moment at which the first record of a chunk is sent.
LONGEST_DELAY_S = 4.0


@dataclass(frozen=True)
class Step:
    """One fault, struck so long after its chunk began to be sent."""

    fault: str
    after_s: float

    def __str__(self) -> str:
        return self.fault if self.fault in KILLED_AT else f"{self.fault}@{self.after_s:g}s"


@dataclass(frozen=True)
class Schedule:
    """A seed's faults in their order; the last, if it is a refusing one, ends the stream until it is rebuilt."""

    seed: int
    steps: tuple[Step, ...]
    refusing: str | None = None

    def __str__(self) -> str:
        faults = " ".join(str(step) for step in self.steps)
        return f"seed {self.seed}: {faults}{f' then {self.refusing}' if self.refusing else ''}"


def schedule(seed: int) -> Schedule:
    """The faults of a seed: dealt from shuffled decks one after the other, so that neighbouring seeds meet all."""
    drawn = random.Random(f"schedule {seed}")
    faults = [_dealt("recoverable", RECOVERABLE, (seed - 1) * FAULTS_PER_SEED + n) for n in range(FAULTS_PER_SEED)]
    steps = tuple(Step(fault, round(drawn.uniform(0, LONGEST_DELAY_S), 1)) for fault in faults)
    return Schedule(seed, steps, _dealt("refusing", REFUSING, seed - 1))


def _dealt(name: str, deck: tuple[str, ...], place: int) -> str:
    number, position = divmod(place, len(deck))
    return random.Random(f"{name} deck {number}").sample(deck, len(deck))[position]
