"""From records of Raw to the newest reading of each key, judged by level 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.duck.text import columns, has_any, mask, threshold
from weahouse.qc.masks import BAD, CONSISTENCY_TESTS, GOOD, LEVEL_1_TESTS, MISSING, SUSPECT, variables_of
from weahouse.qc.rules import RAIN
from weahouse.schemas.fields import EARLIEST_YEAR, MOST_MINUTES_AHEAD, STATION_ID_PATTERN, VARIABLES, flag_of

if TYPE_CHECKING:
    from datetime import timedelta

    from weahouse.qc.limits import Limits, Range
    from weahouse.qc.rules import Rules

_RFC3339 = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"
_EVENT = {"station_id": "VARCHAR", "region": "VARCHAR", "observed_at": "VARCHAR"} | dict.fromkeys(VARIABLES, "DOUBLE")


def newest() -> str:
    """The newest readable record of each station and second among `raw`: coordinates, region and values."""
    event = ", ".join(f'"{name}": "{type_}"' for name, type_ in _EVENT.items())
    values = ", ".join(f"e.{variable}" for variable in VARIABLES)
    finite = " AND ".join(f"({variable} IS NULL OR isfinite({variable}))" for variable in VARIABLES)
    return f"""
        WITH texts AS (
            SELECT partition, "offset", timestamp AS ingested_at, TRY(decode(value)) AS text FROM raw
        ), events AS (
            SELECT * EXCLUDE (text), from_json(text, '{{{event}}}') AS e FROM texts WHERE json_valid(text)
        ), members AS (
            SELECT partition, "offset", ingested_at, epoch_us(ingested_at) // 1000000 AS ingested_s,
                e.station_id, e.region, {values},
                CASE WHEN regexp_full_match(e.observed_at, '{_RFC3339}')
                    THEN epoch_us(TRY_CAST(upper(e.observed_at) AS TIMESTAMP)) // 1000000 END AS at_s
            FROM events
        )
        SELECT * FROM members
        WHERE regexp_full_match(station_id, '{STATION_ID_PATTERN}')
            AND regexp_full_match(region, '{STATION_ID_PATTERN}')
            AND year(make_timestamp(at_s * 1000000)) >= {EARLIEST_YEAR}
            AND at_s - ingested_s <= {MOST_MINUTES_AHEAD * 60} AND {finite}
        QUALIFY row_number() OVER (
            PARTITION BY station_id, at_s ORDER BY ingested_at DESC, partition DESC, "offset" DESC
        ) = 1"""


def judged(rules: Rules, lateness: timedelta) -> str:
    """The newest readings with the region of `stations`, `late_by_s`, and flags and masks of level 1."""
    present = {variable: _is_present(rules, variable) for variable in VARIABLES}
    applied = {f"range:{variable}": holds for variable, holds in present.items()}
    applied |= {test: " AND ".join(present[name] for name in names) for test, names in CONSISTENCY_TESTS.items()}
    violated = {f"range:{variable}": _is_outside(rules, variable, "suspect") for variable in VARIABLES}
    violated |= _contradictions(rules)
    flags = {flag_of(variable): _flag(rules, variable) for variable in VARIABLES}
    late_s = f"{int(lateness.total_seconds())}"
    winter = ", ".join(map(str, rules.northern_winter_months))
    return f"""
        WITH newest AS ({newest()}
        ), placed AS (
            SELECT newest.* REPLACE (coalesce(stations.region, newest.region) AS region), latitude_deg,
                (month(make_timestamp(at_s * 1000000)) IN ({winter})) = (latitude_deg >= 0) AS is_winter,
                CASE WHEN ingested_s - at_s > {late_s} THEN ingested_s - at_s END AS late_by_s
            FROM newest LEFT JOIN stations USING (station_id)
        ), applied AS (
            SELECT *, {mask(applied)} AS tests_applied FROM placed
        ), failed AS (
            SELECT *, tests_applied & ({mask(violated)}) AS tests_failed FROM applied
        )
        SELECT * EXCLUDE (latitude_deg, is_winter, ingested_s), {columns(flags)} FROM failed"""


def _is_present(rules: Rules, variable: str) -> str:
    codes = ", ".join(map(repr, threshold(rules, f"missing.{variable}")))
    return f"({variable} IS NOT NULL AND {variable} NOT IN ({codes}))"


def _is_outside(rules: Rules, variable: str, kind: str) -> str:
    outside = _beyond(variable, kind, threshold(rules, f"range.{variable}"))
    if variable == RAIN and kind == "suspect":
        heaviest = threshold(rules, "heaviest_rain_mm_per_min") * threshold(rules, "reporting_interval_min")
        outside = f"({outside} OR {RAIN} > {heaviest!r})"
    return outside


def _beyond(variable: str, kind: str, limits: Limits) -> str:
    def outside(span: Range) -> str:
        low, high = getattr(span, kind)
        return f"({variable} < {low!r} OR {variable} > {high!r})"

    if not limits.zones:
        return outside(limits.everywhere)
    zones = [
        f"WHEN abs(latitude_deg) <= {zone.up_to_latitude_deg!r} "
        f"THEN CASE WHEN is_winter THEN {outside(zone.winter)} ELSE {outside(zone.summer)} END"
        for zone in limits.zones
    ]
    return f"(CASE WHEN latitude_deg IS NULL THEN {outside(limits.everywhere)} {' '.join(zones)} END)"


def _contradictions(rules: Rules) -> dict[str, str]:
    def exponent(name: str) -> str:
        return f"17.625 * {name} / nullif(243.04 + {name}, 0)"

    implied = f"100 * exp({exponent('dew_point_c')} - ({exponent('air_temperature_c')}))"
    tolerance = threshold(rules, "humidity_tolerance_pct")
    return {
        "dew_point_above_temperature": "dew_point_c > air_temperature_c",
        "gust_below_mean_speed": "wind_gust_mps < wind_speed_mps",
        "calm_with_direction": "(wind_speed_mps = 0) <> (wind_from_direction_deg = 0)",
        "humidity_disagrees": f"abs(relative_humidity_pct - {implied}) > {tolerance!r}",
    }


def _flag(rules: Rules, variable: str) -> str:
    involved = [test for test in LEVEL_1_TESTS if variable in variables_of(test)]
    return f"""CASE WHEN NOT {has_any("tests_applied", [f"range:{variable}"])} THEN {MISSING}
        WHEN {_is_outside(rules, variable, "bad")} THEN {BAD}
        WHEN {has_any("tests_failed", involved)} THEN {SUSPECT} ELSE {GOOD} END::TINYINT"""
