from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import macros

from weahouse.schemas.datasets import DATASETS, RAW_OBSERVATIONS

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.fixture
def checks(dag_bag: DagBag) -> dict[str, Any]:
    """The tasks that check, by table."""
    tasks = dag_bag.dags["data_quality"].tasks
    return {task.dataset.name: task for task in tasks if task.task_id != "check_params"}


def test_each_table_is_checked_by_a_task_of_its_own(checks: dict[str, Any]) -> None:
    assert set(checks) == {dataset.name for dataset in DATASETS}


def test_a_table_that_fails_keeps_no_other_from_being_checked(checks: dict[str, Any]) -> None:
    assert all(task.upstream_task_ids == {"check_params"} for task in checks.values())
    assert all(not task.downstream_task_ids for task in checks.values())


def test_the_days_before_the_run_are_checked(checks: dict[str, Any]) -> None:
    run = SimpleNamespace(run_after=datetime(2024, 5, 9, 4, 30, tzinfo=UTC))
    context = {"dag_run": run, "params": {"days": 8, "dataset": None}, "macros": macros}
    task = checks[RAW_OBSERVATIONS.name]
    assert task.render_template(task.arguments, context) == {
        "dataset": "raw.observations",
        "from": "2024-05-01T04:30:00+00:00",
        "to": "2024-05-09T04:30:00+00:00",
    }
    assert task.render_template(task.only, context) == ""


def test_each_task_has_a_button_that_opens_its_page(checks: dict[str, Any]) -> None:
    assert all([link.name for link in task.operator_extra_links] == ["Data Docs"] for task in checks.values())
