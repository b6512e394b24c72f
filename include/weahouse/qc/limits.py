"""Limits of a variable: one pair for everywhere, or one for each zone of latitude and season."""

from __future__ import annotations

from dataclasses import dataclass

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
