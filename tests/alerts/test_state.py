"""What becomes of alerts when readings come, come late, are corrected or taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.alerts.rows import LATENESS, Station, at, published, rules, states, wind

from weahouse.alerts.scope import scope_of
from weahouse.alerts.state import lapse


@pytest.fixture
def station() -> Station:
    return Station(rules(windy={}))


def gale(station: Station) -> str:
    """An alert from 12:00 to 12:30, cleared at 12:40; its id."""
    station.tell(*wind({0: 21, 10: 25, 20: 22, 30: 16, 40: 10}), now=at(41))
    [alert] = station.standing
    return alert.alert_id


def test_an_alert_tells_where_when_how_much_and_how_late_it_was_found(station: Station):
    [change] = station.tell(*wind({0: 21.0}), now=at(1.5))
    alert = change.alert
    assert (alert.alert_state, alert.station_id, alert.region, alert.severity) == ("raised", "a", "us-ca", "minor")
    assert (alert.rule, alert.rule_version) == ("windy", station.rules.rules[0].version)
    assert (alert.variable, alert.trigger_value, alert.limit_value) == ("wind_speed_mps", 21.0, 20.0)
    assert (alert.event_at, alert.raised_at, alert.detection_delay_s) == (at(0), at(1.5), 90.0)
    assert change.is_published


def test_an_alert_holds_until_a_report_lies_beyond_its_lower_limit(station: Station):
    assert states(station.tell(*wind({0: 21}), now=at(0))) == ["raised"]
    assert published(station.tell(*wind({10: 16}), now=at(10))) == []
    assert published(station.tell(*wind({20: 14.9}), now=at(20))) == ["cleared"]
    [alert] = station.standing
    assert (alert.last_window, alert.cleared_at) == (at(10), at(20))


def test_a_new_peak_is_told_and_a_lower_value_is_not(station: Station):
    station.tell(*wind({0: 21}), now=at(0))
    assert published(station.tell(*wind({5: 24}), now=at(5))) == ["updated"]
    assert published(station.tell(*wind({6: 22}), now=at(6))) == []
    [alert] = station.standing
    assert (alert.peak_value, alert.peak_at, alert.alert_revision) == (24, at(5), 2)


def test_within_the_quiet_period_the_same_alert_goes_on(station: Station):
    first = gale(station)
    assert published(station.tell(*wind({60: 21}), now=at(60))) == ["updated"]
    [alert] = station.standing
    assert (alert.alert_id, alert.run_started_at, alert.cleared_at) == (first, at(60), None)


def test_after_the_quiet_period_another_alert_is_raised(station: Station):
    first = gale(station)
    assert published(station.tell(*wind({101: 21}), now=at(101))) == ["raised"]
    assert [alert.alert_id == first for alert in station.standing] == [True, False]


def test_an_alert_lapses_when_reports_stay_away(station: Station):
    station.tell(*wind({0: 21}), now=at(0))
    [alert] = station.standing
    [rule] = station.rules.rules
    assert lapse(rule, alert, at(130), LATENESS) is None
    change = lapse(rule, alert, at(131), LATENESS)
    assert change is not None
    assert (change.alert.alert_state, change.alert.cleared_at) == ("cleared", at(130))


def test_reports_after_a_gap_begin_another_alert(station: Station):
    station.tell(*wind({0: 21, 200: 21}), now=at(200))
    assert [(alert.event_at, alert.cleared_at) for alert in station.standing] == [(at(0), at(130)), (at(200), None)]


def test_after_a_month_an_alert_ends_and_what_is_still_on_begins_another(station: Station):
    hours = wind(dict.fromkeys(range(0, 80 * 24 * 60, 60), 21.0))
    station.tell(*hours, now=hours[-1].observed_at)
    begun = [(alert.event_at - at(0)).days for alert in station.standing]
    assert begun == [0, 31, 62]
    assert [alert.cleared_at for alert in station.standing] == [alert.event_at for alert in station.standing[1:]] + [
        None
    ]
    in_order = Station(station.rules)
    for hour in hours:
        in_order.tell(hour, now=hour.observed_at)
    assert [a.alert_id for a in in_order.standing] == [a.alert_id for a in station.standing]


def test_an_earlier_beginning_of_a_long_alert_moves_all_that_follow(station: Station):
    hours = wind(dict.fromkeys(range(0, 40 * 24 * 60, 60), 21.0))
    station.tell(*hours, now=hours[-1].observed_at)
    earlier = wind({-60: 21.0})
    station.tell(*earlier, now=hours[-1].observed_at)
    whole = Station(station.rules)
    whole.tell(*earlier, *hours, now=hours[-1].observed_at)
    assert [a.alert_id for a in station.standing] == [a.alert_id for a in whole.standing]


def test_judging_again_changes_nothing(station: Station):
    gale(station)
    assert station.judge(at(0), at(40), now=at(500)) == []
    assert station.judge(at(20), at(20), now=at(500)) == []


def test_an_alert_whose_values_are_corrected_away_is_withdrawn(station: Station):
    station.tell(*wind({0: 21}), now=at(0))
    assert published(station.tell(*wind({0: 11}), now=at(5))) == ["withdrawn"]
    assert station.standing == []


def test_an_alert_whose_values_are_doubted_later_is_withdrawn(station: Station):
    first = gale(station)
    assert published(station.tell(now=at(60), gone=[at(0), at(10), at(20)])) == ["withdrawn"]
    assert station.alerts[first].superseded_by is None


def test_a_withdrawn_alert_is_raised_again_when_its_ground_returns(station: Station):
    station.tell(*wind({0: 21}), now=at(0))
    station.tell(*wind({0: 11}), now=at(5))
    assert published(station.tell(*wind({0: 21}), now=at(6))) == ["raised"]
    assert station.standing[0].alert_revision == 3


def test_a_corrected_peak_is_looked_for_in_the_whole_alert(station: Station):
    station.tell(*wind({minute: 21 + minute / 100 for minute in range(0, 600, 10)}), now=at(600))
    station.tell(*wind({600: 40}), now=at(601))
    assert published(station.tell(*wind({600: 21}), now=at(602))) == ["updated"]
    assert (station.standing[0].peak_value, station.standing[0].peak_at) == (26.9, at(590))


def test_a_correction_of_the_only_report_of_a_pane_takes_that_pane_from_the_alert(station: Station):
    station.tell(*wind({0: 25, 13: 21, 22: 10}), now=at(23))
    assert station.standing[0].last_window == at(10)
    station.tell(*wind({13: 10}), now=at(24))
    assert (station.standing[0].last_window, station.standing[0].cleared_at) == (at(0), at(13))


def test_late_data_before_an_alert_take_its_place(station: Station):
    first = gale(station)
    station.alerts[first] = replace(station.alerts[first], acknowledged_by="kim", acknowledged_at=at(42))
    changes = station.tell(*wind({-20: 21}), now=at(60))
    assert states(changes) == ["withdrawn", "cleared"]
    [alert] = station.standing
    assert (alert.event_at, alert.cleared_at, alert.acknowledged_by) == (at(-20), at(40), "kim")
    assert station.alerts[first].superseded_by == alert.alert_id


def test_late_data_between_two_alerts_join_them(station: Station):
    station.tell(*wind({0: 21, 10: 10, 100: 22, 110: 10}), now=at(120))
    assert len(station.standing) == 2
    assert sorted(states(station.tell(*wind({50: 21}), now=at(121)))) == ["cleared", "withdrawn"]
    [alert] = station.standing
    assert (alert.event_at, alert.run_started_at, alert.cleared_at, alert.peak_value) == (at(0), at(50), at(110), 22)


def test_late_data_within_an_alert_split_it(station: Station):
    station.tell(*wind({0: 21, 100: 21, 110: 10}), now=at(120))
    assert len(station.standing) == 1
    assert sorted(states(station.tell(*wind({10: 10}), now=at(121)))) == ["cleared", "cleared"]
    assert [(a.event_at, a.cleared_at) for a in station.standing] == [(at(0), at(10)), (at(100), at(110))]


def test_late_data_extend_an_alert(station: Station):
    first = gale(station)
    assert published(station.tell(*wind({35: 23}), now=at(60))) == []
    assert station.alerts[first].last_window == at(30)


def test_an_old_event_is_stored_and_told_to_nobody(station: Station):
    long_after = at(40) + LATENESS
    changes = station.tell(*wind({0: 21, 10: 10}), now=long_after)
    assert (states(changes), published(changes)) == (["historical"], [])
    changes = station.tell(*wind({0: 11}), now=long_after)
    assert (states(changes), published(changes)) == (["withdrawn"], [])


def test_an_old_event_that_goes_on_until_now_is_told(station: Station):
    long = dict.fromkeys(range(0, 1000, 60), 21.0)
    assert published(station.tell(*wind(long), now=at(1000))) == ["raised"]


def test_an_acknowledgement_survives_what_comes_after(station: Station):
    station.tell(*wind({0: 21}), now=at(0))
    [alert] = station.standing
    station.alerts[alert.alert_id] = replace(alert, acknowledged_by="kim", acknowledged_at=at(1))
    station.tell(*wind({5: 30}), now=at(5))
    station.tell(*wind({10: 1}), now=at(10))
    [alert] = station.standing
    assert (alert.alert_state, alert.acknowledged_by) == ("cleared", "kim")


def test_each_write_of_an_alert_is_newer_than_the_one_before(station: Station):
    versions = []
    for minute, value in ((0, 21), (5, 25), (10, 10)):
        [change] = station.tell(*wind({minute: value}), now=at(60))
        versions.append(change.alert.version)
    assert versions == sorted(set(versions))


def test_a_region_that_a_rule_leaves_out_has_no_alert_of_it():
    station = Station(rules(windy={"regions": {"exclude": ["us-*"]}}))
    assert station.tell(*wind({0: 50}), now=at(0)) == []


def test_a_live_report_asks_for_a_bounded_time_however_long_the_alert(station: Station):
    station.tell(*wind(dict.fromkeys(range(0, 6000, 60), 21)), now=at(6000))
    scope = scope_of(station.rules, station.standing, "a", "us-ca", at(6009), at(6009))
    assert (scope.since - scope.reads_from(station.rules)).total_seconds() / 60 == 10
    # Not at the beginning of its pane: a station that reports each second would be judged for all of it each time.
    assert scope.since == at(6009)


def test_of_what_lies_before_a_report_only_that_is_read_which_the_rules_in_question_look_at():
    station = Station(rules(mean={"statistic": "mean", "over_min": 10}, lasting={"kind": "duration", "for_min": 60}))

    def minutes_back(*names: str) -> float:
        scope = scope_of(station.rules, [], "a", "us-ca", at(0), at(0), frozenset(names))
        return (scope.since - scope.reads_from(station.rules)).total_seconds() / 60

    # A pane more each; a run of reports that lasts goes on over a gap of 120 minutes.
    assert minutes_back("mean") == 20
    assert minutes_back("mean", "lasting") == 190


def test_the_report_before_is_looked_for_further_back_where_none_was_read(station: Station):
    station.tell(*wind({0: 25, 103: 21, 110: 10}), now=at(111))
    assert station.standing[0].last_window == at(100)
    station.tell(*wind({103: 10}), now=at(112))
    assert (station.standing[0].last_window, station.standing[0].cleared_at) == (at(0), at(103))
