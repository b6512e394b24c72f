"""
# Gold aggregation

Makes the hours and days of Gold anew that curated units have touched, and no others: `gold.hourly_summaries` and
`gold.daily_summaries`, from the version of Curated that the units passed with, and `gold.station_features` of the days
that look at these hours. Rows that do not change are not written.

**Runs** when `observation_curation` has published a unit; units that were published meanwhile are taken together. By
hand, name the units in `ingest_hours`.

**Idempotent**: the same units again change no version of a table. **Concurrency**: one run at a time, in the one slot
of the pool `spark`; a run that was killed is fenced by the next.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.operators import TouchedUnitsOperator
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES, GOLD_STATION_FEATURES


@dag(
    schedule=[asset_of(CURATED_OBSERVATIONS)],
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.GOLD],
    doc_md=__doc__,
    params={
        "ingest_hours": Param(
            None,
            type=["null", "array"],
            title="Units",
            description="Curated hours of append time, like 2024-05-01T13, one a line. Empty: those that woke it.",
        )
    },
)
def gold_aggregation() -> None:
    units = TouchedUnitsOperator(task_id="choose_units")
    aggregate = SparkAppOperator(
        task_id="aggregate_gold",
        app="aggregate_gold",
        arguments={"ingest-hours": "{{ ti.xcom_pull('choose_units') }}"},
        outlets=[asset_of(GOLD_HOURLY_SUMMARIES), asset_of(GOLD_DAILY_SUMMARIES), asset_of(GOLD_STATION_FEATURES)],
    )
    units >> aggregate


gold_aggregation()
