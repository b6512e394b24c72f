from __future__ import annotations

import ast
from datetime import UTC, datetime

from weahouse.orchestration.run_once import ORDER, DagRun
from weahouse.orchestration.status import SUPERVISOR
from weahouse.settings import ROOT, Settings

NOW = datetime(2024, 5, 1, 13, 59, tzinfo=UTC)


def test_every_scheduled_dag_has_its_place_but_the_one_that_never_ends():
    scheduled = {file.stem for file in (ROOT / "dags").glob("*.py") if _has_schedule(file.read_text())}
    assert {dag.dag_id for dag in ORDER} == scheduled - {SUPERVISOR}
    assert len({dag.dag_id for dag in ORDER}) == len(ORDER)


def _has_schedule(source: str) -> bool:
    """Whether a file's Dag has a schedule other than none."""
    keywords = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.keyword)]
    schedules = [node.value for node in keywords if node.arg == "schedule"]
    return any(not (isinstance(value, ast.Constant) and value.value is None) for value in schedules)


def test_runs_by_hand_take_the_open_hour_and_rewrite_nothing():
    conf = {dag.dag_id: dag.conf(NOW) for dag in ORDER}
    assert conf["observation_curation"] == {"ingest_hour": "2024-05-01T13"}
    assert conf["lake_compaction"] == {"dry_run": True}


def test_a_run_is_linked_where_the_ui_shows_it():
    run = DagRun("lake_compaction", "manual__2024-05-01T13:59:00+00:00")
    told = run.link(Settings(airflow_url="http://here:8080"))
    assert told == "http://here:8080/dags/lake_compaction/runs/manual__2024-05-01T13%3A59%3A00%2B00%3A00"
