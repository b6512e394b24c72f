"""
# Data quality

The deep check of every table of the lake: against its schema, and against the rules of `expectations/`, over the last
days. Each table is a task; the button *Data Docs* of the task opens the page of its check.

**Runs** daily at 04:30 UTC, and by hand, for one table if you like. A table that does not exist yet is skipped.

**Fails** where an expectation is not met: only that table's task, the others still run. The task's log names the
expectation and some of the rows. What to do: `docs/runbooks/check_failed.md`. A check that crashes is tried again, and
is no pass either.

**Idempotent**: it reads, and changes no table. Results and pages are in the instance's home, 50 runs a table.
**Concurrency**: one run at a time, one table after the other, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from weahouse.orchestration.checks import ValidateDatasetOperator
from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.operators import CheckParamsOperator
from weahouse.schemas.datasets import DATASETS


@dag(
    schedule="30 4 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.QUALITY],
    doc_md=__doc__,
    params={
        "days": Param(
            8,
            type="integer",
            minimum=1,
            maximum=366,
            title="Days",
            description="How many days before the run are checked. Drift against the week before needs eight.",
        ),
        "dataset": Param(
            None,
            type=["null", "string"],
            enum=[None, *[dataset.name for dataset in DATASETS]],
            title="Table",
            description="One table; empty: all that exist.",
        ),
    },
)
def data_quality() -> None:
    check = CheckParamsOperator(task_id="check_params")
    for dataset in DATASETS:
        check >> ValidateDatasetOperator(
            task_id=f"validate_{dataset.zone}_{dataset.table}",
            dataset=dataset,
            arguments={
                "from": "{{ (dag_run.run_after - macros.timedelta(days=params.days)).isoformat() }}",
                "to": "{{ dag_run.run_after.isoformat() }}",
            },
            only="{{ params.dataset or '' }}",
            skip_missing=True,
        )


data_quality()
