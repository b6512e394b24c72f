"""Level 3: what neighbours tell of a value, what they and fronts explain, and the flags after all levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.duck.text import columns, deviation, has_any, mask, thousandths, threshold
from weahouse.qc.bounds import BUDDY_PANES, SHARED_PANES
from weahouse.qc.level2 import ROUNDING
from weahouse.qc.masks import (
    BAD,
    BUDDY_TESTS,
    GOOD,
    SMOOTH,
    SPIKE_TESTS,
    STEP_TESTS,
    STEPPED,
    SUSPECT,
    TESTS,
    level_of,
    variables_of,
)
from weahouse.qc.neighbours import EARTH_KM
from weahouse.qc.series import DIRECTION, PRESSURE, SEA_LEVEL, SPEED, TEMPERATURE, of
from weahouse.schemas.fields import VARIABLES, flag_of

if TYPE_CHECKING:
    from weahouse.qc.limits import Buddy
    from weahouse.qc.rules import Rules

_LAPSES = {TEMPERATURE: "temperature_lapse_c_per_km", "dew_point_c": "dew_point_lapse_c_per_km"}
# g over the gas constant of dry air in K/m; the standard atmosphere at sea level, and its lapse in K/m.
_G_OVER_R, _SEA_LEVEL_K, _LAPSE_K_PER_M, _ZERO_C_K = 9.80665 / 287.053, 288.15, 0.0065, 273.15
# The last report of an hourly station tells of an hour ago, also where it came half an hour late.
_HOUR_AGO_AT_MOST_S = 5400


def near(rules: Rules) -> str:
    """Pairs of `stations`, both ways, as far apart as any test looks: ids, elevation_m, distance_km and rise_m."""
    radius_km = max(threshold(rules, "shared_radius_km"), *[_buddy(rules, name).radius_km for name in SMOOTH])
    square = """sin((radians(b.latitude_deg) - radians(a.latitude_deg)) / 2) ** 2
        + cos(radians(a.latitude_deg)) * cos(radians(b.latitude_deg))
        * sin(radians(b.longitude_deg - a.longitude_deg) / 2) ** 2"""
    return f"""
        WITH pairs AS (
            SELECT a.station_id, b.station_id AS neighbour_id, a.elevation_m, b.elevation_m - a.elevation_m AS rise_m,
                2 * {EARTH_KM!r} * asin(least(1.0, sqrt({square}))) AS distance_km
            FROM stations a JOIN stations b ON a.station_id <> b.station_id
        )
        SELECT * FROM pairs WHERE distance_km <= {radius_km!r}"""


def panes() -> str:
    """Per station and pane of `series` the means of sound values, and the greatest rise and fall."""
    found = {}
    for name in SMOOTH:
        sound = f"CASE WHEN NOT {has_any('bad_steps', [f'step:{name}'])} THEN {of(name, 'value')} END"
        whole = thousandths(sound)
        found[of(name, "mean")] = f"sum({whole})::DOUBLE / nullif(count({whole}), 0) / 1000"
    for name in STEPPED:
        found[of(name, "rise")] = f"max({of(name, 'severity')})"
        found[of(name, "fall")] = f"min({of(name, 'severity')})"
    return f"SELECT station_id, pane, {columns(found)} FROM series GROUP BY ALL"


def buddies(rules: Rules) -> str:
    """Per station and pane how many neighbours have a value in `panes`, their mean and deviation at its height."""
    nearest = {
        of(name, "mean"): f"arg_min({of(name, 'mean')}, 2 * abs(away) + CASE WHEN away < 0 THEN 1 ELSE 0 END)"
        f" FILTER ({of(name, 'mean')} IS NOT NULL)"
        for name in SMOOTH
    }
    told = {
        of(name, "told"): f"CASE WHEN {_is_near(rules, name)} THEN {thousandths(_brought(rules, name))} END"
        for name in SMOOTH
    }
    sums = {}
    for name in SMOOTH:
        whole = of(name, "told")
        count, total, squares = f"count({whole})", f"sum({whole})", f"sum({whole} * {whole})"
        sums[of(name, "buddies")] = count
        sums[of(name, "buddy_mean")] = f"{total}::DOUBLE / nullif({count}, 0) / 1000"
        sums[of(name, "buddy_sigma")] = deviation(count, total, squares)
    return f"""
        WITH around AS (
            SELECT panes.* REPLACE (pane + away AS pane), away
            FROM panes, range(-{BUDDY_PANES}, {BUDDY_PANES + 1}) AS of_pane(away)
        ), nearest AS (
            SELECT station_id AS neighbour_id, pane, {columns(nearest)} FROM around GROUP BY ALL
        ), told AS (
            SELECT near.station_id, pane, {columns(told)}
            FROM near JOIN nearest USING (neighbour_id)
            WHERE {" OR ".join(_is_near(rules, name) for name in SMOOTH)}
        )
        SELECT station_id, pane, {columns(sums)} FROM told GROUP BY ALL"""


def shared(rules: Rules) -> str:
    """Per key of `series` with a failed step or spike the mask of those that neighbours share."""
    severities = [of(name, "severity") for name in STEPPED]
    extremes = {of(name, "rise"): f"max({of(name, 'rise')})" for name in STEPPED}
    extremes |= {of(name, "fall"): f"min({of(name, 'fall')})" for name in STEPPED}
    counts = {of(name, "reporting"): f"count({of(name, 'rise')})" for name in STEPPED}
    counts |= {of(name, "sharing"): f"count(*) FILTER ({_shares_step(name)})" for name in STEPPED}
    counts |= {of(name, "spiking"): f"count(*) FILTER ({_shares_both_ways(name)})" for name in SMOOTH}
    explained = {f"step:{name}": _is_shared(rules, name, "sharing") for name in STEPPED}
    explained |= {f"spike:{name}": _is_shared(rules, name, "spiking") for name in SMOOTH}
    return f"""
        WITH asked AS (
            SELECT station_id, at_s, pane, {", ".join(severities)} FROM series
            WHERE {has_any("failed_2", (*STEP_TESTS, *SPIKE_TESTS))}
        ), met AS (
            SELECT asked.station_id, at_s, neighbour_id, {", ".join(severities)}, {columns(extremes)}
            FROM asked
            JOIN near ON near.station_id = asked.station_id
                AND distance_km <= {threshold(rules, "shared_radius_km")!r}
            JOIN panes ON panes.station_id = neighbour_id
                AND panes.pane BETWEEN asked.pane - {SHARED_PANES} AND asked.pane + {SHARED_PANES}
            GROUP BY ALL
        ), counted AS (
            SELECT station_id, at_s, {columns(counts)} FROM met GROUP BY ALL
        )
        SELECT station_id, at_s, {mask(explained)} AS explained_by_neighbours FROM counted"""


def verdicts(rules: Rules) -> str:
    """The flags and masks of all levels for each key of `series`, from `buddies` and `shared`."""
    applied = {
        f"buddy:{name}": f"{of(name, 'value')} IS NOT NULL"
        f" AND {of(name, 'buddies')} >= {_buddy(rules, name).least_neighbours!r}"
        for name in SMOOTH
    }
    flags = {flag_of(variable): _flag(variable) for variable in VARIABLES}
    return f"""
        WITH applied AS (
            SELECT *, {mask(applied)} AS applied_3 FROM series LEFT JOIN buddies USING (station_id, pane)
        ), failed AS (
            SELECT *, applied_2 | applied_3 AS applied,
                failed_2 | (applied_3 & ({mask({f"buddy:{name}": _is_far(rules, name) for name in SMOOTH})})) AS failed
            FROM applied
        ), explained AS (
            SELECT *, failed & (coalesce(explained_by_neighbours, 0) | ({mask(_explained_by_front(rules))})) AS excused
            FROM failed LEFT JOIN shared USING (station_id, at_s)
        ), counted AS (
            SELECT *, failed & ~excused AS counted FROM explained
        )
        SELECT station_id, at_s, {columns(flags)}, tests_applied | applied AS tests_applied,
            tests_failed | failed AS tests_failed, excused AS tests_excused,
            CASE WHEN {has_any("applied", BUDDY_TESTS)} THEN 3 ELSE 2 END::TINYINT AS quality_level
        FROM counted"""


def _buddy(rules: Rules, name: str) -> Buddy:
    found: Buddy = threshold(rules, f"buddy.{name}")
    return found


def _is_near(rules: Rules, name: str) -> str:
    buddy = _buddy(rules, name)
    return f"(distance_km <= {buddy.radius_km!r} AND abs(rise_m) <= {buddy.elevation_difference_m!r})"


def _brought(rules: Rules, name: str) -> str:
    """A neighbour's mean as it would be at the station's height."""
    mean = of(name, "mean")
    if name in _LAPSES:
        return f"{mean} + {float(threshold(rules, _LAPSES[name]))!r}::DOUBLE * rise_m / 1000"
    if name != PRESSURE:
        return mean
    standard = f"{_SEA_LEVEL_K!r}::DOUBLE - {_LAPSE_K_PER_M!r}::DOUBLE * (elevation_m + rise_m)"
    column_k = f"(coalesce({of(TEMPERATURE, 'mean')} + {_ZERO_C_K!r}::DOUBLE, {standard})"
    column_k += f" + {_LAPSE_K_PER_M / 2!r}::DOUBLE * rise_m)"
    return f"{mean} * exp({_G_OVER_R!r}::DOUBLE * rise_m / {column_k})"


def _is_far(rules: Rules, name: str) -> str:
    buddy = _buddy(rules, name)
    sigma = f"greatest({of(name, 'buddy_sigma')}, {float(buddy.least_sigma)!r}::DOUBLE)"
    distance = f"abs({of(name, 'value')} - {of(name, 'buddy_mean')})"
    return f"{distance} > {buddy.deviations!r} * {sigma} + {ROUNDING!r}::DOUBLE"


def _shares_step(name: str) -> str:
    severity, rise, fall = (of(name, what) for what in ("severity", "rise", "fall"))
    return f"CASE WHEN {severity} > 0 THEN {rise} >= 0.5 * {severity} ELSE {fall} <= 0.5 * {severity} END"


def _shares_both_ways(name: str) -> str:
    severity, rise, fall = (of(name, what) for what in ("severity", "rise", "fall"))
    return f"{rise} >= 0.5 * abs({severity}) AND {fall} <= -0.5 * abs({severity})"


def _is_shared(rules: Rules, name: str, what: str) -> str:
    sharing, part = of(name, what), threshold(rules, "shared_least_part")
    enough = f"{sharing} >= {threshold(rules, 'shared_least_neighbours')!r}"
    return f"{enough} AND {sharing} >= {float(part)!r}::DOUBLE * {of(name, 'reporting')}"


def _explained_by_front(rules: Rules) -> dict[str, str]:
    jump_hpa = threshold(rules, "front_pressure_jump_hpa") - ROUNDING
    drop_c, shift_deg = (threshold(rules, f"front_{name}") for name in ("temperature_drop_c", "wind_shift_deg"))
    wind = of(DIRECTION, "value")
    turned = f"abs(fmod({wind} - {_an_hour_ago(DIRECTION)} + 540, 360.0) - 180)"
    jump = f"greatest({_gained(PRESSURE)}, {_gained(SEA_LEVEL)}) >= {jump_hpa!r}::DOUBLE"
    fall = f"-({_gained(TEMPERATURE)}) >= {drop_c - ROUNDING!r}::DOUBLE"
    shift = f"{wind} <> 0 AND {turned} >= {shift_deg - ROUNDING!r}::DOUBLE"
    signs = dict.fromkeys(SMOOTH, f"{jump} AND {shift}")
    signs[TEMPERATURE] += f" AND {of(TEMPERATURE, 'severity')} < 0"
    signs |= {name: f"{fall} AND {shift} AND {of(name, 'severity')} > 0" for name in (PRESSURE, SEA_LEVEL)}
    signs[SPEED] = f"{jump} AND {fall}"
    return {f"step:{name}": signs[name] for name in STEPPED} | {f"spike:{name}": signs[name] for name in SMOOTH}


def _gained(name: str) -> str:
    return f"{of(name, 'value')} - {_an_hour_ago(name)}"


def _an_hour_ago(name: str) -> str:
    before = of(name, "before")
    has_direction = f" AND {before} <> 0" if name == DIRECTION else ""
    is_near = f"at_s - {of(name, 'before_at')} <= {_HOUR_AGO_AT_MOST_S}{has_direction}"
    return f"coalesce({of(name, 'an_hour_ago')}, CASE WHEN {is_near} THEN {before} END)"


def _flag(variable: str) -> str:
    tests = [test for test in TESTS if level_of(test) > 1 and variable in variables_of(test)]
    if not tests:
        return flag_of(variable)
    is_bad, is_suspect = has_any("counted & bad_steps", tests), has_any("counted", tests)
    deeper = f"CASE WHEN {is_bad} THEN {BAD} WHEN {is_suspect} THEN {SUSPECT} ELSE {GOOD} END"
    return f"greatest({flag_of(variable)}, {deeper})::TINYINT"
