"""
# Kafka replay

Reads a range of the observations topic once more, and lets it go the stream's own way into Curated and Cassandra. For
what a fault may have left out: where the tables hold what the records say, nothing changes.

**Runs** by hand: with this form, or with `weahouse backfill plan kafka_replay` and `run`. `start` and `end` are times
of *append*; `start_offsets` and `end_offsets` instead of them are offsets by partition as JSON. `regions` and
`stations` narrow it down. The plan says offsets, records, hours, what has expired from the topic, and how long it may
take. With `dry_run`, which is the default, that is all, and stands in the log of `plan_replay`; otherwise a person
reads and approves it first (*Required actions*).

**Older than the topic** is in Raw: with the `source` auto, the default, what has expired is read from there (`from_raw`
in the plan), and goes the same way. `kafka` and `raw` read from one of them alone. A partition that is not named is
taken from what the topic holds.

**Progress** is in the log of `replay_observations` and in `gold.backfill_runs`: `weahouse backfill status`.

**Resumes**: the same range is the same run of `gold.backfill_runs`. It goes on after the last chunk that was done, and
does nothing where all is done.

**Beside the stream**: both take turns under the lease of Curated, a chunk at a time. No alert is raised for what is
replayed.

**Proved** by `reconciliation`, which the last task triggers for the append times that were read where anything changed.

**Idempotent**: a record that the tables hold changes no version of a Delta table and no write time of Cassandra.
**Concurrency**: one run at a time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task

from weahouse.orchestration.backfill_kinds import REPLAY
from weahouse.orchestration.backfills import (
    APPROVED_BY,
    ApproveBackfillOperator,
    PlanReplayOperator,
    ProveBackfillOperator,
    form,
)
from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.spark_app import SparkAppOperator


@dag(
    schedule=None,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.BACKFILL],
    doc_md=__doc__,
    params=form(REPLAY),
)
def kafka_replay() -> None:
    @task.short_circuit
    def unless_dry_run(params: dict[str, Any]) -> bool:
        return not params["dry_run"]

    plan = PlanReplayOperator(task_id="plan_replay")
    approve = ApproveBackfillOperator(task_id="approve_plan", kind=REPLAY)
    replay = SparkAppOperator(
        task_id="replay_observations",
        app="replay_observations",
        arguments={"plan": "{{ ti.xcom_pull('plan_replay') | tojson }}", "approved-by": APPROVED_BY},
    )
    prove = ProveBackfillOperator(task_id="prove", kind=REPLAY)
    plan >> unless_dry_run() >> approve >> replay >> prove


kafka_replay()
