from __future__ import annotations

from tests.alerts.rows import at, rules

from weahouse.alerts.alert import Alert
from weahouse.alerts.silence import next_silence

[RULE] = rules(
    silent={
        "kind": "silence",
        "after_min": 30,
        **dict.fromkeys(("variables", "at_least", "clear_below", "gap_min"), ...),
    }
).rules


def begun() -> Alert:
    [change] = next_silence(RULE, None, "a", "us-ca", seen=at(3), now=at(34))
    return change.alert


def test_a_station_is_silent_when_its_time_is_over_and_not_before():
    assert next_silence(RULE, None, "a", "us-ca", seen=at(3), now=at(32)) == []
    alert = begun()
    assert (alert.alert_state, alert.event_at, alert.detection_delay_s) == ("raised", at(33), 60.0)


def test_a_silence_that_goes_on_is_told_once():
    assert next_silence(RULE, begun(), "a", "us-ca", seen=at(3), now=at(3000)) == []


def test_a_silence_ends_with_the_next_record_and_tells_how_long_it_was():
    [change] = next_silence(RULE, begun(), "a", "us-ca", seen=at(63), now=at(64))
    assert (change.alert.alert_state, change.alert.cleared_at, change.alert.peak_value) == ("cleared", at(63), 60.0)
    assert change.is_published


def test_two_silences_within_one_pane_are_two():
    [short] = rules(
        silent={
            "kind": "silence",
            "after_min": 0.5,
            **dict.fromkeys(("variables", "at_least", "clear_below", "gap_min"), ...),
        }
    ).rules
    [first] = next_silence(short, None, "a", "us-ca", seen=at(1), now=at(2))
    ended, second = next_silence(short, first.alert, "a", "us-ca", seen=at(3), now=at(4))
    assert (ended.alert.alert_state, second.alert.alert_state) == ("cleared", "raised")
    assert ended.alert.alert_id == first.alert.alert_id != second.alert.alert_id


def test_a_station_that_fell_silent_again_has_another_alert():
    first = begun()
    ended, second = next_silence(RULE, first, "a", "us-ca", seen=at(63), now=at(100))
    assert [ended.alert.alert_id == first.alert_id, second.alert.alert_id == first.alert_id] == [True, False]
