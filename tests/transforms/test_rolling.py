from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING

import pytest

from weahouse.transforms.rolling import merge_panes

if TYPE_CHECKING:
    from collections.abc import Sequence


def pane(variable: str, values: Sequence[float], suspect: int = 0) -> dict[str, object]:
    """A row of `summaries_by_station` over these values."""
    radians = [math.radians(value) for value in values]
    return {
        "variable": variable,
        "value_count": len(values),
        "suspect_count": suspect,
        "value_sum": sum(values),
        "value_min": min(values, default=None),
        "value_max": max(values, default=None),
        "value_sum_of_squares": sum(value * value for value in values),
        "eastward_sum": sum(map(math.sin, radians)),
        "northward_sum": sum(map(math.cos, radians)),
    }


def test_merged_panes_equal_the_statistics_of_all_values() -> None:
    drawn = random.Random(7)
    parts = [[drawn.gauss(15, 8) for _ in range(drawn.randint(1, 20))] for _ in range(144)]
    values = [value for part in parts for value in part]

    found = merge_panes(pane("air_temperature_c", part, suspect=1) for part in parts)["air_temperature_c"]

    assert found.count == len(values)
    assert found.suspect_count == 144
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.stddev == pytest.approx(statistics.stdev(values))
    assert (found.minimum, found.maximum) == (min(values), max(values))
    assert found.sum == pytest.approx(math.fsum(values))


def test_a_small_spread_on_a_great_mean_is_kept() -> None:
    drawn = random.Random(7)
    parts = [[1013.25 + drawn.gauss(0, 0.01) for _ in range(10)] for _ in range(144)]

    found = merge_panes(pane("air_pressure_hpa", part) for part in parts)["air_pressure_hpa"]

    assert found.stddev == pytest.approx(statistics.stdev(v for part in parts for v in part), rel=1e-3)


def test_equal_values_have_no_spread() -> None:
    found = merge_panes([pane("air_pressure_hpa", [1013.1] * 3), pane("air_pressure_hpa", [1013.1] * 7)])
    assert found["air_pressure_hpa"].stddev == pytest.approx(0.0, abs=1e-6)


def test_one_value_has_no_standard_deviation() -> None:
    assert merge_panes([pane("wind_speed_mps", [3.0])])["wind_speed_mps"].stddev is None


def test_wind_directions_around_north_average_to_north() -> None:
    found = merge_panes([pane("wind_from_direction_deg", [350.0, 355.0]), pane("wind_from_direction_deg", [5.0, 10.0])])
    wind = found["wind_from_direction_deg"]
    assert math.cos(math.radians(wind.mean or math.nan)) == pytest.approx(1.0)
    assert wind.resultant == pytest.approx(0.99, abs=0.01)
    assert wind.minimum is None


def test_winds_that_cancel_have_no_direction() -> None:
    wind = merge_panes([pane("wind_from_direction_deg", [90.0, 270.0])])["wind_from_direction_deg"]
    assert wind.mean is None
    assert wind.resultant == pytest.approx(0.0)


def test_a_variable_without_values_is_left_out() -> None:
    assert merge_panes([pane("precipitation_mm", [])]) == {}
