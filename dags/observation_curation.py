"""
# Observation curation

Curates one hour of append time: what Raw holds of it is parsed and judged again by the stream's own functions, and
compared with what the stream made of it. All that it touches is judged by levels 2 and 3, into `curated.verdicts` and
`curated.station_trust`, and verdicts that make a flag worse are served from Cassandra. The hour becomes a row of
`curated.ingest_units`: counts, the times that it touched, and the versions of both that consumers read.

**Runs** each hour, ten minutes past, for the hour that has ended, whose name is the run's partition (`2024-05-01T13`).
No hour is skipped while Airflow slept. Backfill it from the UI, or trigger it with `ingest_hour` for any hour, also the
one that is open, as far as it has come. It waits until every query of the stream has committed the hour's records: a
gate, and no clock.

**Fails** when a reading of Curated is not what its records say (`parity_violations`: the log of `curate_observations`
names ten), or when the hour's readings do not meet their table's expectations (`validate_observations`, with a page of
Data Docs). Then nothing is published, and consumers stay with what passed last.

**Idempotent**: an hour that is curated again with the same outcome changes no table, and publishes the same.
**Concurrency**: one run at a time; its applications take the one slot of the pool `spark`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronPartitionTimetable, Param, dag

from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.checks import ValidateDatasetOperator
from weahouse.orchestration.defaults import DEFAULT_ARGS, FIRST_HOUR, Tag
from weahouse.orchestration.ingest_hours import FORMAT, HOUR, PATTERN
from weahouse.orchestration.operators import PlanUnitOperator
from weahouse.orchestration.sensors import CommittedOffsetsSensor, TableSensor
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS


@dag(
    schedule=CronPartitionTimetable("10 * * * *", timezone="UTC", run_offset=-1, key_format=FORMAT),
    # Its first tick is for the first hour.
    start_date=FIRST_HOUR + HOUR,
    catchup=True,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.CURATED],
    doc_md=__doc__,
    render_template_as_native_obj=True,
    params={
        "ingest_hour": Param(
            None,
            type=["null", "string"],
            pattern=PATTERN,
            title="Hour of append time",
            description="UTC, such as 2024-05-01T13. Empty: the run's partition, or the last hour that has ended.",
        )
    },
)
def observation_curation() -> None:
    plan = PlanUnitOperator(task_id="plan_unit", ingest_hour="{{ params.ingest_hour }}")
    raw = TableSensor(task_id="await_raw", dataset=RAW_OBSERVATIONS)
    commits = CommittedOffsetsSensor(
        task_id="await_commits", unit="{{ ti.xcom_pull('plan_unit') }}", wait_for=timedelta(minutes=30)
    )
    curate = SparkAppOperator(
        task_id="curate_observations",
        app="curate_observations",
        arguments={
            "ingest-hour": "{{ ti.xcom_pull('plan_unit')['ingest_hour'] }}",
            "until": "{{ ti.xcom_pull('plan_unit')['until'] }}",
        },
    )
    validate = ValidateDatasetOperator(
        task_id="validate_observations",
        dataset=CURATED_OBSERVATIONS,
        arguments={
            "ingest-hour": "{{ ti.xcom_pull('plan_unit')['ingest_hour'] }}",
            "version": "{{ ti.xcom_pull('curate_observations')['curated_version'] }}",
        },
        about="{{ ti.xcom_pull('curate_observations') }}",
        outlets=[asset_of(CURATED_OBSERVATIONS)],
    )
    plan >> raw >> commits >> curate >> validate


observation_curation()
