"""Limits of a variable: of its values (for everywhere, or by zone and season), of its changes, of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

Pair = tuple[float, float]


@dataclass(frozen=True)
class Range:
    """Limits in the variable's unit: outside `suspect` is 3, outside `bad` is 4; a limit itself is inside."""

    suspect: Pair
    bad: Pair

    def within(self, bad: Pair) -> Range:
        """The same range, with nothing beyond `bad` left good or suspect."""
        low, high = max(self.bad[0], bad[0]), min(self.bad[1], bad[1])
        return Range((max(self.suspect[0], low), min(self.suspect[1], high)), (low, high))

    @property
    def is_ordered(self) -> bool:
        """Whether suspect lies within bad and neither is empty."""
        return self.bad[0] <= self.suspect[0] < self.suspect[1] <= self.bad[1]


@dataclass(frozen=True)
class Zone:
    """The limits of latitudes up to `up_to_latitude_deg`, north and south alike, beyond those of the zone before."""

    up_to_latitude_deg: float
    winter: Range
    summer: Range


@dataclass(frozen=True)
class Limits:
    """`everywhere` holds where the latitude is unknown or there are no zones; the last zone ends at a pole."""

    everywhere: Range
    zones: tuple[Zone, ...] = ()

    def at(self, latitude_deg: float | None, *, is_winter: bool) -> Range:
        """The limits that hold at a latitude in its winter or its summer."""
        if latitude_deg is None or not self.zones:
            return self.everywhere
        zone = next(zone for zone in self.zones if abs(latitude_deg) <= zone.up_to_latitude_deg)
        return zone.winter if is_winter else zone.summer


# (minutes between two observations, greatest change in that time)
Point = tuple[float, float]
# WMO-No. 305 knows no longer gap, and a verdict looks no further back.
LONGEST_GAP_MIN = 720.0


@dataclass(frozen=True)
class Step:
    """Greatest changes from one observation to the next, by the gap: beyond `suspect` is 3, beyond `bad` 4.

    Between two points the limit grows evenly with the gap; a shorter gap than the first has the first's limit, and a
    longer one than the last has none.
    """

    suspect: tuple[Point, ...]
    bad: tuple[Point, ...]

    def at(self, kind: str, gap_min: float) -> float | None:
        """The limit of a `suspect` or `bad` change; None where there is none."""
        points: tuple[Point, ...] = getattr(self, kind)
        if not points or gap_min > points[-1][0]:
            return None
        if gap_min <= points[0][0]:
            return points[0][1]
        before, after = next(pair for pair in pairwise(points) if gap_min <= pair[1][0])
        return before[1] + (gap_min - before[0]) * (after[1] - before[1]) / (after[0] - before[0])

    def first_beyond(self) -> float | None:
        """The shortest gap of a point at which the suspect limit is above the bad one."""
        for minutes in sorted({point[0] for point in (*self.suspect, *self.bad)}):
            suspect, bad = (self.at(kind, minutes) for kind in ("suspect", "bad"))
            if suspect is not None and bad is not None and suspect > bad:
                return minutes
        return None


@dataclass(frozen=True)
class Spike:
    """A spike lies further from both its neighbours together than `sigmas` deviations of the hours before.

    `least_sigma`, in the variable's unit, keeps a calm day from making spikes of the last digit.
    """

    sigmas: float
    least_sigma: float


@dataclass(frozen=True)
class Buddy:
    """Titanlib's buddy check: how far a value may lie from the mean of its neighbours, in their `deviations`.

    A neighbour is within `radius_km` and at most `elevation_difference_m` higher or lower; `least_sigma` is in the
    variable's unit.
    """

    radius_km: float
    least_neighbours: float
    deviations: float
    elevation_difference_m: float
    least_sigma: float
