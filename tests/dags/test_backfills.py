"""The backfills' Dags and the table of their kinds say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import ParamValidationError

from weahouse.orchestration.backfill_kinds import DRY_RUN, KINDS, REASON, RECOMPUTE
from weahouse.orchestration.defaults import Tag

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

    from weahouse.orchestration.backfill_kinds import Kind


def test_every_backfill_is_a_kind(dag_bag: DagBag):
    assert {dag_id for dag_id, dag in dag_bag.dags.items() if Tag.BACKFILL in dag.tags} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
class TestAKind:
    def test_names_the_tasks_that_a_person_hears_from(self, dag_bag: DagBag, kind: Kind):
        dag = dag_bag.dags[kind.dag_id]
        order = [task.task_id for task in dag.topological_sort()]
        heard = [kind.plan_task, kind.preview_task, kind.approval_task, kind.work_task, "prove"]
        assert [task_id for task_id in order if task_id in heard] == [task_id for task_id in heard if task_id]

    def test_changes_nothing_unless_told_to(self, dag_bag: DagBag, kind: Kind):
        assert dag_bag.dags[kind.dag_id].params[DRY_RUN] is True

    def test_gives_every_field_of_its_form_a_title_and_shows_the_needed_ones_first(self, dag_bag: DagBag, kind: Kind):
        params = dag_bag.dags[kind.dag_id].params
        schemas = {name: params.get_param(name).schema for name in params}
        assert all(schema["title"] for schema in schemas.values())
        # Airflow folds a section; what has none comes first and is open.
        needed = [name for name, schema in schemas.items() if "section" not in schema]
        assert needed == list(params)[: len(needed)]
        assert needed[:4] == ["start", "end", REASON, DRY_RUN]
        assert all(schemas[name]["format"] == "date-time" for name in ("start", "end"))


def test_a_recompute_needs_both_ends_of_its_range(dag_bag: DagBag):
    with pytest.raises(ParamValidationError, match="Invalid input for param start"):
        dag_bag.dags[RECOMPUTE.dag_id].params.validate()
