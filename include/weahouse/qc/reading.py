"""Reads a rules file and refuses what cannot be meant; every error names the file, the entry and what it must be."""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from weahouse.qc.limits import Limits, Pair, Range, Zone
from weahouse.schemas.fields import MEASUREMENTS, STATION_ID_PATTERN, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

# Each may be overridden; all must be above 0.
SCALARS = ("humidity_tolerance_pct", "heaviest_rain_mm_per_min", "reporting_interval_min")
_THRESHOLDS = ("range", "missing", *SCALARS)

# A threshold by its name: range.<variable> Limits, missing.<variable> numbers, a scalar a number.
Thresholds = dict[str, Any]


class RulesError(ValueError):
    """A rules file that cannot be used; the message names the file, the entry and what it must be."""


class Document(NamedTuple):
    """What a rules file says: thresholds for everywhere, then what regions and stations have instead."""

    northern_winter_months: tuple[int, ...]
    defaults: Thresholds
    regions: dict[str, Thresholds]
    stations: dict[str, Thresholds]


class _Place(NamedTuple):
    """Where an entry stands, as errors tell it."""

    file: str
    keys: tuple[str, ...] = ()

    def __truediv__(self, key: object) -> _Place:
        return _Place(self.file, (*self.keys, str(key)))

    def error(self, message: str) -> RulesError:
        return RulesError(f"{self.file}: {'.'.join(self.keys) or 'the file'} {message}")


class _Loader(yaml.SafeLoader):
    """YAML that refuses one key given twice, of which the first would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: list[str] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is given twice", problem_mark=key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep)


def read(file: str, content: bytes) -> Document:
    """The thresholds of a file's content; raises RulesError."""
    place = _Place(file)
    try:
        document = yaml.load(content, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise place.error(f"cannot be read as YAML: line {line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise place.error("cannot be read as YAML: it holds characters that no text has") from None
    sections = (*_THRESHOLDS, "northern_winter_months")
    whole = _mapping(place, document, (*sections, "overrides"), required=sections)
    defaults = _thresholds(place, {name: whole[name] for name in _THRESHOLDS}, None)
    overrides = _mapping(place / "overrides", whole.get("overrides") or {}, ("regions", "stations"))
    regions, stations = (
        _overrides(place / "overrides" / kind, overrides.get(kind) or {}, defaults) for kind in ("regions", "stations")
    )
    return Document(
        _months(place / "northern_winter_months", whole["northern_winter_months"]), defaults, regions, stations
    )


def _overrides(place: _Place, entries: Any, defaults: Thresholds) -> dict[str, Thresholds]:
    for name in _mapping(place, entries, None):
        if not re.fullmatch(STATION_ID_PATTERN, name):
            raise (place / name).error("is no name of a region or station: 1 to 64 of A-Z a-z 0-9 . _ : -")
    return {
        name: _thresholds(place / name, _mapping(place / name, entry, _THRESHOLDS), defaults)
        for name, entry in entries.items()
    }


def _thresholds(place: _Place, entries: dict[str, Any], defaults: Thresholds | None) -> Thresholds:
    """The thresholds by name; without `defaults` every one of them must be there."""
    required = VARIABLES if defaults is None else ()
    found: Thresholds = {}
    readers: dict[str, Callable[[_Place, str, Any, Any], Any]] = {"range": _limits, "missing": _numbers}
    for section, reader in readers.items():
        entry = _mapping(place / section, entries.get(section, {}), VARIABLES, required)
        for variable, value in entry.items():
            name = f"{section}.{variable}"
            found[name] = reader(place / section / variable, variable, value, defaults and defaults[name])
    for name in SCALARS:
        if name in entries:
            found[name] = _number(place / name, entries[name])
            if found[name] <= 0:
                raise (place / name).error(f"must be above 0, not {found[name]:g}")
    return found


def _limits(place: _Place, variable: str, entry: Any, default: Limits | None) -> Limits:
    """A pair that an override leaves out is the default's; zones that it leaves out are none."""
    pairs = () if default else ("suspect", "bad")
    given = _mapping(place, entry, ("suspect", "bad", "zones"), pairs)
    everywhere = _range(place, given, default.everywhere if default else None)
    physical = (MEASUREMENTS[variable].minimum, MEASUREMENTS[variable].maximum)
    if everywhere.bad[0] < physical[0] or everywhere.bad[1] > physical[1]:  # type: ignore[operator]
        raise place.error(
            f"has bad {_span(everywhere.bad)}, which must lie within the physical limits {_span(physical)} of the data"
            " dictionary"
        )
    return Limits(everywhere, _zones(place / "zones", given["zones"], everywhere.bad) if "zones" in given else ())


def _zones(place: _Place, entries: Any, bad: Pair) -> tuple[Zone, ...]:
    if not isinstance(entries, list) or not entries:
        raise place.error("must be a list of zones, from the equator to the poles")
    zones: list[Zone] = []
    names = ("up_to_latitude_deg", "winter", "summer")
    for number, entry in enumerate(entries, start=1):
        zone = place / number
        given = _mapping(zone, entry, names, names)
        seasons = [_season(zone / season, given[season], bad) for season in ("winter", "summer")]
        zones.append(Zone(_number(zone / "up_to_latitude_deg", given["up_to_latitude_deg"]), *seasons))
    ends = [zone.up_to_latitude_deg for zone in zones]
    if ends[0] <= 0 or ends[-1] != 90 or sorted(set(ends)) != ends:
        raise place.error(
            f"must end at growing latitudes above 0, the last at 90, not at {', '.join(f'{e:g}' for e in ends)}"
        )
    return tuple(zones)


def _season(place: _Place, entry: Any, bad: Pair) -> Range:
    published = _range(place, _mapping(place, entry, ("suspect", "bad"), ("suspect", "bad")), None)
    found = published.within(bad)
    if not found.is_ordered:
        raise place.error(f"leaves no good value within bad {_span(bad)}")
    return found


def _range(place: _Place, entry: dict[str, Any], default: Range | None) -> Range:
    suspect, bad = (
        _pair(place / kind, entry[kind]) if kind in entry or default is None else getattr(default, kind)
        for kind in ("suspect", "bad")
    )
    found = Range(suspect, bad)
    if not found.is_ordered:
        raise place.error(f"has suspect {_span(found.suspect)}, which must lie within bad {_span(found.bad)}")
    return found


def _pair(place: _Place, value: Any) -> Pair:
    if not isinstance(value, list) or len(value) != 2:
        raise place.error(f"must be [low, high], not {value!r}")
    low, high = (_number(place, limit) for limit in value)
    if low >= high:
        raise place.error(f"must be [low, high] with low below high, not {value!r}")
    return low, high


def _numbers(place: _Place, variable: str, value: Any, default: tuple[float, ...] | None) -> tuple[float, ...]:
    """Numbers that mean missing. An override's come on top: what means missing everywhere cannot be a value there."""
    del variable
    if not isinstance(value, list):
        raise place.error(f"must be a list of numbers that mean missing, not {value!r}")
    return tuple(dict.fromkeys([*(default or ()), *(_number(place, number) for number in value)]))


def _number(place: _Place, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
        raise place.error(f"must be a number, not {value!r}")
    return float(value)


def _months(place: _Place, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not value or not all(type(month) is int and 1 <= month <= 12 for month in value):
        raise place.error(f"must be a list of months from 1 to 12, not {value!r}")
    return tuple(sorted(set(value)))


def _mapping(
    place: _Place, value: Any, allowed: Collection[str] | None, required: Collection[str] = ()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.error(f"must hold named entries, not {value!r}")
    for key in value:
        if not isinstance(key, str):
            # YAML reads `no`, which is Norway, as false, and `100:20` as a number.
            raise place.error(f"has the name {key!r}, which is no text: write it in quotes")
        if allowed is not None and key not in allowed:
            raise place.error(f"has an unknown entry {key!r}: it may have {', '.join(allowed)}")
    absent = [name for name in required if name not in value]
    if absent:
        raise place.error(f"lacks {', '.join(absent)}")
    return value


def _span(pair: tuple[float | None, float | None]) -> str:
    return f"{pair[0]:g} .. {pair[1]:g}"
