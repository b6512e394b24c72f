"""Which stations are near the limit of which rules: nobody reads the others.

A condition looks back for a bounded time. The extremes of the block of time that a batch touched and of the block
before bound every value, mean, sum and change in it; where they do not reach a limit, no condition can be met there.
Blocks are as long as the longest look back, so that two of them always hold it. What a driver was not told itself it
recalls from panes, whose extremes are of all values that may be trusted, and of suspect ones beside them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any

from weahouse.alerts.conditions import TOLERANCE, is_beyond
from weahouse.alerts.episodes import LONGEST
from weahouse.alerts.rules import CHANGES
from weahouse.schemas.datasets import PANE_MINUTES
from weahouse.transforms.rolling import PANE, pane_start, start_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from weahouse.alerts.alert import Alert
    from weahouse.alerts.rules import AlertRules, Rule

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
    """The length of a block: the longest look back of any rule, in whole panes."""
    longest = max((rule.over for rule in rules.of_values), default=timedelta())
    return max(_SHORTEST_MIN, -(-longest // PANE) * PANE_MINUTES)


@dataclass
class _Memory:
    """The extremes of a station's newest block and of the one before."""

    block: datetime
    extremes: array[float]
    before: array[float]


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

    def looks_back_to(self, newest: datetime) -> datetime:
        """The beginning of what matters of a station whose newest reading is of that time."""
        return start_of(newest, self._length) - self._length

    def recall(self, station_id: str, newest: datetime, panes: Iterable[Mapping[str, Any]]) -> None:
        """The past of a station that is not known yet: its panes since `looks_back_to(newest)`, a row a variable.

        Without that a station counts as new, and as one without a past.
        """
        memory = _Memory(start_of(newest, self._length), self._nothing(), self._nothing())
        places = {variable: 3 * place for place, variable in enumerate(self._variables)}
        for pane in panes:
            if pane["value_count"]:
                into = memory.before if pane["window_start"] < memory.block else memory.extremes
                _widen(into, places[pane["variable"]], *_extremes_of(pane))
        self._memory[station_id] = memory

    def near(self, touched: Touched) -> frozenset[str]:
        """The rules whose condition may be met in a touched block, which is remembered."""
        memory = self._memory.get(touched.station_id)
        if memory is None:
            memory = self._memory[touched.station_id] = _Memory(touched.block, self._nothing(), self._nothing())
        elif touched.block > memory.block:
            is_next = touched.block - memory.block == self._length
            memory.before = memory.extremes if is_next else self._nothing()
            memory.block, memory.extremes = touched.block, self._nothing()
        elif touched.block < memory.block:
            # It may matter for what comes after it too, which is not held here.
            if memory.block - touched.block == self._length:
                _merge(memory.before, touched.extremes)
            return self._all
        _merge(memory.extremes, touched.extremes)
        return self._within_reach(touched.region, memory.extremes, memory.before)

    def adds_nothing(self, touched: Touched, alert: Alert) -> bool:
        """Whether an active alert goes on through a touched block as it stands.

        True only for rules of single values: those that were touched let it go on, none exceeds its peak, and they lie
        behind that and in the pane in which its last report is known to be.
        """
        rule = next((rule for rule in self._rules if rule.name == alert.rule), None)
        if rule is None or rule.over or rule.within or rule.version != alert.rule_version:
            return False
        places = self._places(rule)
        least = min(touched.extremes[place] for place in places)
        greatest = max(touched.extremes[place + 1] for place in places)
        weakest, strongest = (least, greatest) if rule.direction > 0 else (greatest, least)
        return (
            least <= greatest
            and is_beyond(rule, weakest, rule.clear)
            and rule.direction * (strongest - alert.peak_value) <= 0
            and max(alert.run_started_at, alert.peak_at) < touched.first_at
            and pane_start(touched.first_at) == pane_start(touched.last_at) == alert.last_window
            and touched.last_at - alert.event_at < LONGEST
        )

    def _places(self, rule: Rule) -> list[int]:
        """Where the extremes of a rule's variables stand."""
        return [3 * place for place, variable in enumerate(self._variables) if variable in rule.variables]

    def _nothing(self) -> array[float]:
        return array("d", self._none)

    def _within_reach(self, region: str, one: array[float], other: array[float]) -> frozenset[str]:
        # Live networks touch tens of thousands of blocks at once: nothing here may be looked up twice.
        checks = self._checks.get(region)
        if checks is None:
            checks = self._checks[region] = [
                (place, rule) for rule in self._rules if rule.applies_to(region) for place in self._places(rule)
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
        _widen(into, place, other[place], other[place + 1], other[place + 2])


def _widen(into: array[float], place: int, least: float, greatest: float, total: float) -> None:
    if least < into[place]:
        into[place] = least
    if greatest > into[place + 1]:
        into[place + 1] = greatest
    into[place + 2] += total


def _extremes_of(pane: Mapping[str, Any]) -> tuple[float, float, float]:
    """Least and greatest value of a pane, and what its values above zero add up to at most."""
    least, greatest, total = pane["value_min"], pane["value_max"], pane["value_sum"]
    return least, greatest, total if least >= 0 else pane["value_count"] * max(0.0, greatest)


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
