"""Flags, the tests of all levels and their bits in tests_applied, tests_failed and tests_excused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weahouse.schemas.fields import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

GOOD, NOT_EVALUATED, SUSPECT, BAD, MISSING = 1, 2, 3, 4, 9

RANGE_TESTS = tuple(f"range:{variable}" for variable in VARIABLES)
CONSISTENCY_TESTS: dict[str, tuple[str, ...]] = {
    "dew_point_above_temperature": ("air_temperature_c", "dew_point_c"),
    "gust_below_mean_speed": ("wind_speed_mps", "wind_gust_mps"),
    "calm_with_direction": ("wind_speed_mps", "wind_from_direction_deg"),
    "humidity_disagrees": ("relative_humidity_pct", "air_temperature_c", "dew_point_c"),
}
# What changes smoothly in time and place. The wind does not: its reports are noise of minutes around a mean, in which
# a report between two others of its kind is the rule, and a neighbour tells little of it.
SMOOTH = (
    "air_temperature_c",
    "dew_point_c",
    "relative_humidity_pct",
    "air_pressure_hpa",
    "air_pressure_at_sea_level_hpa",
)
STEPPED = (*SMOOTH, "wind_speed_mps")
# Rain is exempt: it stands still at zero for weeks. A gust is the highest of many and repeats itself in calm weather.
PERSISTING = (*STEPPED, "wind_from_direction_deg")

# A test's place in TESTS is its bit in the masks: append, never reorder.
LEVEL_1_TESTS = (*RANGE_TESTS, *CONSISTENCY_TESTS)
STEP_TESTS = tuple(f"step:{variable}" for variable in STEPPED)
PERSISTENCE_TESTS = tuple(f"persistence:{variable}" for variable in PERSISTING)
SPIKE_TESTS = tuple(f"spike:{variable}" for variable in SMOOTH)
BUDDY_TESTS = tuple(f"buddy:{variable}" for variable in SMOOTH)
TESTS = (*LEVEL_1_TESTS, *STEP_TESTS, *PERSISTENCE_TESTS, *SPIKE_TESTS, *BUDDY_TESTS)


def variables_of(test: str) -> tuple[str, ...]:
    """The variables that a test reads, all of which it accuses when it fails."""
    return CONSISTENCY_TESTS.get(test) or (test.partition(":")[2],)


def level_of(test: str) -> int:
    """The level of quality control that a test belongs to: 1, 2 or 3."""
    if test in LEVEL_1_TESTS:
        return 1
    return 3 if test in BUDDY_TESTS else 2


def bits_of(tests: Iterable[str]) -> int:
    """The mask that has the bits of the tests and no other."""
    return sum(1 << TESTS.index(test) for test in tests)
