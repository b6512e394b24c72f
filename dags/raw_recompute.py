"""
# Raw recompute

Makes a range of times of *observation* anew from Raw: the rows of Curated with their flags, Cassandra and its panes,
the verdicts of levels 2 and 3, and the hours, days and features of Gold. For rules that have changed, or to see what
others would find.

**Runs** by hand: with this form, or with `weahouse backfill plan raw_recompute` and `run`. The range is [`start`,
`end`). `rules_file` is a rules file that the worker can read; empty: the rules that the platform judges by. `zones` are
what is made anew: `curated`, `gold`, or both; `stations` narrow it down. `plan_recompute` finds the units of
`curated.ingest_units` that hold the range, `preview_recompute` says which flags would change, by station and variable,
before anything does. With `dry_run`, which is the default, that is all, and stands in their logs; otherwise a person
reads and approves plan and preview first (*Required actions*).

**Undo** is `weahouse lake undo RUN_ID`, **within 7 days**: so long the lake keeps what stood before. A recompute that
others were built upon is undone after them.

**Progress** is in the log of `recompute_observations` and in `gold.backfill_runs`: `weahouse backfill status`.

**Resumes**: the same plan is the same run of `gold.backfill_runs`. It goes on with the chunk at which it broke off, and
does nothing where all is done.

**Beside the stream**: both take turns under the lease of Curated, a chunk at a time. No alert is raised or withdrawn.
What hours that are not curated yet hold of the range stays as it is.

**Proved** by `reconciliation`, which the last task triggers for the append times that were read where anything changed.

**Idempotent**: what the tables hold already changes no version of a Delta table and no write time of Cassandra.
**Concurrency**: one run at a time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from weahouse.orchestration.backfill_kinds import RECOMPUTE
from weahouse.orchestration.backfills import (
    APPROVED_BY,
    ApproveBackfillOperator,
    PlanRecomputeOperator,
    ProveBackfillOperator,
    form,
)
from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.spark_app import SparkAppOperator

PLAN = "{{ ti.xcom_pull('plan_recompute') | tojson }}"


@dag(
    schedule=None,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.BACKFILL],
    doc_md=__doc__,
    params=form(RECOMPUTE),
)
def raw_recompute() -> None:
    @task.short_circuit
    def unless_dry_run(params: dict[str, Any]) -> bool:
        return not params["dry_run"]

    plan = PlanRecomputeOperator(task_id="plan_recompute")
    preview = SparkAppOperator(
        task_id="preview_recompute", app="recompute_observations", arguments={"plan": PLAN, "preview": "true"}
    )
    approve = ApproveBackfillOperator(task_id="approve_plan", kind=RECOMPUTE)
    recompute = SparkAppOperator(
        task_id="recompute_observations",
        app="recompute_observations",
        arguments={"plan": PLAN, "approved-by": APPROVED_BY},
    )
    prove = ProveBackfillOperator(task_id="prove", kind=RECOMPUTE)
    plan >> preview >> unless_dry_run() >> approve >> recompute >> prove


raw_recompute()
