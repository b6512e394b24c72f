"""Reads the thresholds of levels 2 and 3 from a rules file; what an override leaves out is the default's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.qc.entries import Bounds, bounded, mapping
from weahouse.qc.limits import LONGEST_GAP_MIN, Buddy, Spike, Step

if TYPE_CHECKING:
    from weahouse.qc.entries import Place
    from weahouse.qc.limits import Point

_SPIKE = {"sigmas": Bounds(), "least_sigma": Bounds()}
_BUDDY = {
    # A neighbour farther away than this has a weather of its own, and pairs of stations grow with the square of it.
    "radius_km": Bounds(most=500),
    "least_neighbours": Bounds(least=2, is_whole=True),
    "deviations": Bounds(),
    "elevation_difference_m": Bounds(),
    "least_sigma": Bounds(),
}


def step(place: Place, variable: str, value: Any, default: Step | None) -> Step:
    """Greatest changes by the gap between two observations."""
    del variable
    kinds = ("suspect", "bad")
    given = mapping(place, value, kinds, kinds if default is None else ())
    found = Step(*[_points(place / kind, given[kind]) if kind in given else getattr(default, kind) for kind in kinds])
    if not found.suspect and not found.bad:
        raise place.error("has neither suspect nor bad limits: one of them must have points")
    minutes = found.first_beyond()
    if minutes is not None:
        raise place.error(f"has a suspect limit at {minutes:g} min that is above the bad one")
    return found


def _points(place: Place, value: Any) -> tuple[Point, ...]:
    if not isinstance(value, list) or not all(isinstance(point, list) and len(point) == 2 for point in value):
        raise place.error(f"must be a list of [minutes, greatest change], not {value!r}")
    points = tuple(
        (bounded(place, minutes, Bounds(most=LONGEST_GAP_MIN)), bounded(place, change, Bounds()))
        for minutes, change in value
    )
    minutes, changes = [point[0] for point in points], [point[1] for point in points]
    # What can happen in a minute can happen in an hour.
    if sorted(set(minutes)) != minutes or sorted(changes) != changes:
        raise place.error(f"must have growing minutes and limits that do not fall, not {value!r}")
    return points


def least_change(place: Place, variable: str, value: Any, default: float | None) -> float:
    """The least change of a variable in an hour of 1-minute values."""
    del variable, default
    return bounded(place, value, Bounds())


def spike(place: Place, variable: str, value: Any, default: Spike | None) -> Spike:
    """How far a value must lie from both of its neighbours in time."""
    del variable
    return Spike(**_numbers(place, value, _SPIKE, default))


def buddy(place: Place, variable: str, value: Any, default: Buddy | None) -> Buddy:
    """Who is a neighbour, and how far a value may lie from theirs."""
    del variable
    return Buddy(**_numbers(place, value, _BUDDY, default))


def _numbers(place: Place, value: Any, known: dict[str, Bounds], default: Any) -> dict[str, float]:
    given = mapping(place, value, known, known if default is None else ())
    return {
        name: bounded(place / name, given[name], bounds) if name in given else getattr(default, name)
        for name, bounds in known.items()
    }
