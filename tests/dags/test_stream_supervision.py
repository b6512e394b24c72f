from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from weahouse.orchestration.operators import reject_unknown_conf
from weahouse.orchestration.triggers import StreamHealthTrigger

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def run(dag_bag: DagBag, conf: dict[str, object]) -> dict[str, object]:
    dag = dag_bag.dags["stream_supervision"]
    return {"dag": dag, "dag_run": SimpleNamespace(conf=conf)}


def test_one_run_follows_another_and_never_two_at_once(dag_bag: DagBag) -> None:
    dag = dag_bag.dags["stream_supervision"]
    assert dag.max_active_runs == 1
    assert dag.timetable.active_runs_limit == 1
    assert [task.task_id for task in dag.topological_sort()] == ["start_stream", "watch_stream"]


def test_an_unknown_parameter_fails_the_run_by_name_and_is_not_retried(dag_bag: DagBag) -> None:
    with pytest.raises(AirflowFailException, match="unknown parameters halt: this Dag knows stop"):
        reject_unknown_conf(run(dag_bag, {"halt": True}))  # type: ignore[arg-type]


def test_the_known_parameter_is_accepted(dag_bag: DagBag) -> None:
    reject_unknown_conf(run(dag_bag, {"stop": True}))  # type: ignore[arg-type]


def test_the_watch_is_handed_to_the_triggerer_with_an_absolute_deadline(dag_bag: DagBag) -> None:
    watch = dag_bag.dags["stream_supervision"].get_task("watch_stream")
    with pytest.raises(TaskDeferred) as deferred:
        watch.execute({})
    path, arguments = deferred.value.trigger.serialize()
    assert path == "weahouse.orchestration.triggers.StreamHealthTrigger"
    left = datetime.fromisoformat(arguments["deadline"]) - datetime.now(UTC)
    assert timedelta(minutes=44) < left <= timedelta(minutes=45)


def test_a_watch_that_is_taken_up_again_after_its_deadline_ends_at_once() -> None:
    trigger = StreamHealthTrigger((datetime.now(UTC) - timedelta(seconds=1)).isoformat())

    async def first() -> dict[str, str]:
        return (await anext(trigger.run())).payload

    assert asyncio.run(first())["outcome"] == "deadline"
