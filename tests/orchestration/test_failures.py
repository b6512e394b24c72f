"""One line of a failed task says which, of what, why, and what to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from weahouse.orchestration.failures import RUNBOOKS, line_of
from weahouse.settings import ROOT


def context(name: str, error: BaseException | None = None, partition: str | None = None) -> Any:
    dag_id, task_id = name.split(".")
    run = SimpleNamespace(partition_key=partition, run_id="manual__1")
    return {"ti": SimpleNamespace(dag_id=dag_id, task_id=task_id), "dag_run": run, "exception": error}


def test_a_line_has_dag_task_partition_cause_and_runbook() -> None:
    error = AirflowFailException("two readings\nare not what their records say")
    assert line_of(context("observation_curation.curate_observations", error, "2024-05-01T13")) == (
        "observation_curation.curate_observations failed, partition 2024-05-01T13: "
        "AirflowFailException: two readings are not what their records say (docs/runbooks/parity_violated.md)"
    )


def test_a_run_without_a_partition_is_named_by_itself() -> None:
    assert "lake_compaction.compact failed, run manual__1: no cause was told" in line_of(
        context("lake_compaction.compact")
    )


def test_a_cause_as_long_as_a_log_is_cut() -> None:
    line = line_of(context("kafka_replay.replay", ValueError("x" * 5000)))
    assert len(line) < 600
    assert line.endswith("(docs/runbooks/dag_failed.md)")


@pytest.mark.parametrize("page", sorted(set(RUNBOOKS.values())))
def test_every_runbook_that_a_line_may_name_exists(page: str) -> None:
    assert (ROOT / "docs" / "runbooks" / f"{page}.md").is_file()
