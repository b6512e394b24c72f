"""Which stations are near the limit of which rules: nobody reads the others.

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

from weahouse.alerts.conditions import TOLERANCE
from weahouse.alerts.rules import CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from weahouse.alerts.readings import Reading
    from weahouse.alerts.rules import AlertRules, Rule
    from weahouse.alerts.scope import Scope

EXTREMES = ("min", "max", "sum")
# An hour of live reports is a small block even where no rule looks back at all.
_SHORTEST_MIN = 60
_WHEN = ("station_id", "region", "block", "first_at", "last_at", "ingested_at", "seen_at")
_NOTHING = (inf, -inf, 0.0)


@dataclass(frozen=True)
class Touched:
    """A block of a station that a batch touched; `extremes` are least, greatest and sum of each of the variables.

    `names`: those of the rules by which it must be judged, where that is known.
    """

    station_id: str
    region: str
    block: datetime
    first_at: datetime
    last_at: datetime
    ingested_at: datetime
    seen_at: datetime | None
    extremes: array[float]
    names: frozenset[str] = frozenset()


def columns(rules: AlertRules) -> tuple[str, ...]:
    """The columns of the aggregate from which `Touched` are made, in their order."""
    return (*_WHEN, *(f"{variable}_{name}" for variable in rules.variables for name in EXTREMES))


def touched_of(row: Sequence[Any]) -> Touched:
    """A row of `columns` as it was collected; a variable without values has nulls."""
    width = len(_WHEN)
    told = row[width:]
    if None in told:
        nothing = _NOTHING * (len(told) // len(_NOTHING))
        told = [value if value is not None else none for value, none in zip(told, nothing, strict=True)]
    return Touched(*[*row[:width], array("d", told)])


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
        self._none = array("d", _NOTHING * len(self._variables))
        self._all = frozenset(rule.name for rule in self._rules)
        # By region: where the extremes of a rule's variable stand, and the rule.
        self._checks: dict[str, list[tuple[int, Rule]]] = {}
        self._memory: dict[str, _Memory] = {}
        self._recalled: Mapping[str, datetime] = {}

    def recall(self, newest: Mapping[str, datetime]) -> None:
        """Note each station's newest reading that former drivers were told: blocks are unknown up to it."""
        self._recalled = newest

    def near(self, touched: Touched, *, is_new: bool) -> frozenset[str]:
        """The rules whose condition may be met in a touched block, which is remembered. A new station has no past."""
        memory = self._memory.get(touched.station_id)
        if memory is None:
            memory = _Memory(touched.block, self._nothing(), self._nothing() if is_new else None)
            self._memory[touched.station_id] = memory
        elif touched.block > memory.block:
            is_next = touched.block - memory.block == self._length
            if memory.before is not None:
                memory.before = memory.extremes if is_next else self._nothing()
            if (recalled := self._recalled.get(touched.station_id)) and recalled >= memory.block + self._length:
                memory.before = None
            memory.block, memory.extremes = touched.block, self._nothing()
        elif touched.block < memory.block:
            # It may matter for what comes after it too, which is not held here.
            if memory.before is not None and memory.block - touched.block == self._length:
                _merge(memory.before, touched.extremes)
            return self._all
        _merge(memory.extremes, touched.extremes)
        if memory.before is None:
            return self._all
        return self._within_reach(touched.region, memory.extremes, memory.before)

    def learn(self, scope: Scope, readings: Iterable[Reading]) -> None:
        """What was read of a station to judge a scope by all rules: its past is known from here on."""
        memory = self._memory.get(scope.station_id)
        if memory is None or memory.before is not None:
            return
        begin, end = memory.block - self._length, memory.block + self._length
        if not (scope.since < end and memory.block <= scope.until):
            return
        memory.before = self._nothing()
        for reading in readings:
            if begin <= reading.observed_at < end:
                # What is of the block itself is looked back at from the next one too.
                into = memory.before if reading.observed_at < memory.block else memory.extremes
                for place, variable in enumerate(self._variables):
                    if (value := reading.values.get(variable)) is not None:
                        told = self._nothing()
                        told[3 * place : 3 * place + 3] = array("d", (value, value, max(0.0, value)))
                        _merge(into, told)

    def _nothing(self) -> array[float]:
        return array("d", self._none)

    def _within_reach(self, region: str, one: array[float], other: array[float]) -> frozenset[str]:
        # Live networks touch tens of thousands of blocks at once: nothing here may be looked up twice.
        checks = self._checks.get(region)
        if checks is None:
            checks = self._checks[region] = [
                (3 * place, rule)
                for rule in self._rules
                for place, variable in enumerate(self._variables)
                if variable in rule.variables and rule.applies_to(region)
            ]
        return frozenset(
            rule.name
            for place, rule in checks
            if _reaches(
                rule,
                min(one[place], other[place]),
                max(one[place + 1], other[place + 1]),
                one[place + 2] + other[place + 2],
            )
        )


def _merge(into: array[float], other: array[float]) -> None:
    for place in range(0, len(into), 3):
        if other[place] < into[place]:
            into[place] = other[place]
        if other[place + 1] > into[place + 1]:
            into[place + 1] = other[place + 1]
        into[place + 2] += other[place + 2]


def _reaches(rule: Rule, least: float, greatest: float, total: float) -> bool:
    """Whether any condition over values within these extremes can reach the rule's limit."""
    if least > greatest:
        return False
    statistic = rule.statistic
    if statistic in CHANGES:
        value = greatest - least
    elif statistic == "sum":
        value = total if rule.direction > 0 else rule.limit
    else:
        value = greatest if rule.direction > 0 else least
    return rule.direction * (value - rule.limit) >= -TOLERANCE
