"""How runs become one result, and what it reaches."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.sections import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.sections import Measure, Section

Result = dict[str, Any]
# Rates get a baseline's share; latencies are told in full.
_DIGITS = {"records/s": 1, "rows/s": 1, "s": 3, "ms": 2}


@dataclass(frozen=True)
class Sample:
    """One measured run: its value in the measure's unit, and what CPU a million records or rows cost."""

    value: float
    cpu_s_per_million: float | None = None


def of_rate(records: int, seconds: float, cpu_s: float) -> Sample:
    """A run that took so many seconds, and CPU seconds of the measured processes, for so many records.

    Raises ValueError where the last batch was over before the warm-up was seen to be.
    """
    if not records:
        raise ValueError("no record was left to measure: ask for more --records, several batches of them")
    return Sample(records / seconds, 1e6 * cpu_s / records)


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that `share` of the values do not exceed: a value that was seen, never one between two."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no value was measured")
    # A billionth less, because a product such as 0.07 * 100 is a little more than 7.
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def results(samples: Mapping[str, Sequence[Sample]], extra: Mapping[str, Result] | None = None) -> list[Result]:
    """The entries of latest.json for what was measured, in the order of MEASURES; `extra` adds keys by name."""
    return [_result(each, samples) | (extra or {}).get(each.name, {}) for each in MEASURES if samples.get(each.name)]


def is_whole(section: Section, samples: Mapping[str, Sequence[Sample]], runs: int) -> bool:
    """Whether each measure of a section has all of its runs."""
    return all(len(samples.get(name, ())) == runs for name in section.names)


def _result(measure: Measure, samples: Mapping[str, Sequence[Sample]]) -> Result:
    own = samples[measure.name]
    cpu = [sample.cpu_s_per_million for sample in own if sample.cpu_s_per_million is not None]
    digits = _DIGITS[measure.unit]
    return {
        "name": measure.name,
        "unit": measure.unit,
        "median": round(statistics.median(sample.value for sample in own), digits),
        "runs": [round(sample.value, digits) for sample in own],
        "cpu_s_per_million": round(statistics.median(cpu), 2) if cpu else None,
        "baseline": measure.baseline,
        "ratio": _ratio(own, samples.get(measure.baseline or "", [])),
    }


def _ratio(own: Sequence[Sample], baseline: Sequence[Sample]) -> float | None:
    """The median of the runs' ratios, pair by pair: what slows the machine slows both of a pair."""
    if not baseline:
        return None
    return round(statistics.median(one.value / other.value for one, other in zip(own, baseline, strict=True)), 3)


def is_met(measure: Measure, result: Result) -> bool | None:
    """Whether a result reaches its target; None where there is none, or where its baseline was not measured."""
    if measure.at_most is not None:
        return bool(result["median"] <= measure.at_most)
    if measure.least_ratio is not None and result["ratio"] is not None:
        return bool(result["ratio"] >= measure.least_ratio)
    return None


def target(measure: Measure) -> str:
    """What a measure has to reach, in words; empty where there is nothing."""
    if measure.at_most is not None:
        return f"at most {measure.at_most:g} {measure.unit}"
    if measure.least_ratio is not None:
        aim = f"; aim {measure.aim}" if measure.aim else ""
        return f"ratio at least {measure.least_ratio:g}{aim}"
    return ""


def number(value: float | None, unit: str) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    return f"{value:,.0f}" if unit.endswith("/s") else f"{value:,.2f}" if unit == "s" else f"{value:,.1f}"
