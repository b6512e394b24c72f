"""Who is champion, decided from the registry's rows alone: no Spark, a Delta table in a folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.batch.conftest import next_run
from tests.instance import TEST_SETTINGS

from weahouse.batch.registry import JOB, Model, in_use, models, promote, record, registry
from weahouse.ml.baselines import CLIMATOLOGY, PERSISTENCE
from weahouse.ml.errors import OutdatedComparisonError
from weahouse.ml.estimators import LEARNED
from weahouse.ml.targets import TEMPERATURE, target_of
from weahouse.schemas.gold import CANDIDATE, CHAMPION, RETIRED
from weahouse.settings import Settings

SIX_HOURS = target_of(TEMPERATURE, 6).name
FIRST = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    return replace(TEST_SETTINGS, hdfs_url="file://", hdfs_root=str(tmp_path))


def training(version: str, week: int, learned: float, champion: dict[str, object] | None = None) -> list[Model]:
    """The models of one training for the temperature in six hours; baselines are off by 4 (persistence) and 9."""
    errors = {PERSISTENCE: 4.0, CLIMATOLOGY: 9.0, LEARNED: learned}
    created_at = FIRST + timedelta(weeks=week)
    return [
        Model(
            *(name, version, TEMPERATURE, 6, CANDIDATE, "gold.station_features@1", "abc", {"bounds": [-1.0, 1.0]}),
            {"mse": mse} | ({CHAMPION: champion} if champion and name == LEARNED else {}),
            *(created_at - timedelta(days=400), created_at - timedelta(days=30), f"/models/{name}/{version}"),
            created_at,
        )
        for name, mse in errors.items()
    ]


def promoted(lake: Settings, version: str) -> str:
    return promote(lake, version, next_run(JOB))[SIX_HOURS]


def states(lake: Settings) -> dict[tuple[str, str], str]:
    return {(model.model_name, model.model_version): model.model_state for model in models(lake)}


def used(lake: Settings) -> set[tuple[str, str]]:
    return {(model.model_name, model.model_version) for model in in_use(models(lake))}


def test_what_is_recorded_is_read_back(lake: Settings):
    made = training("v1", 0, 1.0)
    assert registry(lake) == ([], 0)
    record(lake, made)
    assert sorted(models(lake), key=lambda m: m.model_name) == sorted(made, key=lambda m: m.model_name)


def test_a_candidate_that_beats_both_baselines_is_champion_and_promoting_it_again_commits_nothing(lake: Settings):
    record(lake, training("v1", 0, 1.0))
    assert promoted(lake, "v1").startswith("learned v1: beats both baselines; candidate: skill +0.750 against")
    assert states(lake) == {(PERSISTENCE, "v1"): CANDIDATE, (CLIMATOLOGY, "v1"): CANDIDATE, (LEARNED, "v1"): CHAMPION}
    assert used(lake) == {(PERSISTENCE, "v1"), (CLIMATOLOGY, "v1"), (LEARNED, "v1")}
    version = registry(lake)[1]
    promoted(lake, "v1")
    assert registry(lake)[1] == version


def test_the_better_baseline_is_champion_where_no_trained_model_beats_it_and_a_negative_skill_is_told(lake: Settings):
    record(lake, training("v1", 0, 5.0))
    assert promoted(lake, "v1") == (
        "persistence v1: persistence is the better baseline, and no trained model beats both; "
        "candidate: skill -0.250 against persistence, skill +0.444 against climatology"
    )


@pytest.mark.parametrize(
    ("candidate", "champion", "v1", "v2"),
    [(0.9, 1.0, RETIRED, CHAMPION), (1.1, 1.0, CHAMPION, CANDIDATE), (1.1, 8.0, RETIRED, CHAMPION)],
)
def test_of_two_trainings_the_better_one_forecasts_with_the_newest_baselines(
    lake: Settings, candidate: float, champion: float, v1: str, v2: str
):
    record(lake, training("v1", 0, 1.0))
    promoted(lake, "v1")
    record(lake, training("v2", 1, candidate, {"model_version": "v1", "mse": champion}))
    promoted(lake, "v2")
    now = states(lake)
    assert (now[LEARNED, "v1"], now[LEARNED, "v2"]) == (v1, v2)
    assert now[PERSISTENCE, "v1"] == now[CLIMATOLOGY, "v1"] == RETIRED
    assert used(lake) == {(PERSISTENCE, "v2"), (CLIMATOLOGY, "v2"), (LEARNED, "v2" if v2 == CHAMPION else "v1")}


def test_a_champion_whose_files_are_lost_is_beaten_by_whoever_beats_the_baselines(lake: Settings):
    record(lake, training("v1", 0, 1.0))
    promoted(lake, "v1")
    record(lake, training("v2", 1, 3.0, {"model_version": "v1"}))
    assert promoted(lake, "v2").startswith("learned v2: ")


@pytest.mark.parametrize("compared", [None, {"model_version": "v0", "mse": 5.0}])
def test_a_candidate_that_was_compared_with_another_champion_is_not_promoted(
    lake: Settings, compared: dict[str, object] | None
):
    record(lake, training("v1", 0, 1.0))
    promoted(lake, "v1")
    record(lake, training("v2", 1, 0.5, compared))
    version = registry(lake)[1]
    with pytest.raises(OutdatedComparisonError, match="train anew"):
        promoted(lake, "v2")
    assert registry(lake)[1] == version


def test_a_training_before_which_a_newer_one_came_is_not_promoted(lake: Settings):
    record(lake, [*training("v2", 1, 1.0), *training("v1", 0, 1.0)])
    with pytest.raises(OutdatedComparisonError, match="newer training"):
        promoted(lake, "v1")


def test_a_training_that_does_not_exist_cannot_be_promoted(lake: Settings):
    with pytest.raises(ValueError, match="no training 'v0'"):
        promoted(lake, "v0")
