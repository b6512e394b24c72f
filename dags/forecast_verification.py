"""
# Forecast verification

Puts earlier forecasts beside what was then observed: `gold.forecast_verification`. The answer has the running skill of
each model against persistence and climatology, by lead time, over the 30 days up to the range's end; a negative skill
is told as such.

**Runs** daily at 05:00 UTC for the two days before, so that what came late on the first is taken in, and by hand for
any range.

**Idempotent**: what was verified of the range is made anew, and written where it differs. **Concurrency**: one run at a
time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.defaults import DEFAULT_ARGS, FIRST_HOUR, Tag
from weahouse.orchestration.operators import PlanRangeOperator
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.gold import GOLD_FORECAST_VERIFICATION


@dag(
    schedule="0 5 * * *",
    start_date=FIRST_HOUR,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.MODELS, Tag.QUALITY],
    doc_md=__doc__,
    params={
        "from": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Valid after",
            description="With a zone; exclusive, as a forecast is valid at the end of its hour. Empty, like the other: "
            "the two days before the present one.",
        ),
        "to": Param(
            None, type=["null", "string"], format="date-time", title="Valid until", description="The end, inclusive."
        ),
    },
)
def forecast_verification() -> None:
    plan = PlanRangeOperator(task_id="choose_range", days=2)
    verify = SparkAppOperator(
        task_id="verify_forecasts",
        app="verify_forecasts",
        arguments={name: f"{{{{ ti.xcom_pull('choose_range')['{name}'] }}}}" for name in ("from", "to")},
        outlets=[asset_of(GOLD_FORECAST_VERIFICATION)],
    )
    plan >> verify


forecast_verification()
