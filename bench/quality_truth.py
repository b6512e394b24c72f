"""What level 1 should find in a simulated network, worked out in plain Python from the truth about each fault.

A second way to the same verdicts: the limits are those of the rules, the tests are written again without Spark.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import exp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from weahouse.qc.masks import CONSISTENCY_TESTS, TESTS, variables_of
from weahouse.schemas.fields import MOST_MINUTES_AHEAD, VARIABLES
from weahouse.settings import Settings
from weahouse.sources.faults import PROFILES, Fault, Faults
from weahouse.sources.live import Schedule, reading_of
from weahouse.sources.simulator import measure, records

if TYPE_CHECKING:
    from weahouse.qc.rules import Rules

# A fault this many times the size at which a test begins to fail must be found.
BEYOND = 1.5
_LATENESS_S = Settings().lateness.total_seconds()
# What the broker would refuse never comes to be judged.
_MAX_BYTES = 1024 * 1024
_CHUNK = 5_000


class Sent(NamedTuple):
    """A record with the time at which it leaves (epoch seconds) and what was done to it."""

    leaves_at: float
    value: bytes
    fault: Fault | None


class Verdict(NamedTuple):
    """What became of a record: the reason of its quarantine, or the masks of its tests and its mark as late."""

    reason: str | None = None
    applied: int = 0
    failed: int = 0
    is_late: bool = False


@dataclass
class Score:
    """Counts of one kind of fault: of records, of failed tests (`right`, `false`), and of values flagged 3 or 4."""

    records: int = 0
    found: int = 0
    beyond: int = 0
    found_beyond: int = 0
    right: int = 0
    false: int = 0
    spoilt_flagged: int = 0
    beside: int = 0
    falsely_flagged: int = 0
    is_sought: bool = False

    @property
    def recall(self) -> float | None:
        return self.found_beyond / self.beyond if self.beyond else None

    @property
    def precision(self) -> float | None:
        return self.right / (self.right + self.false) if self.right + self.false else None


@dataclass
class Scores:
    """By kind of fault, `sound` for records without one.

    `disagreements` counts observations for which the tests of this module and those of level 1 differ.
    """

    kinds: dict[str, Score] = field(default_factory=dict)
    disagreements: int = 0

    def total(self) -> Score:
        sums: Counter[str] = Counter()
        for score in self.kinds.values():
            sums.update(vars(score))
        return Score(**sums)


def simulated(schedule: Schedule, start: int, seconds: int, share: float) -> Iterator[Sent]:
    """What a network with every kind of fault sends, a record with the fault that is in it."""
    network, interval = schedule.network, schedule.interval_s
    faults = Faults(network, PROFILES["all"], share, reading_of(network, interval))
    first, beyond = schedule.first_from(start), schedule.first_from(start + seconds)
    for begin in range(first, beyond, _CHUNK):
        station, at, due = schedule.readings(begin, min(begin + _CHUNK, beyond))
        made = records(network, station, at, measure(network, station, at, interval))
        for (outgoing, fault), moment in zip(faults.apply(station, at, made), due.tolist(), strict=True):
            for record, delay in outgoing:
                if len(record.value) < _MAX_BYTES:
                    yield Sent(moment + delay, record.value, fault)


def failing(event: dict[str, Any], rules: Rules, latitude_deg: float) -> set[str]:
    """The tests that an event of the contract fails."""
    month = datetime.fromisoformat(event["observed_at"]).month
    values = {name: event[name] for name in VARIABLES if event.get(name) is not None}
    values = {name: value for name, value in values.items() if value not in rules.defaults[f"missing.{name}"]}
    found = set()
    for name, value in values.items():
        low, high = rules.range_of(name, month, latitude_deg, event["station_id"], event["region"]).suspect
        if not low <= value <= high:
            found.add(f"range:{name}")
    consistent = {test: [values.get(name) for name in names] for test, names in CONSISTENCY_TESTS.items()}
    return found | {test for test, of in consistent.items() if None not in of and _CONTRADICTS[test](rules, *of)}


_CONTRADICTS = {
    "dew_point_above_temperature": lambda _, temperature, dew_point: dew_point > temperature,
    "gust_below_mean_speed": lambda _, speed, gust: gust < speed,
    "calm_with_direction": lambda _, speed, direction: (speed == 0) != (direction == 0),
    "humidity_disagrees": lambda rules, humidity, temperature, dew_point: (
        abs(humidity - 100 * exp(_magnus(dew_point) - _magnus(temperature))) > rules.defaults["humidity_tolerance_pct"]
    ),
}


def _magnus(celsius: float) -> float:
    return 17.625 * celsius / (243.04 + celsius)


def score(sent: list[Sent], verdicts: list[Verdict], rules: Rules, latitudes: dict[str, float]) -> Scores:
    """Compare what was done to each record with what was found in it."""
    scores = Scores()
    for record, verdict in zip(sent, verdicts, strict=True):
        kind = record.fault.kind if record.fault else "sound"
        counts = scores.kinds.setdefault(kind, Score())
        event = None if verdict.reason else json.loads(record.value)
        counts.records += 1
        spoilt = record.fault.variable if record.fault and kind in VALUE_KINDS else None
        failed = {test for bit, test in enumerate(TESTS) if verdict.failed >> bit & 1}
        right = {test for test in failed if spoilt in variables_of(test)}
        counts.right += len(right)
        counts.false += len(failed - right)
        accused = {name for test in right for name in variables_of(test)}
        counts.spoilt_flagged += spoilt in accused
        counts.beside += len(accused - {spoilt})
        counts.falsely_flagged += len({name for test in failed - right for name in variables_of(test)} - accused)
        if event is not None:
            scores.disagreements += failing(event, rules, latitudes[event["station_id"]]) != failed
        if record.fault and kind in _FOUND:
            counts.is_sought = True
            is_found = bool(right) if spoilt else _FOUND[kind](record.fault, verdict)
            is_beyond = _is_beyond(record.fault, event, rules, latitudes)
            counts.found += is_found
            counts.beyond += is_beyond
            counts.found_beyond += is_found and is_beyond
    return scores


def _is_beyond(fault: Fault, event: dict[str, Any] | None, rules: Rules, latitudes: dict[str, float]) -> bool:
    """Whether a fault is at least BEYOND times as large as the least one that a test of level 1 can find.

    Of a value: whether a test fails already when the value is off by the same less that factor.
    """
    if fault.kind == "clock-skew":
        return fault.size > BEYOND * MOST_MINUTES_AHEAD * 60
    if fault.kind == "late":
        return fault.size > BEYOND * _LATENESS_S
    if fault.kind not in VALUE_KINDS:
        return True
    assert event is not None
    assert fault.variable is not None
    true = float(str(fault.true_value))
    less = event | {fault.variable: true + (event[fault.variable] - true) / BEYOND}
    tests = failing(less, rules, latitudes[fault.station_id])
    return any(fault.variable in variables_of(test) for test in tests)


def _lacks(fault: Fault, verdict: Verdict) -> bool:
    names = (fault.variable or "").split(",")
    return not any(verdict.applied >> VARIABLES.index(name) & 1 for name in names)


VALUE_KINDS = ("spike", "drift", "stuck-sensor")
# How a fault shows. Kinds that are not here leave a sound observation, and there is nothing to find in it.
_FOUND = {
    **dict.fromkeys(VALUE_KINDS),
    "missing": _lacks,
    "late": lambda _, verdict: verdict.is_late,
    "malformed-json": lambda _, verdict: verdict.reason is not None,
    "wrong-types": lambda _, verdict: verdict.reason is not None,
    "clock-skew": lambda _, verdict: verdict.reason is not None,
}


def verdicts_of(count: int, quarantined: Any, judged: Any) -> list[Verdict]:
    """Verdicts by offset, from Arrow tables (offset, reason) and (offset, tests_applied, tests_failed, is_late)."""
    found = [Verdict()] * count
    for row in quarantined.to_pylist():
        found[row["offset"]] = Verdict(reason=row["reason"])
    columns = [judged[name].to_numpy() for name in ("offset", "tests_applied", "tests_failed", "is_late")]
    for offset, applied, failed, is_late in np.column_stack(columns).tolist():
        found[offset] = Verdict(None, applied, failed, bool(is_late))
    return found
