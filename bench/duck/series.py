"""Level 2: a station's rows in time, and the steps, persistence and spikes that they show."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from bench.duck.text import columns, deviation, mask, thousandths, threshold, usable
from weahouse.qc.level2 import ROUNDING
from weahouse.qc.masks import PERSISTING, SMOOTH, STEPPED
from weahouse.qc.series import DIRECTION, PAST_HOUR_S, PRESSURE, SEA_LEVEL, SIGMA_HOURS, SPEED, TEMPERATURE, of

if TYPE_CHECKING:
    from weahouse.qc.limits import Point
    from weahouse.qc.rules import Rules

# The oldest value of the hour that persistence looks at may lack so much of it.
_HOUR_LACKS_S = 300
_LONGEST_RUN_S = 43_200
_TURNED = "turned_direction"
_SERIES = "PARTITION BY station_id ORDER BY at_s"


def judged_by_series(rules: Rules) -> str:
    """Each of `readings` with its series, the masks applied_2, failed_2 and bad_steps, and severities of steps."""
    valued = {of(name, "value"): usable(name) for name in PERSISTING}
    # What is told by one step is read by the next: a select list may not refer to its own names twice over.
    return f"""
        WITH valued AS (
            SELECT *, at_s // 3600 AS hour, {columns(valued)} FROM readings
        ), turned AS (
            SELECT *, fmod({of(DIRECTION, "value")} + 180, 360.0) AS {_TURNED} FROM valued
        ), around AS (
            SELECT *, {columns(_around(rules) | _last_hour())}
            FROM turned
            WINDOW series AS ({_SERIES}),
                past_hour AS ({_SERIES} RANGE BETWEEN {PAST_HOUR_S} PRECEDING AND CURRENT ROW),
                before_it AS ({_SERIES} RANGE BETWEEN {PAST_HOUR_S} PRECEDING AND 1 PRECEDING)
        ), running AS (
            SELECT *, {columns({of(name, "equal_since"): _equal_since(name) for name in PERSISTING})}
            FROM around
            WINDOW running AS ({_SERIES} ROWS UNBOUNDED PRECEDING)
        ), hours AS (
            SELECT station_id, hour, {columns(_sums())} FROM valued GROUP BY ALL
        ), deviations AS (
            SELECT station_id, hour, {columns(_sigmas())}
            FROM hours
            WINDOW whole AS (
                PARTITION BY station_id ORDER BY hour RANGE BETWEEN {SIGMA_HOURS} PRECEDING AND 1 PRECEDING
            )
        ), changed AS (
            SELECT *, {columns(_changes())} FROM running LEFT JOIN deviations USING (station_id, hour)
        ), limited AS (
            SELECT *, {columns(_limits(rules))} FROM changed
        ), severe AS (
            SELECT *, {columns(_severities())} FROM limited
        ), applied AS (
            SELECT *, {mask(_applied(rules))} AS applied_2 FROM severe
        ), failed AS (
            SELECT *, applied_2 & ({mask(_failed(rules))}) AS failed_2 FROM applied
        )
        SELECT *, at_s // 600 AS pane, failed_2 & ({mask(_steps("bad"))}) AS bad_steps FROM failed"""


def _around(rules: Rules) -> dict[str, str]:
    run = int(threshold(rules, "persistence_equal_values")) - 1
    found = {}
    for name in PERSISTING:
        value, at = of(name, "value"), f"CASE WHEN {of(name, 'value')} IS NOT NULL THEN at_s END"
        for place, count in (("before", 1), ("second_before", 2)):
            found[of(name, place)] = f"lag({value}, {count} IGNORE NULLS) OVER series"
            found[of(name, f"{place}_at")] = f"lag({at}, {count} IGNORE NULLS) OVER series"
        found[of(name, "run_at")] = f"lag({at}, {run} IGNORE NULLS) OVER series"
        if name in SMOOTH:
            found[of(name, "after")] = f"lead({value}, 1 IGNORE NULLS) OVER series"
            found[of(name, "after_at")] = f"lead({at}, 1 IGNORE NULLS) OVER series"
    return found


def _last_hour() -> dict[str, str]:
    found = {}
    for name in PERSISTING:
        value = of(name, "value")
        found[of(name, "least")] = f"min({value}) OVER past_hour"
        found[of(name, "most")] = f"max({value}) OVER past_hour"
        found[of(name, "values")] = f"count({value}) OVER past_hour"
        found[of(name, "oldest_at")] = f"min(CASE WHEN {value} IS NOT NULL THEN at_s END) OVER past_hour"
    found[of(_TURNED, "least")] = f"min({_TURNED}) OVER past_hour"
    found[of(_TURNED, "most")] = f"max({_TURNED}) OVER past_hour"
    found[of(SPEED, "mean")] = f"avg({of(SPEED, 'value')}) OVER past_hour"
    held = {name: of(name, "value") for name in (TEMPERATURE, PRESSURE, SEA_LEVEL)}
    held[DIRECTION] = f"nullif({of(DIRECTION, 'value')}, 0)"
    return found | {
        of(name, "an_hour_ago"): f"first_value({value} IGNORE NULLS) OVER before_it" for name, value in held.items()
    }


def _equal_since(name: str) -> str:
    value, before = of(name, "value"), of(name, "before")
    return (
        f"max(CASE WHEN {value} IS NOT NULL AND ({before} IS NULL OR {value} <> {before}) THEN at_s END) OVER running"
    )


def _sums() -> dict[str, str]:
    found = {}
    for name in SMOOTH:
        whole = thousandths(of(name, "value"))
        found |= {of(name, "n"): f"count({whole})", of(name, "sum"): f"sum({whole})"}
        found[of(name, "squares")] = f"sum({whole} * {whole})"
    return found


def _sigmas() -> dict[str, str]:
    found = {}
    for name in SMOOTH:
        n, total, squares = (f"(sum({of(name, what)}) OVER whole)" for what in ("n", "sum", "squares"))
        found |= {of(name, "sigma_values"): n, of(name, "sigma"): deviation(n, total, squares)}
    return found


def _changes() -> dict[str, str]:
    gaps = {of(name, "gap_min"): f"(at_s - {of(name, 'before_at')}) / 60.0::DOUBLE" for name in STEPPED}
    return gaps | {of(name, "change"): f"{of(name, 'value')} - {of(name, 'before')}" for name in STEPPED}


def _limits(rules: Rules) -> dict[str, str]:
    found = {of(name, "returns"): _returns(rules, name) for name in STEPPED}
    for name in STEPPED:
        step = threshold(rules, f"step.{name}")
        found[of(name, "suspect")] = _along(step.suspect, of(name, "gap_min"))
        found[of(name, "bad")] = _along(step.bad, of(name, "gap_min"))
    return found


def _severities() -> dict[str, str]:
    return {
        of(name, "severity"): f"{of(name, 'change')} / coalesce({of(name, 'suspect')}, {of(name, 'bad')})"
        for name in STEPPED
    }


def _along(points: tuple[Point, ...], gap_min: str) -> str:
    """The limit of a gap; null where there is none."""
    if not points:
        return "NULL::DOUBLE"
    whens = [f"WHEN {gap_min} <= {points[0][0]!r} THEN {float(points[0][1])!r}::DOUBLE"]
    for before, after in pairwise(points):
        slope = (after[1] - before[1]) / (after[0] - before[0])
        limit = f"{float(before[1])!r}::DOUBLE + ({gap_min} - {before[0]!r}) * {slope!r}::DOUBLE"
        whens.append(f"WHEN {gap_min} <= {after[0]!r} THEN {limit}")
    return f"CASE {' '.join(whens)} END"


def _returns(rules: Rules, name: str) -> str:
    step = threshold(rules, f"step.{name}")

    def least(gap_s: str) -> str:
        gap_min = f"(({gap_s}) / 60.0::DOUBLE)"
        return f"coalesce({_along(step.suspect, gap_min)}, {_along(step.bad, gap_min)})"

    value, before, second = (of(name, what) for what in ("value", "before", "second_before"))
    before_at, second_at = of(name, "before_at"), of(name, "second_before_at")
    led_away = f"abs({before} - {second}) > {least(f'{before_at} - {second_at}')} + {ROUNDING!r}::DOUBLE"
    is_back = f"abs({value} - {second}) <= {least(f'at_s - {second_at}')} + {ROUNDING!r}::DOUBLE"
    return f"coalesce({led_away} AND {is_back} AND ({before} - {second}) * ({value} - {before}) < 0, false)"


def _steps(kind: str) -> dict[str, str]:
    return {
        f"step:{name}": (
            f"abs({of(name, 'change')}) > {of(name, kind)} + {ROUNDING!r}::DOUBLE AND NOT {of(name, 'returns')}"
        )
        for name in STEPPED
    }


def _applied(rules: Rules) -> dict[str, str]:
    found = {f"step:{name}": f"{of(name, 'severity')} IS NOT NULL" for name in STEPPED}
    for name in PERSISTING:
        told = f"({_fills_hour(rules, name)} OR {_has_run(rules, name)})"
        found[f"persistence:{name}"] = f"{of(name, 'value')} IS NOT NULL AND {_may_not_stand(rules, name)} AND {told}"
    return found | {f"spike:{name}": _has_legs(rules, name) for name in SMOOTH}


def _failed(rules: Rules) -> dict[str, str]:
    suspect, bad = _steps("suspect"), _steps("bad")
    found = {test: f"(({suspect[test]}) OR ({bad[test]}))" for test in suspect}
    found |= {f"persistence:{name}": _stands_still(rules, name) for name in PERSISTING}
    return found | {f"spike:{name}": _is_spike(rules, name) for name in SMOOTH}


def _fills_hour(rules: Rules, name: str) -> str:
    reaches = f"at_s - {of(name, 'oldest_at')} >= {PAST_HOUR_S - _HOUR_LACKS_S}"
    return f"({reaches} AND {of(name, 'values')} >= {threshold(rules, 'persistence_least_values')!r})"


def _has_run(rules: Rules, name: str) -> str:
    least_s = int(threshold(rules, "persistence_equal_values") - 2) * 3600
    return f"coalesce(at_s - {of(name, 'run_at')} BETWEEN {least_s} AND {_LONGEST_RUN_S}, false)"


def _may_not_stand(rules: Rules, name: str) -> str:
    if name == "relative_humidity_pct":
        return f"{of(name, 'value')} < {threshold(rules, 'persistence_humidity_below_pct')!r}"
    if name in (SPEED, DIRECTION):
        calm = threshold(rules, "persistence_wind_above_mps") + ROUNDING
        return f"coalesce({of(SPEED, 'mean')} > {calm!r}::DOUBLE, false)"
    return "true"


def _stands_still(rules: Rules, name: str) -> str:
    spread = f"{of(name, 'most')} - {of(name, 'least')}"
    if name == DIRECTION:
        spread = f"least({spread}, {of(_TURNED, 'most')} - {of(_TURNED, 'least')})"
    still = f"{spread} < {threshold(rules, f'persistence.{name}') - ROUNDING!r}::DOUBLE"
    equal = f"{of(name, 'equal_since')} <= {of(name, 'run_at')} AND {_has_run(rules, name)}"
    return f"(CASE WHEN {_fills_hour(rules, name)} THEN {still} ELSE {equal} END)"


def _has_legs(rules: Rules, name: str) -> str:
    within_s = int(threshold(rules, "spike_within_min") * 60)
    return (
        f"{of(name, 'value')} IS NOT NULL AND at_s - {of(name, 'before_at')} <= {within_s} "
        f"AND {of(name, 'after_at')} - at_s <= {within_s} "
        f"AND {of(name, 'sigma_values')} >= {threshold(rules, 'spike_least_values')!r}"
    )


def _is_spike(rules: Rules, name: str) -> str:
    spike = threshold(rules, f"spike.{name}")
    there, back = (f"({of(name, 'value')} - {of(name, side)})" for side in ("before", "after"))
    total, shorter = f"(abs({there}) + abs({back}))", f"least(abs({there}), abs({back}))"
    comes_back = f"{there} * {back} > 0 AND {shorter} >= 0.5 * ({total} - {shorter})"
    sigma = f"greatest({of(name, 'sigma')}, {float(spike.least_sigma)!r}::DOUBLE)"
    return f"({comes_back} AND {total} > {spike.sigmas!r} * {sigma} + {ROUNDING!r}::DOUBLE)"
