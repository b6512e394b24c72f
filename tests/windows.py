"""Statistics computed in batch, straight from observations: what anything made from panes must equal."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

import pytest

from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.transforms.rolling import DIRECTION, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BAD, MISSING = 4, 9


def equal(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def check_span(span: Span, observations: Iterable[Mapping[str, Any]]) -> int:
    """Assert that a span has the statistics of the observations in it; returns how many values were compared."""
    rows = [row for row in observations if span.start <= row["observed_at"] < span.end]
    told = {variable: [row for row in rows if usable(row, variable) is not None] for variable in VARIABLES}
    assert set(span.variables) == {variable for variable in VARIABLES if told[variable]}
    for variable, found in span.variables.items():
        values = [row[variable] for row in told[variable]]
        assert found.count == len(values)
        assert found.suspect_count == sum(row[flag_of(variable)] == 3 for row in told[variable])
        if variable == DIRECTION:
            check_vector(found.steadiness, found.mean, [(1.0, value) for value in values])
            continue
        assert (found.minimum, found.maximum) == (min(values), max(values))
        assert (found.mean, found.sum) == (equal(statistics.fmean(values)), equal(math.fsum(values)))
        assert found.stddev == (equal(statistics.stdev(values)) if len(values) > 1 else None)
    check_resultant(span, rows)
    return sum(map(len, told.values()))


def check_resultant(span: Span, rows: list[Mapping[str, Any]]) -> None:
    winds = [(usable(row, "wind_speed_mps"), usable(row, DIRECTION)) for row in rows]
    vectors = [(v, d or 0.0) for v, d in winds if v is not None and (v == 0 or d is not None)]
    wind = span.resultant_wind
    assert (wind.count if wind else 0) == len(vectors)
    if wind and vectors:
        check_vector(wind.speed_mps, wind.from_direction_deg, vectors)


def check_vector(length: float | None, direction_deg: float | None, vectors: list[tuple[float, float]]) -> None:
    eastward = statistics.fmean(v * math.sin(math.radians(d)) for v, d in vectors)
    northward = statistics.fmean(v * math.cos(math.radians(d)) for v, d in vectors)
    assert length == equal(math.hypot(eastward, northward))
    if direction_deg is None:
        assert math.hypot(eastward, northward) < 1e-8
        return
    # Around north 0 and 360 are one: angles are compared by their difference.
    away = math.radians(direction_deg) - math.atan2(eastward, northward)
    assert math.sin(away) == pytest.approx(0.0, abs=1e-9)
    assert math.cos(away) > 0


def usable(row: Mapping[str, Any], variable: str) -> float | None:
    return None if row[flag_of(variable)] in (BAD, MISSING) else row[variable]
