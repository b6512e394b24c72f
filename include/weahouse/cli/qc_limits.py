"""The limits that hold at a place, for `weahouse qc rules`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from weahouse.cli.output import console, rows_table
from weahouse.qc.masks import PERSISTING, SMOOTH, STEPPED
from weahouse.qc.reading import SCALARS
from weahouse.schemas.fields import EARLIEST_YEAR, MOST_MINUTES_AHEAD, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from weahouse.qc.rules import Rules

_SECTIONS = {"step": STEPPED, "persistence": PERSISTING, "spike": SMOOTH, "buddy": SMOOTH}


def effective(
    rules: Rules, station: str | None, region: str | None, latitude: float | None, month: int
) -> dict[str, Any]:
    """The thresholds that hold at a place in a month (1 to 12), each with whose it is, ready for JSON."""
    variables = {}
    for variable in VARIABLES:
        limits, owner = rules.of(f"range.{variable}", station, region)
        span = rules.range_of(variable, month, latitude, station, region)
        refined = limits.zones and latitude is not None
        variables[variable] = {
            "suspect_outside": span.suspect,
            "bad_outside": span.bad,
            "from": f"{owner}, {'winter' if rules.is_winter(latitude or 0.0, month) else 'summer'}"
            if refined
            else owner,
            "missing": rules.of(f"missing.{variable}", station, region)[0],
        }

    def owned(name: str) -> dict[str, Any]:
        found, owner = rules.of(name, station, region)
        return {**({"value": found} if isinstance(found, float) else asdict(found)), "from": owner}

    return {
        "variables": variables,
        **{section: {name: owned(f"{section}.{name}") for name in names} for section, names in _SECTIONS.items()},
        **{name: owned(name) for name in SCALARS},
        "earliest_year": EARLIEST_YEAR,
        "most_minutes_ahead": MOST_MINUTES_AHEAD,
    }


def print_rules(found: dict[str, Any]) -> None:
    """Print what `effective` found, with the place it is asked for, as tables and sentences."""
    out = console()
    where = "unknown latitude" if found["latitude_deg"] is None else f"latitude {found['latitude_deg']:g}"
    who = found["station_id"] or "any station"
    unlisted = " (not in the station list)" if found["station_id"] and not found["is_listed"] else ""
    place = f"{found['region'] or 'no region'}, {where}"
    out.print(f"{who}{unlisted}: {place}, {found['at']}, rules {found['rules_version']}", highlight=False, markup=False)
    rows = [
        {
            "variable": name,
            "suspect outside": _span(entry["suspect_outside"]),
            "bad outside": _span(entry["bad_outside"]),
            "from": entry["from"],
            "numbers that mean missing": ", ".join(f"{number:g}" for number in entry["missing"]),
        }
        for name, entry in found["variables"].items()
    ]
    out.print(rows_table(rows, list(rows[0])))
    for rows in (_of_series(found), _of_neighbours(found), _others(found)):
        out.print(rows_table(rows, list(rows[0])))
    for line in _sentences(found):
        out.print(line, highlight=False)


def _of_series(found: dict[str, Any]) -> list[dict[str, str]]:
    """Level 2 by variable; what a variable is not tested for is empty."""
    rows = []
    for name, still in found["persistence"].items():
        step, spike = found["step"].get(name), found["spike"].get(name)
        owners = [entry["from"] for entry in (step, still, spike) if entry]
        rows.append(
            {
                "level 2": name,
                "step in minutes: suspect above": _points(step["suspect"]) if step else "",
                "bad above": _points(step["bad"]) if step else "",
                "least change in an hour": f"{still['value']:g}",
                "spike above deviations": _deviations(spike["sigmas"], spike) if spike else "",
                "from": ", ".join(dict.fromkeys(owners)),
            }
        )
    return rows


def _of_neighbours(found: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "level 3": name,
            "within km": f"{buddy['radius_km']:g}",
            "and m of height": f"{buddy['elevation_difference_m']:g}",
            "at least neighbours": f"{buddy['least_neighbours']:g}",
            "suspect above deviations": _deviations(buddy["deviations"], buddy),
            "from": buddy["from"],
        }
        for name, buddy in found["buddy"].items()
    ]


def _deviations(count: float, entry: dict[str, Any]) -> str:
    return f"{count:g} of at least {entry['least_sigma']:g}"


def _others(found: dict[str, Any]) -> list[dict[str, str]]:
    """The single numbers of levels 2 and 3; those of level 1 stand in sentences."""
    told = ("heaviest_rain_mm_per_min", "reporting_interval_min", "humidity_tolerance_pct")
    return [
        {"other": name, "value": f"{found[name]['value']:g}", "from": found[name]["from"]}
        for name in SCALARS
        if name not in told
    ]


def _sentences(found: dict[str, Any]) -> Iterable[str]:
    rate, interval, tolerance = (
        found[name] for name in ("heaviest_rain_mm_per_min", "reporting_interval_min", "humidity_tolerance_pct")
    )
    yield (
        f"rain: suspect above {rate['value']:g} mm a minute ({rate['from']}) of the reporting interval, "
        f"{interval['value']:g} min ({interval['from']}); it is part of the range above"
    )
    yield (
        f"consistency: dew point ≤ temperature, gust ≥ mean speed, speed 0 if and only if direction 0, humidity within "
        f"{tolerance['value']:g} % of what temperature and dew point imply ({tolerance['from']})"
    )
    yield (
        f"time: quarantined before {found['earliest_year']} and more than {found['most_minutes_ahead']} minutes ahead "
        "of the broker; no rules file changes this"
    )
    if found["latitude_deg"] is None:
        yield "where the latitude is known, air temperature has other limits by season: give a station or --latitude"


def _span(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g} .. {pair[1]:g}"


def _points(limits: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{minutes:g}: {limit:g}" for minutes, limit in limits)
