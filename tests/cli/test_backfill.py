"""`weahouse backfill` as far as it needs no Airflow: what may be asked, and how the ledger is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from tests.instance import TEST_SETTINGS
from typer.testing import CliRunner

from weahouse.batch.backfills import DONE, RECOMPUTE, REPLAY, RUNNING, new_backfill, record_backfill
from weahouse.cli import app
from weahouse.cli.backfill import left_to_airflow
from weahouse.cli.backfill_status import far, progress, verdict
from weahouse.cli.errors import UserError
from weahouse.orchestration.backfill_kinds import DRY_RUN, KINDS, Kind
from weahouse.orchestration.backfill_kinds import REPLAY as OF_KAFKA
from weahouse.orchestration.dag_runs import DagRun, Look, Task
from weahouse.settings import Settings

NOW = datetime(2024, 5, 10, 14, 5, tzinfo=UTC)
RANGE = ("--start", "2024-05-01T12:00:00Z", "--end", "2024-05-01T13:00:00Z")


def weahouse(*words: str) -> Result:
    return CliRunner().invoke(app, ["backfill", *words])


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An instance whose lake is a folder, and whose Airflow does not answer."""
    found = replace(
        TEST_SETTINGS, home=tmp_path, hdfs_url="file://", hdfs_root=str(tmp_path), airflow_url="http://127.0.0.1:1"
    )
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "airflow.token").write_text("kept")
    monkeypatch.setattr("weahouse.cli.backfill.settings", lambda: found)
    return found


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_options_are_what_the_dags_form_asks(verb: str, kind: Kind):
    told = weahouse(verb, kind.dag_id, "--help").stdout
    for name in kind.asks:
        assert (f"--{name.replace('_', '-')} " in told) is (name != DRY_RUN)
    assert f"weahouse backfill {verb} {kind.dag_id} --start" in " ".join(told.split())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("plan", "kafka_replay", "--start", "yesterday", "--end", "now"), "start 'yesterday' is no time with a zone"),
        (("plan", "kafka_replay", *RANGE, "--end-offsets", "{}"), "are both given"),
        (("run", "kafka_replay", *RANGE), "reason is empty"),
        (("plan", "raw_recompute", *RANGE, "--zones", "silver"), "zones has 'silver'"),
        (("plan", "raw_recompute", *RANGE, "--rules-file", "rules.yaml"), "is no absolute path"),
        (("run", "raw_recompute", *RANGE, "--reason", "why", "--json"), "--json asks no questions: add --yes"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_airflow_is_asked(away: Settings, words: tuple[str, ...], reason: str):
    done = weahouse(*words)
    assert isinstance(done.exception, UserError)
    assert reason in str(done.exception)


def test_an_airflow_that_does_not_answer_is_told_in_one_sentence(away: Settings):
    done = weahouse("plan", "kafka_replay", *RANGE)
    assert isinstance(done.exception, UserError)
    assert "Airflow at http://127.0.0.1:1 does not answer" in str(done.exception)


def test_who_stops_looking_is_told_that_the_run_goes_on(away: Settings, capsys: pytest.CaptureFixture[str]):
    def stops_looking() -> None:
        with left_to_airflow(away, DagRun("kafka_replay", "manual__1")):
            raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as ended:
        stops_looking()
    assert ended.value.exit_code == 130
    told = capsys.readouterr().err
    assert "kafka_replay goes on in Airflow" in told
    assert "http://127.0.0.1:1/dags/kafka_replay/runs/manual__1" in told
    assert "weahouse backfill status" in told


def begun(settings: Settings, run_id: str, kind: str, **told: Any) -> None:
    asked = {"start": "2024-05-01T00:00:00Z", "end": "2024-05-02T00:00:00Z", "reason": f"why {run_id}"}
    record_backfill(settings, new_backfill(run_id, kind, asked) | {"backfill_state": RUNNING, "planned": 40} | told)


def test_the_list_tells_how_far_each_is_and_who_wanted_it_and_why(away: Settings):
    assert "no backfill was begun so far" in weahouse("status").stdout
    begun(away, "a1", REPLAY, replayed=10, expected_at=NOW, approved_by="admin")
    begun(away, "b2", RECOMPUTE, backfill_state=DONE, updated=7)
    told = weahouse("status").stdout
    for text in ("a1", "25 %, all read about 14:05:00 UTC", "admin", "why a1", "b2", "100 %", "why b2"):
        assert text in told
    rows = json.loads(weahouse("status", "--json").stdout)
    assert {row["run_id"]: row["backfill_state"] for row in rows} == {"a1": RUNNING, "b2": DONE}


def test_one_backfill_is_told_whole_with_its_way_back_and_its_proof(away: Settings):
    done = {"backfill_state": DONE, "updated": 7, "ended_at": datetime.now(UTC)}
    begun(away, "b2", RECOMPUTE, chunks=json.dumps([["2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z", 3]]), **done)
    told = weahouse("status", "b2").stdout
    for text in ("weahouse lake undo b2", "7 replaced", 'start "2024-05-01T00:00:00Z"', "none since; `reconciliation`"):
        assert text in told
    begun(away, "a1", REPLAY, **done)
    assert "there is nothing to undo" in weahouse("status", "a1").stdout


def test_a_backfill_that_is_not_known_is_refused(away: Settings):
    done = weahouse("status", "c3")
    assert isinstance(done.exception, UserError)
    assert "no backfill 'c3' is known: `weahouse backfill status` lists them" in str(done.exception)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"backfill_state": RUNNING, "planned": None}, "-"),
        ({"backfill_state": RUNNING, "planned": 40, "replayed": 10}, "25 %"),
        ({"backfill_state": "broken off", "planned": 40, "replayed": 10}, "25 %; the same asked again goes on"),
        ({"backfill_state": DONE, "planned": None}, "100 %"),
    ],
)
def test_how_far_a_backfill_is(row: dict[str, Any], told: str):
    assert far(row) == told


def test_the_bar_shows_the_run_first_then_its_records_then_what_follows_them():
    waiting = Look(
        "running", 1.0, (Task(OF_KAFKA.approval_task, "success", 1.0), Task("replay_observations", "queued", None))
    )
    assert progress(None, waiting, OF_KAFKA) == {"state": "replay_observations queued"}
    at_work = Look("running", 9.0, (Task("replay_observations", "running", 5.0),))
    row = {"planned": 40, "replayed": 10, "expected_at": NOW}
    assert progress(row, at_work, OF_KAFKA) == {"completed": 10, "total": 40, "state": "until about 14:05:00 UTC"}
    assert progress(row | {"replayed": 40}, at_work, OF_KAFKA)["state"].startswith("all is read")


def test_the_youngest_proof_counts():
    nothing = dict.fromkeys(("unaccounted_offsets", "doubled_offsets", "differing_rows", "differing_panes"), 0)
    older = {**nothing, "differing_gold": 2, "compared_offsets": 9, "compared_rows": 8, "reconciled_at": NOW}
    assert verdict([older]).startswith("2 differing_gold of 9 offsets and 8 rows, 2024-05-10 14:05 UTC")
    younger = older | {"differing_gold": 0, "reconciled_at": NOW + timedelta(hours=1)}
    assert verdict([younger, older]).startswith("nothing differs of 9 offsets and 8 rows, 2024-05-10 15:05 UTC")
    assert verdict([younger | {"differing_verdicts": 1}]).startswith("1 differing_verdicts of 9 offsets")
