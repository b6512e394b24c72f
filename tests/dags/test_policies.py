"""What every Dag of the house keeps."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from weahouse.orchestration.defaults import Tag

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).parents[2] / "dags"
FILES = sorted(DAGS.glob("*.py"))


def test_every_dag_file_is_read_without_an_error(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert len(dag_bag.dags) == len(FILES) > 0


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

    def test_retries_each_task_at_least_twice(self, dag_bag: DagBag, file: Path) -> None:
        dag = dag_bag.dags[file.stem]
        assert dag.default_args["retries"] >= 2
        assert all(task.retries >= 2 for task in dag.tasks)

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
