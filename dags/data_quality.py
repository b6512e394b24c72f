"""
# Data quality

The deep check of every table of the lake: against its schema, and against the rules of `expectations/`, over the last
days. Each zone is a task, in one application for all its tables; the task's button *Data Docs* opens the list of their
pages, or the page of the one that failed.

**Runs** daily at 04:30 UTC, and by hand, for one table if you like. A table that does not exist yet is skipped.

**Fails** where an expectation is not met, when all tables of the zone were checked; the other zones still run. The
task's log names the tables, each expectation and some of the rows. What to do: `docs/runbooks/check_failed.md`. A check
that crashes keeps no other table from being checked, is tried again, and is no pass either.

**Idempotent**: it reads, and changes no table. Results and pages are in the instance's home, 50 runs a table.
**Concurrency**: one run at a time, one zone after the other, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from weahouse.orchestration.checks import ValidateZoneOperator
from weahouse.orchestration.defaults import DEFAULT_ARGS, FIRST_HOUR, Tag
from weahouse.orchestration.operators import CheckParamsOperator
from weahouse.schemas.datasets import DATASETS, ZONES


@dag(
    schedule="30 4 * * *",
    start_date=FIRST_HOUR,
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
    for zone in ZONES:
        check >> ValidateZoneOperator(
            task_id=f"validate_{zone}",
            zone=zone,
            arguments={
                "dataset": "{{ params.dataset or '' }}",
                "from": "{{ (dag_run.run_after - macros.timedelta(days=params.days)).isoformat() }}",
                "to": "{{ dag_run.run_after.isoformat() }}",
            },
        )


data_quality()
