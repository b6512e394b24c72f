"""The ledger of backfills: how a run stands while it is at work, and which can be undone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.instance import TEST_SETTINGS

from weahouse.batch.backfills import (
    DONE,
    FAILED,
    RECOMPUTE,
    REPLAY,
    RUNNING,
    UNDONE,
    UndoError,
    at_work,
    new_backfill,
    read_backfill,
    record_backfill,
    undoable,
)
from weahouse.settings import Settings

NOW = datetime(2024, 5, 10, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Settings:
    return replace(TEST_SETTINGS, hdfs_url="file://", hdfs_root=str(tmp_path))


def run(settings: Settings, run_id: str, days_ago: float = 1.0, day: int = 1, **told: Any) -> None:
    """A recompute of a day of May that has replaced rows."""
    span = {"start": f"2024-05-{day:02d}T00:00:00Z", "end": f"2024-05-{day + 1:02d}T00:00:00Z"}
    row = {
        "run_id": run_id,
        "kind": RECOMPUTE,
        "parameters": json.dumps(span),
        "reason": "a test",
        "backfill_state": DONE,
        "chunks": json.dumps([[*span.values(), 7]]),
        "updated": 1,
        "started_at": NOW - timedelta(days=days_ago),
    }
    record_backfill(settings, row | told)


def test_a_recompute_of_the_last_days_can_be_undone(ledger: Settings):
    run(ledger, "a", 6.9)
    run(ledger, "another_day", day=2)
    run(ledger, "changed_nothing", updated=0)
    run(ledger, "gone", backfill_state=UNDONE)
    assert undoable(ledger, "a", NOW)["run_id"] == "a"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"run_id": "b"}, "no backfill 'a' is known"),
        ({"days_ago": 7.1}, "began at 2024-05-02 21:36 UTC: what stood before it is kept for 7 days"),
        ({"backfill_state": UNDONE}, "is undone already"),
        ({"backfill_state": RUNNING}, "has not ended"),
        ({"kind": REPLAY}, "there is nothing to undo"),
        ({"chunks": None, "updated": 0}, "has replaced no row of Curated"),
    ],
)
def test_what_cannot_be_undone_is_refused_in_one_sentence(ledger: Settings, told: dict[str, Any], reason: str):
    run(ledger, **{"run_id": "a"} | told)
    with pytest.raises(UndoError, match=reason):
        undoable(ledger, "a", NOW)


def test_what_a_later_recompute_has_judged_again_waits_for_it(ledger: Settings):
    run(ledger, "a", 3)
    run(ledger, "b", 2)
    with pytest.raises(UndoError, match="raw_recompute a has been built upon: undo b first"):
        undoable(ledger, "a", NOW)
    assert undoable(ledger, "b", NOW)


def test_a_backfill_at_work_tells_how_far_it_is_and_how_it_ended(ledger: Settings):
    def breaks_off() -> None:
        with at_work(ledger, new_backfill("a", REPLAY, {"reason": "a test"}) | {"planned": 40}) as work:
            assert read_backfill(ledger, "a")["backfill_state"] == RUNNING
            work.add({"replayed": 10, "inserted": 3})
            work.record()
            held = read_backfill(ledger, "a")
            assert (held["replayed"], held["inserted"], held["expected_at"] > datetime.now(UTC)) == (10, 3, True)
            raise ConnectionError("killed")

    with pytest.raises(ConnectionError):
        breaks_off()
    held = read_backfill(ledger, "a")
    assert (held["backfill_state"], held["replayed"], held["expected_at"]) == (FAILED, 10, None)
    with at_work(ledger, held) as work:
        # At the pace of this try alone: nothing of it is read yet.
        assert work.row["expected_at"] is None
        work.add({"replayed": 30})
    held = read_backfill(ledger, "a")
    assert (held["backfill_state"], held["replayed"], held["ended_at"] is not None) == (DONE, 40, True)


def test_the_append_times_that_were_read_are_those_of_all_chunks_and_tries(ledger: Settings):
    with at_work(ledger, new_backfill("a", REPLAY, {"reason": "a test"})) as work:
        work.has_read(None, None)
        assert work.row.get("appended_from") is None
        for first_s, last_s in ((100, 110), (90, 95), (101, 102)):
            work.has_read(first_s, last_s)
    held = read_backfill(ledger, "a")
    # To the second: the end, which is exclusive, lies behind the last record.
    assert [held[name].timestamp() for name in ("appended_from", "appended_to")] == [90, 111]
