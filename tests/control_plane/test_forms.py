"""Backfills from Airflow's forms, as a person fills them in: a headless browser, approval included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.control_plane.browser import Browser, opened
from tests.control_plane.dag_runs import DagRun, ask
from tests.integration.conftest import eventually
from tests.qc.readings import rules_with
from weahouse.orchestration import rest
from weahouse.orchestration.backfill_kinds import KINDS, RECOMPUTE, REPLAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.control_plane.conftest import ByHand
    from tests.integration.conftest import Stream
    from weahouse.settings import Settings

# A browser, and six applications of Spark beside the stream.
pytestmark = pytest.mark.browser

RECONCILIATION = "reconciliation"
STATION = "curated-by-hand"
MINUTE = timedelta(minutes=1)
TOO_WARM = f'  stations:\n    "{STATION}": {{range: {{air_temperature_c: {{suspect: [-51.1, 3.0]}}}}}}\n'


@pytest.fixture(scope="module")
def browser(control_plane: Settings, curated_by_hand: ByHand) -> Iterator[Browser]:
    for dag_id in (RECONCILIATION, *KINDS):
        rest.unpause(control_plane, dag_id)
    with opened(control_plane) as found:
        yield found


def ledger(stream: Stream, reason: str) -> list[dict[str, Any]]:
    return stream.lake(f"SELECT * FROM gold.backfill_runs WHERE reason = '{reason}'")


def test_a_replay_is_asked_for_read_and_approved_and_changes_nothing_that_is_there(
    browser: Browser, stream: Stream, curated_by_hand: ByHand
):
    times = {"start": curated_by_hand.since - MINUTE, "end": datetime.now(UTC) + MINUTE}
    texts = {"reason": "from the form", "stations": STATION}
    run = browser.trigger(REPLAY, times, texts, dry_run=False)
    question = browser.question(run, REPLAY.approval_task)
    for text in ("Replay", "records", "from the form", STATION, "curated.observations", "expired from the topic"):
        assert text in question
    browser.approve(run, REPLAY.approval_task)
    run.await_state("success")
    (row,) = ledger(stream, "from the form")
    assert (row["backfill_state"], row["approved_by"]) == ("done", "admin")
    assert (row["inserted"], row["updated"], row["unchanged"]) == (0, 0, 1)
    assert row["replayed"] == row["planned"] > 0

    # The same range again, by its times, is the same run.
    again = browser.trigger(REPLAY, times, texts, dry_run=False)
    browser.question(again, REPLAY.approval_task)
    browser.approve(again, REPLAY.approval_task)
    again.await_state("success")
    assert again.states()["prove"] == "skipped"
    assert ledger(stream, "from the form") == [row]


def test_a_recompute_shows_which_flags_would_change_changes_them_and_is_proved(
    browser: Browser, stream: Stream, curated_by_hand: ByHand, tmp_path: Path
):
    rules_with(tmp_path, TOO_WARM)
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    texts = {"reason": "too warm", "stations": STATION, "rules_file": str(tmp_path / "rules.yaml")}
    run = browser.trigger(RECOMPUTE, {"start": noon, "end": noon + 60 * MINUTE}, texts, dry_run=False)
    question = browser.question(run, RECOMPUTE.approval_task)
    for text in ("Make 1 hour of observation anew from Raw?", "1 flag would change", "suspect", "weahouse lake undo"):
        assert text in question
    flag = f"SELECT air_temperature_c_flag AS flag FROM curated.observations WHERE station_id = '{STATION}'"
    assert stream.lake(flag) == [{"flag": 1}]
    browser.approve(run, RECOMPUTE.approval_task)
    run.await_state("success")
    assert stream.lake(flag) == [{"flag": 3}]
    (row,) = ledger(stream, "too warm")
    assert (row["backfill_state"], row["approved_by"], row["updated"]) == ("done", "admin", 1)

    links = ask(stream.settings, "GET", f"{run.path}/taskInstances/prove/links")["extra_links"]
    assert "/dags/reconciliation/runs/" in links["Triggered DAG"]
    proof = eventually(lambda: DagRun.newest(stream.settings, RECONCILIATION), "a proof")
    proof.await_state("success")
    (proved,) = stream.lake("SELECT * FROM gold.reconciliation ORDER BY reconciled_at DESC LIMIT 1")
    assert [proved[name] for name in ("appended_from", "appended_to")] == [row["appended_from"], row["appended_to"]]
    assert proved["compared_offsets"] > 0
