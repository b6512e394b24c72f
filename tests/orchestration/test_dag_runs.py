from __future__ import annotations

from datetime import UTC, datetime

from weahouse.orchestration.dag_runs import DagRun
from weahouse.orchestration.hand_runs import ORDER
from weahouse.settings import Settings

NOW = datetime(2024, 5, 1, 13, 59, tzinfo=UTC)


def test_runs_by_hand_take_the_open_hour_and_rewrite_nothing():
    conf = {run.dag_id: run.conf(NOW) for run in ORDER}
    assert conf["observation_curation"] == {"ingest_hour": "2024-05-01T13"}
    assert conf["gold_aggregation"] == {"ingest_hours": ["2024-05-01T13"]}
    assert conf["reconciliation"] == {"from": "2024-04-30T13:59:00+00:00", "to": "2024-05-01T13:59:00+00:00"}
    assert [conf[dag_id]["dry_run"] for dag_id in ("lake_compaction", "kafka_replay", "raw_recompute")] == [True] * 3


def test_a_run_is_linked_where_the_ui_shows_it():
    run = DagRun("lake_compaction", "manual__2024-05-01T13:59:00+00:00")
    told = run.link(Settings(airflow_url="http://here:8080"))
    assert told == "http://here:8080/dags/lake_compaction/runs/manual__2024-05-01T13%3A59%3A00%2B00%3A00"
