from __future__ import annotations

import pytest
from tests.alerts.rows import at, rules, wind

from weahouse.alerts.conditions import points
from weahouse.alerts.readings import Reading, trusted


def met(entry: dict[str, object], values: dict[float, float]) -> list[float]:
    """The minutes at which a rule's condition is met."""
    [rule] = rules(rule=entry).rules
    return [(point.at - at(0)).total_seconds() / 60 for point in points(rule, wind(values), at(0)) if point.is_met]


def test_a_threshold_is_met_at_its_limit_and_not_below():
    assert met({}, {0: 19.9, 10: 20.0, 20: 20.1}) == [10, 20]


def test_a_threshold_from_above_is_met_at_its_limit_and_below():
    cold = {"at_least": ..., "clear_below": ..., "at_most": 0.0, "clear_above": 1.0}
    assert met(cold, {0: 0.1, 10: 0.0, 20: -0.1}) == [10, 20]


def test_a_mean_is_over_the_reports_of_its_span():
    over = {"statistic": "mean", "over_min": 10}
    assert met(over, {0: 10.0, 5: 30.0, 9: 19.9, 10: 20.0, 30: 20.0}) == [5, 10, 30]


def test_a_sum_of_six_reports_of_ten_minutes_is_an_hours():
    over = {"statistic": "sum", "over_min": 60, "at_least": 15.0, "clear_below": 5.0}
    assert met(over, dict.fromkeys(range(0, 60, 10), 2.5)) == [50]
    assert met(over, {0: 5.0} | dict.fromkeys(range(10, 70, 10), 2.0)) == [50]


@pytest.mark.parametrize(("statistic", "values"), [("fall", {0: 20.0, 120: 13.9}), ("rise", {0: 13.9, 120: 20.0})])
def test_a_change_is_met_within_its_span_and_not_over_a_longer_one(statistic: str, values: dict[float, float]):
    change = {"kind": "change", "statistic": statistic, "over_min": 120, "at_least": 6.1, "clear_below": 3.0}
    assert met(change, values) == [120]
    assert met(change | {"over_min": 119}, values) == []


def test_a_fall_within_less_than_the_span_counts_too():
    change = {"kind": "change", "statistic": "fall", "over_min": 180, "at_least": 6.0, "clear_below": 3.0}
    assert met(change, {0: 10.0, 60: 20.0, 90: 14.0}) == [90]


def test_a_duration_is_met_when_every_report_of_the_time_was_beyond():
    lasting = {"kind": "duration", "for_min": 30}
    assert met(lasting, {0: 21, 10: 21, 20: 19, 30: 21, 40: 21, 50: 21, 60: 21}) == [60]


def test_a_duration_does_not_go_on_through_a_gap():
    assert met({"kind": "duration", "for_min": 30, "gap_min": 60}, {0: 21, 61: 21, 91: 21}) == [91]


def test_a_repetition_counts_the_reports_within_its_span():
    often = {"kind": "repetition", "times": 3, "within_min": 30}
    assert met(often, {0: 21, 10: 1, 15: 21, 29: 21, 30: 21, 50: 21, 61: 21}) == [29, 30, 50]


def test_of_two_variables_one_is_never_compared_with_the_other():
    [rule] = rules(
        fall={
            "kind": "change",
            "variables": ["air_pressure_at_sea_level_hpa", "air_pressure_hpa"],
            "statistic": "fall",
            "over_min": 180,
            "at_least": 6.0,
            "clear_below": 3.0,
        }
    ).rules
    apart = [
        Reading(at(0), {"air_pressure_at_sea_level_hpa": 1013.0}),
        Reading(at(60), {"air_pressure_hpa": 990.0}),
        Reading(at(120), {"air_pressure_at_sea_level_hpa": 1012.0, "air_pressure_hpa": 983.0}),
    ]
    [point] = [point for point in points(rule, apart, at(0)) if point.is_met]
    assert (point.at, point.value, point.variable) == (at(120), 7.0, "air_pressure_hpa")


@pytest.mark.parametrize(("flag", "is_trusted"), [(1, True), (2, True), (3, False), (4, False), (9, False)])
def test_only_values_that_quality_control_trusts_are_readings(flag: int, is_trusted: bool):
    row = {"observed_at": at(0), "wind_speed_mps": 50.0, "wind_speed_mps_flag": flag}
    [reading] = trusted([row], ["wind_speed_mps"])
    assert reading.values == ({"wind_speed_mps": 50.0} if is_trusted else {})
