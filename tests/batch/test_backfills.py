"""Which recomputes can be undone, by the ledger alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.instance import TEST_SETTINGS

from weahouse.batch.backfills import DONE, RECOMPUTE, REPLAY, RUNNING, UNDONE, UndoError, record_backfill, undoable
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
