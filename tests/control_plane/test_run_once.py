"""Dags run once by the command on Airflow's own processes, and the doctor on a platform that is at work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tests.control_plane.dag_runs import ask
from tests.rows import event
from weahouse.cli import app
from weahouse.cli.state import remember_feed
from weahouse.orchestration.hand_runs import DAG_IDS, HandRun
from weahouse.orchestration.schedules import switch_on

if TYPE_CHECKING:
    from tests.integration.conftest import Stream
    from weahouse.settings import Settings


REPLAY_AND_COMPACTION = ("--only", "kafka_replay", "--only", "lake_compaction")


def told(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of a command, run in this process under the tests' settings."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def is_paused(settings: Settings, dag_id: str) -> bool:
    return bool(ask(settings, "GET", f"dags/{dag_id}")["is_paused"])


def test_the_named_dags_run_once_in_order_and_paused_ones_are_woken(control_plane: Settings, stream: Stream):
    stream.send(event(station_id="run-once", air_temperature_c=4.0))
    stream.settle()
    code, found = told("dags", "run-once", *REPLAY_AND_COMPACTION, "--timeout", "6m")
    assert (code, found["verdict"]) == (0, "ok"), found
    compaction, replay = found["runs"]
    assert [(run["dag_id"], run["state"], run["was_paused"]) for run in (compaction, replay)] == [
        ("lake_compaction", "success", True),
        ("kafka_replay", "success", True),
    ]
    assert set(compaction["tasks"].values()) == {"success"}
    assert replay["tasks"]["replay_observations"] == "skipped"
    assert not is_paused(control_plane, "lake_compaction")


def test_a_dag_is_switched_on_once_and_stays_paused_where_somebody_pauses_it(control_plane: Settings):
    assert switch_on(control_plane, DAG_IDS) == list(DAG_IDS)
    assert not any(is_paused(control_plane, dag_id) for dag_id in DAG_IDS)
    ask(control_plane, "PATCH", "dags/data_quality", {"is_paused": True})
    assert switch_on(control_plane, DAG_IDS) == []
    assert is_paused(control_plane, "data_quality")


def test_the_doctor_finds_the_path_fine_and_names_what_is_not(control_plane: Settings, stream: Stream):
    remember_feed(control_plane, "none")
    code, found = told("doctor")
    wrong = {stage["stage"]: stage["verdict"] for stage in found["stages"] if stage["verdict"] != "fine"}
    # The test before has paused one, nobody has woken the other, and the tests' pace would outgrow a folder in a week.
    expected = {"Dag stream_supervision": "empty", "Dag data_quality": "empty", "folders": "stale"}
    assert wrong.items() >= expected.items(), found
    # Tests of other files let Dags fail.
    assert all(name.startswith("Dag ") for name in wrong.keys() - expected.keys()), found
    assert code == 1
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert all(stages[name]["last_at"] for name in ("topic", "stream", "raw.observations", "Cassandra"))
    assert stages["raw.observations"]["held"] != "0 rows"


def test_a_run_that_fails_is_told_by_the_exit_code(control_plane: Settings, monkeypatch: pytest.MonkeyPatch):
    wrong = HandRun("observation_curation", lambda _: {"hour": "2024-05-01T13"})
    monkeypatch.setattr("weahouse.cli.dags.ORDER", (wrong,))
    code, found = told("dags", "run-once")
    assert (code, found["verdict"]) == (1, "attention")
    assert (found["runs"][0]["state"], found["runs"][0]["tasks"]["plan_unit"]) == ("failed", "failed")


def test_what_has_not_ended_in_time_is_told_and_nothing_else_begun(control_plane: Settings):
    code, found = told("dags", "run-once", "--only", "kafka_replay", "--only", "raw_recompute", "--timeout", "0.5s")
    assert code == 1
    assert [run["state"] for run in found["runs"]] == ["timed out", "not begun"]
