from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from weahouse.orchestration.status import lag_by_query, state, stream_status
from weahouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
# This very process stands for a driver: it lives, and its group is known.
# The leader of this process, which may have ended already.
PID = os.getpgid(0)
DRIVER = {"pid": os.getpid(), "epoch": 3, "state": "running", "heartbeat_at": NOW.isoformat()}
STOPPED = {"desired": "stopped"}


@pytest.mark.parametrize(
    ("said", "driver", "control", "pid", "supervised"),
    [
        ("running", DRIVER, {}, PID, True),
        ("unsupervised", DRIVER, {}, PID, False),
        ("starting", DRIVER | {"pid": 1}, {}, PID, True),
        ("starting", DRIVER | {"state": "starting"}, {}, PID, True),
        ("starting", {}, {}, None, True),
        ("failed", DRIVER | {"heartbeat_at": (NOW - timedelta(seconds=31)).isoformat()}, {}, PID, True),
        ("failed", DRIVER | {"state": "failed"}, {}, PID, True),
        ("restarting", DRIVER | {"state": "stopping"}, {}, PID, True),
        ("restarting", DRIVER, {}, None, True),
        ("failed", DRIVER, {}, None, False),
        ("stopped", DRIVER, STOPPED, None, True),
        ("stopped", DRIVER, STOPPED, None, False),
        ("stopped", {}, {}, None, False),
        ("stopped", DRIVER | {"state": "stopped"}, {}, None, False),
        ("starting", DRIVER | {"state": "stopped"}, {}, None, True),
        ("failed", DRIVER | {"state": "failed", "refusal": "TopicRecreatedError"}, {}, None, True),
        ("stopped", DRIVER | {"state": "failed", "refusal": "TopicRecreatedError"}, STOPPED, None, True),
    ],
)
def test_the_state_is_one_word(
    said: str, driver: dict[str, Any], control: dict[str, Any], pid: int | None, supervised: bool
) -> None:
    assert state({"driver": driver, "control": control}, pid, supervised, NOW) == said


def test_a_crash_cycle_is_called_failed() -> None:
    assert state({"driver": DRIVER, "supervision": {"restarts": 3}}, None, True, NOW) == "failed"


def test_each_querys_lag_counts_what_it_has_not_committed() -> None:
    progress = {"archive": {"committed_offsets": {"0": 40, "1": 5}}, "observations": {"committed_offsets": {"0": 50}}}
    assert lag_by_query(progress, begin={0: 0, 1: 2}, end={0: 50, 1: 5}) == {"archive": 10, "observations": 3}


def test_a_query_without_progress_lags_by_all_that_the_topic_holds() -> None:
    assert lag_by_query({}, begin={0: 10}, end={0: 30}) == {"archive": 20, "observations": 20}


def test_status_of_an_instance_that_is_down_comes_fast_and_says_so(tmp_path: Path) -> None:
    started = time.monotonic()
    found = stream_status(Settings(home=tmp_path, port_offset=21_999))
    # Two seconds are enough; cores that are busy with other work may take longer, and no client waits for a server.
    assert time.monotonic() - started < 10
    unknown = ("error", "epoch", "pid", "lag_records", "watermark", "last_batch_at", "topic_id", "gaps")
    assert found == dict.fromkeys(unknown) | {"state": "stopped"}
