from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from weahouse.orchestration.supervision import Look, Watch, backoff_s

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
# This very process stands for a driver: it lives, and its group is known.
# The leader of this process, which may have ended already.
PID = os.getpgid(0)


def look(now: datetime = NOW, beat: datetime | None = None, lag: int = 0, **changes: Any) -> Look:
    driver = {
        "pid": os.getpid(),
        "epoch": 3,
        "state": "running",
        "heartbeat_at": (beat or now).isoformat(),
        "waiting_on": None,
    }
    query = {"batch_id": 7, "waiting_on": changes.pop("waiting_on", None)}
    progress = {"driver": driver | changes.pop("driver", {}), "observations": query}
    values: dict[str, Any] = {"pid": PID, "process_age_s": 600.0, "lag": {"observations": lag}} | changes
    return Look(progress=progress, now=now, **values)


def test_a_driver_that_beats_and_keeps_up_is_left_alone() -> None:
    assert Watch().why_restart(look()) is None


def test_a_driver_that_is_gone_is_restarted_and_its_own_error_is_the_reason() -> None:
    reason = Watch().why_restart(look(pid=None, driver={"error": "the topic was deleted."}))
    assert reason == "the driver is gone: the topic was deleted"


def test_a_driver_that_refused_to_go_on_is_not_restarted() -> None:
    refused = {"error": "TopicRecreatedError: …", "refusal": "TopicRecreatedError", "state": "failed"}
    assert Watch().why_restart(look(pid=None, driver=refused)) is None


def test_a_driver_killed_without_a_word_sends_the_reader_to_its_log() -> None:
    assert "weahouse logs stream" in str(Watch().why_restart(look(pid=None)))


def test_a_driver_whose_heartbeat_is_an_older_drivers_is_starting() -> None:
    other = {"driver": {"pid": 1}}
    assert Watch().why_restart(look(**other, process_age_s=100)) is None
    assert "no sign of life" in str(Watch().why_restart(look(**other, process_age_s=200)))


def test_a_stale_heartbeat_restarts_when_it_is_seen_twice() -> None:
    watch, beat = Watch(), NOW - timedelta(seconds=70)
    assert watch.why_restart(look(NOW, beat)) is None
    assert "stuck" in str(watch.why_restart(look(NOW + timedelta(seconds=3), beat)))


def test_after_the_machine_slept_a_heartbeat_that_moves_again_restarts_nothing() -> None:
    watch = Watch()
    assert watch.why_restart(look(NOW, NOW - timedelta(hours=8))) is None
    assert watch.why_restart(look(NOW + timedelta(seconds=3), NOW)) is None


def test_a_query_that_ends_no_batch_while_records_wait_is_stalled() -> None:
    watch = Watch()
    assert watch.why_restart(look(lag=10)) is None
    assert watch.why_restart(look(NOW + timedelta(minutes=4), lag=12)) is None
    assert "12 records wait" in str(watch.why_restart(look(NOW + timedelta(minutes=6), lag=12)))


def test_a_stream_that_was_idle_for_hours_is_not_stalled_by_its_first_records() -> None:
    watch = Watch()
    assert watch.why_restart(look(lag=0)) is None
    assert watch.why_restart(look(NOW + timedelta(hours=5), lag=0)) is None
    assert watch.why_restart(look(NOW + timedelta(hours=5, seconds=3), lag=500)) is None


def test_waiting_for_a_server_is_not_stalling() -> None:
    watch = Watch()
    for minutes in range(0, 30, 3):
        assert watch.why_restart(look(NOW + timedelta(minutes=minutes), lag=9, waiting_on="cassandra")) is None


@pytest.mark.parametrize(("restarts", "seconds"), [(0, 0), (1, 5), (2, 10), (3, 20), (7, 300), (500, 300)])
def test_the_first_restart_is_immediate_and_later_ones_wait_longer(restarts: int, seconds: int) -> None:
    assert backoff_s(restarts) == seconds
