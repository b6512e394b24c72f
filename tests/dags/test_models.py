"""The Dags around models: what wakes them, what they ask for, and what they tell their applications."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from weahouse.schemas.gold import GOLD_FORECASTS, GOLD_MODELS, GOLD_STATION_FEATURES

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def names(assets: Any) -> set[str]:
    return {asset.name for asset in assets}


@pytest.mark.parametrize(
    ("run_type", "require_approval", "way"),
    [
        ("manual", True, "approve_models"),
        ("manual", False, "promote_models"),
        ("scheduled", True, "promote_models"),
    ],
)
def test_only_a_person_who_has_not_declined_it_is_asked_before_promotion(
    dag_bag: DagBag, run_type: str, require_approval: bool, way: str
) -> None:
    choose = dag_bag.dags["model_training"].get_task("choose_approval").python_callable
    assert choose({"require_approval": require_approval}, SimpleNamespace(run_type=run_type)) == way


def test_what_could_not_be_trained_fails_the_run_after_the_others_were_promoted(dag_bag: DagBag) -> None:
    dag = dag_bag.dags["model_training"]
    report = dag.get_task("report_refused")
    assert "promote_models" in report.upstream_task_ids
    report.python_callable({"refused": {}})
    with pytest.raises(AirflowFailException, match="rain_within_3h_3h: OneClassError"):
        report.python_callable({"refused": {"rain_within_3h_3h": "OneClassError: it never rained"}})


def test_another_attempt_of_a_training_is_another_version(dag_bag: DagBag) -> None:
    train = dag_bag.dags["model_training"].get_task("train_models")
    assert train.arguments["version"].endswith("-{{ ti.try_number }}")


def test_forecasts_wait_for_features_or_a_promotion_and_tell_that_they_are_there(dag_bag: DagBag) -> None:
    features = dag_bag.dags["gold_aggregation"].get_task("aggregate_gold").outlets
    promoted = dag_bag.dags["model_training"].get_task("promote_models").outlets
    assert GOLD_STATION_FEATURES.name in names(features)
    assert names(promoted) == {GOLD_MODELS.name}
    inference = dag_bag.dags["batch_inference"]
    woken_by = names(inference.timetable.asset_condition.objects)
    assert woken_by == {GOLD_STATION_FEATURES.name, GOLD_MODELS.name}
    assert names(inference.get_task("infer_forecasts").outlets) == {GOLD_FORECASTS.name}
