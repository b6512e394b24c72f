"""`weahouse dags` as far as it needs no Airflow: what is chosen, what is told while runs go on."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from weahouse.cli import app
from weahouse.cli.dags import choose, run_once
from weahouse.cli.errors import UserError
from weahouse.cli.following import changes
from weahouse.orchestration.dag_runs import Look, Task
from weahouse.orchestration.hand_runs import ORDER
from weahouse.settings import Settings


def test_all_are_chosen_in_their_order_unless_some_are_named():
    assert choose([]) == list(ORDER)
    assert [dag.dag_id for dag in choose(["lake_compaction", "observation_curation"])] == [
        "observation_curation",
        "lake_compaction",
    ]


def test_a_dag_that_does_not_run_once_is_refused_with_those_that_do():
    with pytest.raises(UserError, match=r"'nightly' is no Dag that runs once: choose of observation_curation, gold"):
        choose(["lake_compaction", "nightly"])


def test_a_timeout_that_is_no_duration_is_refused():
    with pytest.raises(UserError, match="--timeout: 'soon' is not a duration"):
        run_once(timeout="soon")


def test_an_airflow_that_does_not_answer_is_told_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "airflow.token").write_text("kept")
    away = Settings(home=tmp_path, airflow_url="http://127.0.0.1:1")
    monkeypatch.setattr("weahouse.cli.dags.settings", lambda: away)
    done = CliRunner().invoke(app, ["dags", "run-once"])
    assert isinstance(done.exception, UserError)
    assert "Airflow at http://127.0.0.1:1 does not answer" in str(done.exception)


def test_the_help_names_the_order_and_an_example():
    help_text = " ".join(CliRunner().invoke(app, ["dags", "run-once", "--help"]).stdout.split())
    for dag in ORDER:
        assert dag.dag_id in help_text
    assert "weahouse dags run-once --only observation_curation" in help_text


def test_a_task_is_told_of_when_its_state_changes():
    waiting = (Task("check", None, None), Task("publish", "scheduled", None), Task("tell", "queued", None))
    seen = Look("running", 5.0, (Task("plan", "success", 1.23), Task("curate", "running", 2.0), *waiting))
    assert changes("curation", seen, {}) == ["  curation.plan success 1.2 s", "  curation.curate running 2.0 s"]
    assert changes("curation", seen, {"plan": "success", "curate": "running"}) == []
