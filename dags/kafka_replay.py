"""
# Kafka replay

Reads a range of the observations topic once more, and lets it go the stream's own way into Curated and Cassandra. For
what a fault may have left out: where the tables hold what the records say, nothing changes.

**Runs** by hand. `start` and `end` are times of *append* with a zone, or offsets by partition as JSON (`{"0": 120}`; a
partition that is not named is taken whole). `regions` and `stations` narrow it down. The log of `plan_replay` has the
plan: offsets, records, what has expired from the topic, and how long it may take. With `dry_run`, which is the default,
that is all; otherwise a person approves the plan first (*Required actions* in Airflow).

**Older than the topic** is in Raw: with the `source` auto, the default, what has expired is read from there (`from_raw`
in the plan), and goes the same way. `kafka` and `raw` read from one of them alone. A partition that is not named is
taken from what the topic holds.

**Resumes**: the same range is the same run of `gold.backfill_runs`. It goes on after the last chunk that was done, and
does nothing where all is done.

**Beside the stream**: both take turns under the lease of Curated, a chunk at a time. No alert is raised for what is
replayed.

**Idempotent**: a record that the tables hold changes no version of a Delta table and no write time of Cassandra.
**Concurrency**: one run at a time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task

from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.operators import ApprovalOperator, PlanReplayOperator
from weahouse.orchestration.replay_request import AUTO, SOURCES
from weahouse.orchestration.spark_app import SparkAppOperator

EDGE = 'With a zone, such as 2024-05-01T12:00:00Z; or offsets by partition, such as {"0": 120}.'


@dag(
    schedule=None,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.BACKFILL],
    doc_md=__doc__,
    params={
        "start": Param(None, type=["null", "string"], title="From", description=f"First append time. {EDGE}"),
        "end": Param(None, type=["null", "string"], title="To", description=f"End of append times, exclusive. {EDGE}"),
        "reason": Param("", type="string", title="Reason", description="Why, in a few words; kept in the ledger."),
        "dry_run": Param(True, type="boolean", title="Dry run", description="Plan only, and change nothing."),
        "source": Param(
            AUTO,
            type="string",
            enum=list(SOURCES),
            title="Source",
            description="auto: the topic, and Raw for what has expired from it.",
        ),
        "regions": Param(
            None, type=["null", "array"], title="Regions", description="Such as us-ca, one a line; empty: all."
        ),
        "stations": Param(
            None, type=["null", "array"], title="Stations", description="Their ids, one a line; empty: all."
        ),
    },
)
def kafka_replay() -> None:
    @task.short_circuit
    def unless_dry_run(params: dict[str, Any]) -> bool:
        return not params["dry_run"]

    plan = PlanReplayOperator(task_id="plan_replay")
    approve = ApprovalOperator(
        task_id="approve_plan",
        subject="Replay {{ ti.xcom_pull('plan_replay')['records'] }} records?",
        body="```json\n{{ ti.xcom_pull('plan_replay') | tojson(indent=2) }}\n```",
    )
    replay = SparkAppOperator(
        task_id="replay_observations",
        app="replay_observations",
        arguments={"plan": "{{ ti.xcom_pull('plan_replay') | tojson }}"},
    )
    plan >> unless_dry_run() >> approve >> replay


kafka_replay()
