"""Each scheduled Dag once on Airflow's own processes, and the doctor on a platform that is at work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.control_plane import ask
from tests.rows import event
from typer.testing import CliRunner

from weahouse.cli import app
from weahouse.cli.state import remember_feed
from weahouse.orchestration.run_once import ORDER, ScheduledDag

if TYPE_CHECKING:
    from tests.integration.conftest import Stream

    from weahouse.settings import Settings


def told(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of a command, run in this process under the tests' settings."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_each_dag_runs_once_in_order_and_paused_ones_are_woken(control_plane: Settings, stream: Stream):
    stream.send(event(station_id="run-once", air_temperature_c=4.0))
    stream.settle()
    for dag in ORDER:
        ask(control_plane, "PATCH", f"dags/{dag.dag_id}", {"is_paused": True})
    code, found = told("dags", "run-once", "--timeout", "6m")
    assert (code, found["verdict"]) == (0, "ok"), found
    assert [(run["dag_id"], run["state"], run["was_paused"]) for run in found["runs"]] == [
        (dag.dag_id, "success", True) for dag in ORDER
    ]
    assert all(run["duration_s"] > 0 and set(run["tasks"].values()) == {"success"} for run in found["runs"])
    assert [ask(control_plane, "GET", f"dags/{dag.dag_id}")["is_paused"] for dag in ORDER] == [False] * len(ORDER)


def test_the_doctor_finds_the_path_fine_and_names_what_is_not(control_plane: Settings, stream: Stream):
    remember_feed(control_plane, "none")
    code, found = told("doctor")
    wrong = {stage["stage"]: stage["verdict"] for stage in found["stages"] if stage["verdict"] != "fine"}
    # Every Dag of the tests is paused until it is wanted, and their pace would outgrow a folder in a week.
    assert wrong == {"Dag stream_supervision": "empty", "folders": "stale"}, found
    assert code == 1
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert all(stages[name]["last_at"] for name in ("topic", "stream", "raw.observations", "Cassandra"))
    assert all(stages[name]["held"] != "0 rows" for name in ("raw.observations", "curated.ingest_units"))


def test_a_run_that_fails_is_told_by_the_exit_code(control_plane: Settings, monkeypatch: pytest.MonkeyPatch):
    wrong = ScheduledDag("observation_curation", lambda _: {"hour": "2024-05-01T13"})
    monkeypatch.setattr("weahouse.orchestration.run_once.ORDER", (wrong,))
    code, found = told("dags", "run-once")
    assert (code, found["verdict"]) == (1, "attention")
    assert (found["runs"][0]["state"], found["runs"][0]["tasks"]["plan_unit"]) == ("failed", "failed")


def test_what_has_not_ended_in_time_is_told_and_nothing_else_begun(control_plane: Settings):
    code, found = told("dags", "run-once", "--timeout", "0.5s")
    assert code == 1
    assert [run["state"] for run in found["runs"]] == ["timed out", "not begun"]
