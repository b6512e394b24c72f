"""
# Raw recompute

Makes a range of times of *observation* anew from Raw: the rows of Curated with their flags, Cassandra and its panes,
the verdicts of levels 2 and 3, and the hours, days and features of Gold. For rules that have changed, or to see what
others would find.

**Runs** by hand. The range is [`start`, `end`), with a zone. `rules_file` is a rules file that the worker can read;
empty: the rules that the platform judges by. `zones` are what is made anew: `curated`, `gold`, or both; `stations`
narrow it down. `plan_recompute` finds the units of `curated.ingest_units` that hold the range, `preview_recompute` says
which flags would change, by station and variable, before anything does. With `dry_run`, which is the default, that is
all; otherwise a person approves plan and preview first (*Required actions* in Airflow).

**Undo** is `weahouse lake undo RUN_ID`, **within 7 days**: so long the lake keeps what stood before. A recompute that
others were built upon is undone after them.

**Resumes**: the same plan is the same run of `gold.backfill_runs`. It goes on with the chunk at which it broke off, and
does nothing where all is done.

**Beside the stream**: both take turns under the lease of Curated, a chunk at a time. No alert is raised or withdrawn.
What hours that are not curated yet hold of the range stays as it is.

**Idempotent**: what the tables hold already changes no version of a Delta table and no write time of Cassandra.
**Concurrency**: one run at a time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.operators import ApprovalOperator
from weahouse.orchestration.recompute import PlanRecomputeOperator
from weahouse.orchestration.recompute_request import ZONES
from weahouse.orchestration.spark_app import SparkAppOperator

PLAN = "{{ ti.xcom_pull('plan_recompute') | tojson }}"
BODY = """\
It can be undone for 7 days: `weahouse lake undo {{ ti.xcom_pull('plan_recompute')['run_id'] }}`.

{% set found = ti.xcom_pull('preview_recompute') %}{{ found['changed_flags'] }} flags would change; of the readings \
{{ found['updated'] }} are written anew, {{ found['inserted'] }} added.

| station | variable | flag now | then | readings |
|---|---|---|---|---|
{% for row in found['changes'] %}| {{ row['station_id'] }} | {{ row['variable'] }} | {{ row['flag_now'] }} \
| {{ row['flag_then'] }} | {{ row['readings'] }} |
{% endfor %}
```json
{{ ti.xcom_pull('plan_recompute') | tojson(indent=2) }}
```
"""


@dag(
    schedule=None,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.BACKFILL],
    doc_md=__doc__,
    params={
        "start": Param(
            None, type=["null", "string"], format="date-time", title="Observed from", description="With a zone."
        ),
        "end": Param(
            None, type=["null", "string"], format="date-time", title="Observed to", description="Its end, exclusive."
        ),
        "reason": Param("", type="string", title="Reason", description="Why, in a few words; kept in the ledger."),
        "dry_run": Param(
            True,
            type="boolean",
            title="Dry run",
            description="Plan and preview only, and change nothing. What is changed can be undone for 7 days.",
        ),
        "rules_file": Param(
            None,
            type=["null", "string"],
            title="Rules file",
            description="Absolute path on the worker of other rules to judge by; empty: the present ones.",
        ),
        "zones": Param(
            list(ZONES),
            type="array",
            examples=list(ZONES),
            title="Zones",
            description="What is made anew.",
        ),
        "stations": Param(
            None, type=["null", "array"], title="Stations", description="Their ids, one a line; empty: all."
        ),
    },
)
def raw_recompute() -> None:
    @task.short_circuit
    def unless_dry_run(params: dict[str, Any]) -> bool:
        return not params["dry_run"]

    plan = PlanRecomputeOperator(task_id="plan_recompute")
    look = {"plan": PLAN, "preview": "true"}
    preview = SparkAppOperator(task_id="preview_recompute", app="recompute_observations", arguments=look)
    approve = ApprovalOperator(
        task_id="approve_plan",
        subject="Make {{ ti.xcom_pull('plan_recompute')['hours'] }} hours of observation anew from Raw?",
        body=BODY,
    )
    recompute = SparkAppOperator(
        task_id="recompute_observations", app="recompute_observations", arguments={"plan": PLAN}
    )
    plan >> preview >> unless_dry_run() >> approve >> recompute


raw_recompute()
