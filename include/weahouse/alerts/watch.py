"""Which stations are near a limit: nobody reads the others.

A condition looks back for a bounded time. The extremes of the block of time that a batch touched and of the block
before bound every value, mean, sum and change in it; where they do not reach a limit, no condition can be met there.
Blocks are as long as the longest look back, so that two of them always hold it. What is not known counts as near.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from weahouse.alerts.conditions import is_beyond

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from weahouse.alerts.readings import Reading
    from weahouse.alerts.rules import AlertRules, Rule

EXTREMES = ("min", "max", "sum")
# An hour of live reports is a small block even where no rule looks back at all.
_SHORTEST_MIN = 60
_WHEN = ("station_id", "block", "region", "first_at", "last_at", "ingested_at", "seen_at")
_NOTHING = (inf, -inf, 0.0)


@dataclass(frozen=True)
class Touched:
    """A block of a station that a batch touched; `extremes` are least, greatest and sum of each of the variables."""

    station_id: str
    block: datetime
    region: str
    first_at: datetime
    last_at: datetime
    ingested_at: datetime
    seen_at: datetime | None
    extremes: array[float]


def columns(rules: AlertRules) -> tuple[str, ...]:
    """The columns of the aggregate from which `Touched` are made, in their order."""
    return (*_WHEN, *(f"{variable}_{name}" for variable in rules.variables for name in EXTREMES))


def touched_of(row: Sequence[object]) -> Touched:
    """A row of `columns` as it was collected; a variable without values has nulls."""
    extremes = array("d", _NOTHING * ((len(row) - len(_WHEN)) // len(_NOTHING)))
    for place, value in enumerate(row[len(_WHEN) :]):
        if value is not None:
            extremes[place] = value  # type: ignore[call-overload]
    told: dict[str, Any] = dict(zip(_WHEN, row, strict=False))
    return Touched(**told, extremes=extremes)


def block_minutes(rules: AlertRules) -> int:
    """The length of a block: the longest look back of any rule."""
    longest = max((rule.over for rule in rules.of_values), default=timedelta())
    return max(_SHORTEST_MIN, -int(-longest.total_seconds() // 60))


@dataclass
class _Memory:
    """The extremes of a station's newest block and of the one before, None where that is not known."""

    block: datetime
    extremes: array[float]
    before: array[float] | None


class Watch:
    """The extremes of every station's newest blocks, some hundred bytes each."""

    def __init__(self, rules: AlertRules) -> None:
        self._rules = rules.of_values
        self._variables = rules.variables
        self._length = timedelta(minutes=block_minutes(rules))
        self._memory: dict[str, _Memory] = {}

    def is_near(self, touched: Touched, *, is_new: bool) -> bool:
        """Whether a condition may be met in a touched block, which is remembered. A new station has no past."""
        memory = self._memory.get(touched.station_id)
        if memory is None:
            memory = _Memory(touched.block, self._nothing(), self._nothing() if is_new else None)
            self._memory[touched.station_id] = memory
        elif touched.block > memory.block:
            is_next = touched.block - memory.block == self._length
            memory.before = memory.extremes if is_next else self._nothing()
            memory.block, memory.extremes = touched.block, self._nothing()
        elif touched.block < memory.block:
            # It may matter for what comes after it too, which is not held here.
            if memory.before is not None and memory.block - touched.block == self._length:
                _merge(memory.before, touched.extremes)
            return True
        _merge(memory.extremes, touched.extremes)
        return memory.before is None or self._reaches_a_limit(touched.region, memory.extremes, memory.before)

    def learn(self, station_id: str, since: datetime, readings: Iterable[Reading]) -> None:
        """What was read of a station before `since`: its past is known from here on."""
        memory = self._memory.get(station_id)
        if memory is None or memory.before is not None or not memory.block <= since < memory.block + self._length:
            return
        memory.before = self._nothing()
        for reading in readings:
            if reading.observed_at < since:
                for place, variable in enumerate(self._variables):
                    if (value := reading.values.get(variable)) is not None:
                        told = self._nothing()
                        told[3 * place : 3 * place + 3] = array("d", (value, value, max(0.0, value)))
                        _merge(memory.before, told)

    def _nothing(self) -> array[float]:
        return array("d", _NOTHING * len(self._variables))

    def _reaches_a_limit(self, region: str, *blocks: array[float]) -> bool:
        whole = self._nothing()
        for block in blocks:
            _merge(whole, block)
        return any(
            _reaches(rule, *whole[3 * place : 3 * place + 3])
            for rule in self._rules
            for place, variable in enumerate(self._variables)
            if variable in rule.variables and rule.applies_to(region)
        )


def _merge(into: array[float], other: array[float]) -> None:
    for place in range(0, len(into), 3):
        into[place] = min(into[place], other[place])
        into[place + 1] = max(into[place + 1], other[place + 1])
        into[place + 2] += other[place + 2]


def _reaches(rule: Rule, least: float, greatest: float, total: float) -> bool:
    """Whether any condition over values within these extremes can reach the rule's limit."""
    if least > greatest:
        return False
    if rule.statistic in ("fall", "rise"):
        return is_beyond(rule, greatest - least, rule.limit)
    if rule.statistic == "sum":
        return rule.direction < 0 or is_beyond(rule, total, rule.limit)
    return is_beyond(rule, greatest if rule.direction > 0 else least, rule.limit)
