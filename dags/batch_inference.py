"""
# Batch inference

Forecasts air temperature and rain of each station with the champions and, for comparison, with both baselines:
`gold.forecasts`. The newest of the champions go to Cassandra (`forecasts_by_station`), where an older forecast never
takes the place of a newer one; the last task waits until Cassandra serves them.

**Runs** when `gold_aggregation` has made features, or `model_training` has promoted a model, for the full hours of the
last six: so a station that reports late is forecast too. By hand, for any one hour that has passed (`issued_at`).

**Skips** itself, and says why, where no model was promoted yet, or no station has features of these hours.

**Idempotent**: a model's forecasts of an hour are replaced where they differ, those of other models and hours are left
alone; the same features and models again change no version of a table. **Concurrency**: one run at a time, in the one
slot of the pool `spark`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.defaults import DEFAULT_ARGS, Tag
from weahouse.orchestration.forecasts import PlanForecastsOperator, ServedForecastSensor
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.gold import GOLD_FORECASTS, GOLD_MODELS, GOLD_STATION_FEATURES


@dag(
    schedule=asset_of(GOLD_STATION_FEATURES) | asset_of(GOLD_MODELS),
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.MODELS],
    doc_md=__doc__,
    render_template_as_native_obj=True,
    params={
        "issued_at": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Reference time",
            description="One full hour with a zone, like 2024-05-01T12:00:00Z. Empty: those of the last six hours.",
        )
    },
)
def batch_inference() -> None:
    plan = PlanForecastsOperator(task_id="choose_hours")
    infer = SparkAppOperator(
        task_id="infer_forecasts",
        app="infer_forecasts",
        arguments={name: f"{{{{ ti.xcom_pull('choose_hours')['{name}'] }}}}" for name in ("from", "to")},
        outlets=[asset_of(GOLD_FORECASTS)],
    )
    served = ServedForecastSensor(
        task_id="await_served_forecast", keys="{{ ti.xcom_pull('infer_forecasts')['served_record'] }}"
    )
    plan >> infer >> served


batch_inference()
