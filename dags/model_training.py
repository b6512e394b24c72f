"""
# Model training

Trains a model for each target (air temperature in 1, 3, 6 and 24 hours, rain within 3) from Gold, and compares it over
the last fifth of the time with persistence, climatology and the champion. A trained model becomes champion only where
it beats all of them; until one does, the better baseline is. Figures, data versions and plots are in each model's card.

**Runs** weekly, on Mondays at 05:30 UTC, and by hand. By hand, a person approves before anything is promoted
(*Required actions* in Airflow), unless `require_approval` is switched off. A rejected training leaves candidates.

**Fails** cleanly, and the champions stay: too few days, one class, drifted features, damaged files. What concerns one
target alone fails `report_refused` at the end, after the others were promoted. What to do: docs/models.md.

**Idempotent**: each training is a version of its own; promoting one again changes nothing. **Concurrency**: one run at
a time, in the one slot of the pool `spark`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, TriggerRule, dag, task
from airflow.sdk.exceptions import AirflowFailException

from weahouse.orchestration.assets import asset_of
from weahouse.orchestration.defaults import DEFAULT_ARGS, FIRST_HOUR, Tag
from weahouse.orchestration.forecasts import CheckTrainingOperator
from weahouse.orchestration.operators import ApprovalOperator
from weahouse.orchestration.spark_app import SparkAppOperator
from weahouse.schemas.gold import GOLD_MODELS, MODEL_KINDS, MODEL_TARGETS

TRAINED_WITHIN = timedelta(hours=3)


@dag(
    schedule="30 5 * * 1",
    start_date=FIRST_HOUR,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[Tag.MODELS],
    doc_md=__doc__,
    params={
        "require_approval": Param(
            True,
            type="boolean",
            title="Ask before promotion",
            description="A person decides after a look at the figures. A scheduled run never asks.",
        ),
        "kinds": Param(
            list(MODEL_KINDS),
            type="array",
            examples=list(MODEL_KINDS),
            title="Kinds",
            description="Which kinds of pipelines are tried for each target; linear alone is much quicker.",
        ),
        "targets": Param(
            list(MODEL_TARGETS),
            type="array",
            examples=list(MODEL_TARGETS),
            title="Targets",
            description="What is trained for; the champions of all others stay.",
        ),
        "without_champion": Param(
            False,
            type="boolean",
            title="Without the champion",
            description="Compare with the baselines alone: where the champion's files are lost.",
        ),
    },
)
def model_training() -> None:
    @task.branch
    def choose_approval(params: dict[str, Any], dag_run: Any) -> str:
        is_asked = params["require_approval"] and dag_run.run_type == "manual"
        return "approve_models" if is_asked else "promote_models"

    @task
    def report_refused(trained: dict[str, Any]) -> None:
        if refused := trained["refused"]:
            reasons = "; ".join(f"{target}: {reason}" for target, reason in refused.items())
            raise AirflowFailException(f"not trained, their champions stay: {reasons}")

    check = CheckTrainingOperator(task_id="check_params")
    train = SparkAppOperator(
        task_id="train_models",
        app="train_models",
        arguments={
            "step": "train",
            # Another attempt must not meet the files of the one before.
            "version": "{{ dag_run.run_after.strftime('%Y%m%dT%H%M%SZ') }}-{{ ti.try_number }}",
            "kinds": "{{ ti.xcom_pull('check_params')['kinds'] }}",
            "targets": "{{ ti.xcom_pull('check_params')['targets'] }}",
            "without-champion": "{{ ti.xcom_pull('check_params')['without-champion'] }}",
        },
        execution_timeout=TRAINED_WITHIN,
    )
    approve = ApprovalOperator(
        task_id="approve_models",
        subject="Decide by these figures who issues the forecasts?",
        body="[The card](/models/learned/{{ ti.xcom_pull('train_models')['model_version'] }})\n\n"
        "```json\n{{ ti.xcom_pull('train_models')['targets'] | tojson(indent=2) }}\n```",
    )
    promote = SparkAppOperator(
        task_id="promote_models",
        app="train_models",
        arguments={"step": "promote", "version": "{{ ti.xcom_pull('train_models')['model_version'] }}"},
        outlets=[asset_of(GOLD_MODELS)],
        # Asked or not; a rejection skips this task itself.
        trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    )
    way = choose_approval()
    check >> train >> way >> approve >> promote >> report_refused(train.output)
    way >> promote


model_training()
