"""Reads a rules file and refuses what cannot be meant; every error names the file, the entry and what it must be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from weahouse.qc.entries import Bounds, Place, bounded, loaded, mapping
from weahouse.qc.masks import PERSISTING, SMOOTH, STEPPED
from weahouse.qc.reading_context import buddy, least_change, spike, step
from weahouse.qc.reading_ranges import limits, missing_numbers
from weahouse.schemas.fields import STATION_ID_PATTERN, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable

# Single numbers, each of which may be overridden. The most of those of level 2 and 3 keeps a test within the rows that
# a verdict may look at (qc/bounds.py).
SCALARS: dict[str, Bounds] = {
    "humidity_tolerance_pct": Bounds(),
    "heaviest_rain_mm_per_min": Bounds(),
    "reporting_interval_min": Bounds(),
    "persistence_least_values": Bounds(least=2, is_whole=True),
    "persistence_equal_values": Bounds(least=2, most=12, is_whole=True),
    "persistence_humidity_below_pct": Bounds(),
    "persistence_wind_above_mps": Bounds(),
    "spike_within_min": Bounds(most=120),
    "spike_least_values": Bounds(least=2, is_whole=True),
    "temperature_lapse_c_per_km": Bounds(),
    "dew_point_lapse_c_per_km": Bounds(),
    "shared_radius_km": Bounds(most=500),
    "shared_least_neighbours": Bounds(least=1, is_whole=True),
    "shared_least_part": Bounds(most=1),
    "front_pressure_jump_hpa": Bounds(),
    "front_wind_shift_deg": Bounds(most=180),
    "front_temperature_drop_c": Bounds(),
    "distrusted_above_pct": Bounds(most=100),
    "trusted_below_pct": Bounds(most=100),
}
# What a section holds for each of its variables.
_SECTIONS: dict[str, tuple[tuple[str, ...], Callable[[Place, str, Any, Any], Any]]] = {
    "range": (VARIABLES, limits),
    "missing": (VARIABLES, missing_numbers),
    "step": (STEPPED, step),
    "persistence": (PERSISTING, least_change),
    "spike": (SMOOTH, spike),
    "buddy": (SMOOTH, buddy),
}
_THRESHOLDS = (*_SECTIONS, *SCALARS)

# A threshold by its name: range.<variable> Limits, missing.<variable> numbers, step.<variable> Step,
# persistence.<variable> a number, spike.<variable> Spike, buddy.<variable> Buddy, a scalar a number.
Thresholds = dict[str, Any]


class Document(NamedTuple):
    """What a rules file says: thresholds for everywhere, then what regions and stations have instead."""

    northern_winter_months: tuple[int, ...]
    defaults: Thresholds
    regions: dict[str, Thresholds]
    stations: dict[str, Thresholds]


def read(file: str, content: bytes) -> Document:
    """The thresholds of a file's content; raises RulesError."""
    place = Place(file)
    document = loaded(place, content)
    sections = (*_THRESHOLDS, "northern_winter_months")
    whole = mapping(place, document, (*sections, "overrides"), required=sections)
    defaults = _thresholds(place, {name: whole[name] for name in _THRESHOLDS}, None)
    overrides = mapping(place / "overrides", whole.get("overrides") or {}, ("regions", "stations"))
    regions, stations = (
        _overrides(place / "overrides" / kind, overrides.get(kind) or {}, defaults) for kind in ("regions", "stations")
    )
    return Document(
        _months(place / "northern_winter_months", whole["northern_winter_months"]), defaults, regions, stations
    )


def _overrides(place: Place, entries: Any, defaults: Thresholds) -> dict[str, Thresholds]:
    for name in mapping(place, entries, None):
        if not re.fullmatch(STATION_ID_PATTERN, name):
            raise (place / name).error("is no name of a region or station: 1 to 64 of A-Z a-z 0-9 . _ : -")
    return {
        name: _thresholds(place / name, mapping(place / name, entry, _THRESHOLDS), defaults)
        for name, entry in entries.items()
    }


def _thresholds(place: Place, entries: dict[str, Any], defaults: Thresholds | None) -> Thresholds:
    """The thresholds by name; without `defaults` every one of them must be there."""
    found: Thresholds = {}
    for section, (variables, reader) in _SECTIONS.items():
        required = variables if defaults is None else ()
        entry = mapping(place / section, entries.get(section, {}), variables, required)
        for variable, value in entry.items():
            name = f"{section}.{variable}"
            found[name] = reader(place / section / variable, variable, value, defaults and defaults[name])
    for name, bounds in SCALARS.items():
        if name in entries:
            found[name] = bounded(place / name, entries[name], bounds)
    _check_trust(place, (defaults or {}) | found)
    return found


def _check_trust(place: Place, effective: Thresholds) -> None:
    below, above = effective["trusted_below_pct"], effective["distrusted_above_pct"]
    if below > above:
        raise (place / "trusted_below_pct").error(f"must be at most distrusted_above_pct, {above:g}, not {below:g}")


def _months(place: Place, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not value or not all(type(month) is int and 1 <= month <= 12 for month in value):
        raise place.error(f"must be a list of months from 1 to 12, not {value!r}")
    return tuple(sorted(set(value)))
