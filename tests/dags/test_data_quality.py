from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import macros

from weahouse.schemas.datasets import DATASETS

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.fixture
def checks(dag_bag: DagBag) -> dict[str, Any]:
    """The tasks that check, by zone."""
    return {task.zone: task for task in dag_bag.dags["data_quality"].tasks if task.task_id != "check_params"}


def test_each_zone_is_checked_by_a_task_of_its_own(checks: dict[str, Any]) -> None:
    assert {zone: task.task_id for zone, task in checks.items()} == {
        zone: f"validate_{zone}" for zone in ("raw", "curated", "gold")
    }
    assert {dataset.zone for dataset in DATASETS} == set(checks)


def test_a_zone_that_fails_keeps_no_other_from_being_checked(checks: dict[str, Any]) -> None:
    assert all(task.upstream_task_ids == {"check_params"} for task in checks.values())
    assert all(not task.downstream_task_ids for task in checks.values())


def test_the_days_before_the_run_are_checked(checks: dict[str, Any]) -> None:
    run = SimpleNamespace(run_after=datetime(2024, 5, 9, 4, 30, tzinfo=UTC))
    context = {"dag_run": run, "params": {"days": 8, "dataset": None}, "macros": macros}
    task = checks["raw"]
    assert task.render_template(task.arguments, context) == {
        "zone": "raw",
        "dataset": "",
        "from": "2024-05-01T04:30:00+00:00",
        "to": "2024-05-09T04:30:00+00:00",
    }


def test_each_task_has_a_button_that_opens_its_page(checks: dict[str, Any]) -> None:
    assert all([link.name for link in task.operator_extra_links] == ["Data Docs"] for task in checks.values())
