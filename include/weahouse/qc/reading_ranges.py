"""Reads the ranges of level 1 from a rules file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.qc.entries import mapping, number, span
from weahouse.qc.limits import Limits, Pair, Range, Zone
from weahouse.schemas.fields import MEASUREMENTS

if TYPE_CHECKING:
    from weahouse.qc.entries import Place


def limits(place: Place, variable: str, entry: Any, default: Limits | None) -> Limits:
    """A pair that an override leaves out is the default's; zones that it leaves out are none."""
    pairs = () if default else ("suspect", "bad")
    given = mapping(place, entry, ("suspect", "bad", "zones"), pairs)
    everywhere = _range(place, given, default.everywhere if default else None)
    physical = (MEASUREMENTS[variable].minimum, MEASUREMENTS[variable].maximum)
    if everywhere.bad[0] < physical[0] or everywhere.bad[1] > physical[1]:  # type: ignore[operator]
        raise place.error(
            f"has bad {span(everywhere.bad)}, which must lie within the physical limits {span(physical)} of the data"
            " dictionary"
        )
    return Limits(everywhere, _zones(place / "zones", given["zones"], everywhere.bad) if "zones" in given else ())


def _zones(place: Place, entries: Any, bad: Pair) -> tuple[Zone, ...]:
    if not isinstance(entries, list) or not entries:
        raise place.error("must be a list of zones, from the equator to the poles")
    zones: list[Zone] = []
    names = ("up_to_latitude_deg", "winter", "summer")
    for nth, entry in enumerate(entries, start=1):
        zone = place / nth
        given = mapping(zone, entry, names, names)
        seasons = [_season(zone / season, given[season], bad) for season in ("winter", "summer")]
        zones.append(Zone(number(zone / "up_to_latitude_deg", given["up_to_latitude_deg"]), *seasons))
    ends = [zone.up_to_latitude_deg for zone in zones]
    if ends[0] <= 0 or ends[-1] != 90 or sorted(set(ends)) != ends:
        raise place.error(
            f"must end at growing latitudes above 0, the last at 90, not at {', '.join(f'{e:g}' for e in ends)}"
        )
    return tuple(zones)


def _season(place: Place, entry: Any, bad: Pair) -> Range:
    published = _range(place, mapping(place, entry, ("suspect", "bad"), ("suspect", "bad")), None)
    found = published.within(bad)
    if not found.is_ordered:
        raise place.error(f"leaves no good value within bad {span(bad)}")
    return found


def _range(place: Place, entry: dict[str, Any], default: Range | None) -> Range:
    suspect, bad = (
        _pair(place / kind, entry[kind]) if kind in entry or default is None else getattr(default, kind)
        for kind in ("suspect", "bad")
    )
    found = Range(suspect, bad)
    if not found.is_ordered:
        raise place.error(f"has suspect {span(found.suspect)}, which must lie within bad {span(found.bad)}")
    return found


def _pair(place: Place, value: Any) -> Pair:
    if not isinstance(value, list) or len(value) != 2:
        raise place.error(f"must be [low, high], not {value!r}")
    low, high = (number(place, limit) for limit in value)
    if low >= high:
        raise place.error(f"must be [low, high] with low below high, not {value!r}")
    return low, high


def missing_numbers(place: Place, variable: str, value: Any, default: tuple[float, ...] | None) -> tuple[float, ...]:
    """Numbers that mean missing. An override's come on top: what means missing everywhere cannot be a value there."""
    del variable
    if not isinstance(value, list):
        raise place.error(f"must be a list of numbers that mean missing, not {value!r}")
    return tuple(dict.fromkeys([*(default or ()), *(number(place, one) for one in value)]))
