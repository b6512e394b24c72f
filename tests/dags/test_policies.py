"""What every Dag of the house keeps."""

from __future__ import annotations

import ast
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.definitions.timetables.assets import AssetTriggeredTimetable
from airflow.serialization.serialized_objects import DagSerialization

from weahouse.orchestration.defaults import FIRST_HOUR, Tag
from weahouse.orchestration.failures import tell
from weahouse.orchestration.hand_runs import DAG_IDS, ORDER, Start
from weahouse.orchestration.status import SUPERVISOR

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

    from weahouse.orchestration.hand_runs import HandRun

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))


def test_every_dag_file_is_read_without_an_error(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert len(dag_bag.dags) == len(FILES) > 0


def test_every_dag_has_its_place_among_those_that_run_once_or_keeps_the_stream() -> None:
    assert sorted([*DAG_IDS, SUPERVISOR]) == [file.stem for file in FILES]


@pytest.mark.parametrize("run", ORDER, ids=lambda run: run.dag_id)
def test_a_run_by_hand_gives_parameters_that_its_dag_takes(dag_bag: DagBag, run: HandRun) -> None:
    dag = dag_bag.dags[run.dag_id]
    conf = run.conf(datetime(2024, 5, 1, 13, 59, tzinfo=UTC))
    assert conf.keys() <= dag.params.keys()
    params = deepcopy(dag.params)
    params.update(conf)
    params.validate()
    assert (run.start is not Start.NOTHING) == dag.timetable.can_be_scheduled
    assert (run.start is Start.ASSET) == isinstance(dag.timetable, AssetTriggeredTimetable)


def test_dags_run_once_behind_those_whose_assets_wake_them(dag_bag: DagBag) -> None:
    published: set[str] = set()
    for dag_id in DAG_IDS:
        dag = dag_bag.dags[dag_id]
        waking = dag.schedule if isinstance(dag.schedule, list) else []
        assert {asset.name for asset in waking} <= published
        published |= {asset.name for task in dag.tasks for asset in task.outlets}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
class TestADag:
    def test_is_named_like_its_file_and_its_function(self, dag_bag: DagBag, file: Path) -> None:
        assert file.stem in dag_bag.dags
        assert file.stem in {
            node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)
        }

    def test_is_at_most_120_lines_long(self, dag_bag: DagBag, file: Path) -> None:
        assert len(file.read_text().splitlines()) <= 120

    def test_documents_itself_with_its_files_docstring(self, dag_bag: DagBag, file: Path) -> None:
        text = dag_bag.dags[file.stem].doc_md or ""
        assert text == ast.get_docstring(ast.parse(file.read_text()), clean=False)
        assert text.lstrip().startswith("# ")
        for word in ("**Runs**", "**Idempotent**", "**Concurrency**"):
            assert word in text

    def test_has_tags_of_the_list_only(self, dag_bag: DagBag, file: Path) -> None:
        tags = dag_bag.dags[file.stem].tags
        assert tags
        assert tags <= set(Tag)

    def test_makes_up_for_nothing_from_before_the_instance(self, dag_bag: DagBag, file: Path) -> None:
        start = dag_bag.dags[file.stem].start_date
        # The supervision has no times, and needs a start that lies behind it.
        assert start is None or start >= FIRST_HOUR or file.stem == SUPERVISOR

    def test_retries_each_task_at_least_twice(self, dag_bag: DagBag, file: Path) -> None:
        dag = dag_bag.dags[file.stem]
        assert dag.default_args["retries"] >= 2
        assert all(task.retries >= 2 for task in dag.tasks)

    def test_tells_of_each_task_that_fails(self, dag_bag: DagBag, file: Path) -> None:
        assert all(tell in task.on_failure_callback for task in dag_bag.dags[file.stem].tasks)

    def test_limits_the_time_of_each_task(self, dag_bag: DagBag, file: Path) -> None:
        assert all(task.execution_timeout is not None for task in dag_bag.dags[file.stem].tasks)

    def test_describes_each_of_its_parameters_with_a_type(self, dag_bag: DagBag, file: Path) -> None:
        for param in dag_bag.dags[file.stem].params.values():
            assert param.description
            assert "type" in param.schema

    def test_can_be_serialised(self, dag_bag: DagBag, file: Path) -> None:
        DagSerialization.to_dict(dag_bag.dags[file.stem])

    def test_imports_no_spark_and_no_other_room(self, dag_bag: DagBag, file: Path) -> None:
        allowed = (
            "__future__",
            "datetime",
            "typing",
            "airflow.sdk",
            "weahouse.orchestration",
            "weahouse.schemas",
            "weahouse.settings",
        )
        modules = {node.module for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.ImportFrom)}
        assert all(module is not None and module.startswith(allowed) for module in modules)
