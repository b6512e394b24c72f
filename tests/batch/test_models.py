"""From hours of Gold to promoted models, forecasts and their verification, on local Delta tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tests.ml.world import DAYS, STATIONS, at

from weahouse.batch.features import build_features
from weahouse.batch.inference import infer
from weahouse.batch.registry import Model, in_use, models, promote, record
from weahouse.batch.training import train
from weahouse.batch.verification import verify
from weahouse.io.delta import open_table, read_table, version_of
from weahouse.ml.baselines import BASELINES, CLIMATOLOGY, PERSISTENCE
from weahouse.ml.errors import (
    FeatureSchemaError,
    ModelExistsError,
    ModelUnreadableError,
    NoChampionError,
    NoDataError,
    NothingTrainedError,
    OutdatedComparisonError,
)
from weahouse.ml.estimators import LEARNED, LINEAR
from weahouse.ml.promotion import CANDIDATE, CHAMPION, RETIRED
from weahouse.ml.targets import RAIN, TEMPERATURE, target_of
from weahouse.schemas.gold import GOLD_FORECAST_VERIFICATION, GOLD_FORECASTS, GOLD_MODELS, GOLD_STATION_FEATURES
from weahouse.settings import Settings

CREATED = datetime(2024, 7, 1, tzinfo=UTC)
TARGETS = (target_of(TEMPERATURE, 6), target_of(RAIN, 3))
SIX_HOURS = TARGETS[0].name
NOON = at(50 * 24 + 12)


def train_as(spark: SparkSession, settings: Settings, version: str, days_later: int = 0, **more: Any) -> dict[str, Any]:
    created_at = CREATED + timedelta(days=days_later)
    return train(spark, settings, version, created_at, **{"targets": TARGETS, "kinds": (LINEAR,)} | more)


def files(settings: Settings) -> set[str]:
    root = Path(settings.hdfs_root, "models")
    return {str(path.relative_to(root)) for path in root.glob("*/*")}


def state_of(spark: SparkSession, settings: Settings) -> dict[tuple[str, str], str]:
    """The state of each model of the temperature in six hours."""
    return {
        (model.model_name, model.model_version): model.model_state
        for model in models(spark, settings)
        if model.target.name == SIX_HOURS
    }


def forecasts(spark: SparkSession, settings: Settings) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in read_table(spark, settings, GOLD_FORECASTS).collect()}


@pytest.fixture(scope="module")
def ready(spark: SparkSession, lake_with_hours: Settings) -> Settings:
    """Features are there, and nothing was trained."""
    build_features(spark, lake_with_hours, date(2024, 5, 1), date(2024, 5, 1) + timedelta(days=DAYS + 1))
    return lake_with_hours


@pytest.fixture(scope="module")
def candidates(spark: SparkSession, ready: Settings) -> dict[str, Any]:
    with pytest.raises(NoChampionError, match="run model_training"):
        infer(spark, ready, NOON, serve=False)
    return train_as(spark, ready, "v1")


@pytest.fixture(scope="module")
def promoted(spark: SparkSession, ready: Settings, candidates: dict[str, Any]) -> Settings:
    states = state_of(spark, ready)
    assert states == {(name, "v1"): CANDIDATE for name in (*BASELINES, LEARNED)}
    promote(spark, ready, "v1")
    return ready


@pytest.fixture
def restored(spark: SparkSession, promoted: Settings) -> Iterator[Settings]:
    """A test may change the registry; afterwards it is as it was."""
    version = version_of(spark, promoted, GOLD_MODELS)
    yield promoted
    open_table(spark, promoted, GOLD_MODELS).restoreToVersion(version)


def test_training_tells_what_it_chose_and_how_good_it_is(candidates: dict[str, Any]):
    assert candidates["refused"] == {}
    told = candidates["targets"][SIX_HOURS]
    assert told["kind"] == LINEAR
    assert told[LEARNED]["skill"][PERSISTENCE] > 0.5


def test_models_stand_whole_beside_their_card_and_nothing_else_is_left(promoted: Settings):
    assert {name for name in files(promoted) if name.endswith("v1")} == {f"{name}/v1" for name in (*BASELINES, LEARNED)}
    assert not [name for name in files(promoted) if "." in name]
    for name in (*BASELINES, LEARNED):
        card = Path(promoted.hdfs_root, "models", name, "v1", "card.html").read_text()
        assert "gold.station_features@" in card
        assert "<svg" in card


def test_the_registry_says_with_what_a_model_was_trained(spark: SparkSession, promoted: Settings):
    row = next(model for model in models(spark, promoted) if model.is_champion and model.target.name == SIX_HOURS)
    assert (row.model_name, row.model_version) == (LEARNED, "v1")
    assert row.data_version.startswith("gold.station_features@")
    assert row.trained_from == at(1)
    assert row.trained_to == at((DAYS + 1 - 12) * 24)
    assert row.bounds is not None
    assert "beats both baselines" in (row.state_reason or "")


def test_promoting_the_same_training_again_changes_nothing(spark: SparkSession, promoted: Settings):
    version = version_of(spark, promoted, GOLD_MODELS)
    promote(spark, promoted, "v1")
    assert version_of(spark, promoted, GOLD_MODELS) == version


def test_a_training_that_does_not_exist_cannot_be_promoted(spark: SparkSession, promoted: Settings):
    with pytest.raises(ValueError, match="no training 'v0'"):
        promote(spark, promoted, "v0")


def test_forecasts_of_all_models_in_use_come_for_all_stations(spark: SparkSession, promoted: Settings):
    told = infer(spark, promoted, NOON, serve=False)
    assert (told["stations"], told["rows_served"]) == (len(STATIONS), 0)
    assert told["champions"][SIX_HOURS] == "learned v1"
    rows = read_table(spark, promoted, GOLD_FORECASTS).where(F.col("issued_at") == F.lit(NOON)).collect()
    assert told["forecasts"] == len(rows)
    assert {(row["station_id"], row["model_name"]) for row in rows if row["predictand"] == TEMPERATURE} == {
        (station, name) for station in STATIONS for name in (*BASELINES, LEARNED)
    }
    for row in rows:
        assert row["valid_at"] - row["issued_at"] == timedelta(hours=row["lead_time_h"])
        assert (row["lower_bound"] is None) == (row["predictand"] == RAIN)
        if row["predictand"] == RAIN:
            assert 0 <= row["predicted_value"] <= 1


def test_inferring_again_changes_no_forecast_and_leaves_those_of_others_alone(spark: SparkSession, promoted: Settings):
    infer(spark, promoted, NOON, serve=False)
    infer(spark, promoted, NOON - timedelta(hours=1), serve=False)
    other = read_table(spark, promoted, GOLD_FORECASTS).limit(1).withColumn("model_version", F.lit("v0"))
    other.write.format("delta").mode("append").save(f"file:{promoted.hdfs_root}/gold/forecasts")
    before = forecasts(spark, promoted)
    infer(spark, promoted, NOON, serve=False)
    assert forecasts(spark, promoted) == before


def test_an_hour_that_is_not_full_or_has_no_features_is_refused(spark: SparkSession, promoted: Settings):
    with pytest.raises(ValueError, match="no full hour"):
        infer(spark, promoted, NOON + timedelta(minutes=5), serve=False)
    with pytest.raises(NoDataError, match="no station has features of 2024-08-01T00:00Z"):
        infer(spark, promoted, datetime(2024, 8, 1, tzinfo=UTC), serve=False)


def test_forecasts_are_verified_with_what_was_observed_once(spark: SparkSession, promoted: Settings):
    infer(spark, promoted, NOON, serve=False)
    for _ in range(2):
        told = verify(spark, promoted, NOON, NOON + timedelta(hours=6))
    rows = read_table(spark, promoted, GOLD_FORECAST_VERIFICATION).where(F.col("issued_at") == F.lit(NOON)).collect()
    assert told["verified"] == told["forecasts"] > 0
    temperatures = [row for row in rows if row["predictand"] == TEMPERATURE]
    assert len(temperatures) == len(STATIONS) * 3
    for row in temperatures:
        assert row["squared_error"] == pytest.approx((row["predicted_value"] - row["observed_value"]) ** 2)
    skill = {row["model_name"]: row for row in told["skill"] if row["predictand"] == TEMPERATURE}
    assert skill[LEARNED]["skill_against_persistence"] > 0
    assert skill[PERSISTENCE]["skill_against_persistence"] == pytest.approx(0.0)


def test_forecasts_before_the_range_are_left_alone_by_verification(spark: SparkSession, promoted: Settings):
    infer(spark, promoted, NOON, serve=False)
    verify(spark, promoted, NOON, NOON + timedelta(hours=6))
    before = read_table(spark, promoted, GOLD_FORECAST_VERIFICATION).count()
    assert verify(spark, promoted, NOON + timedelta(hours=6), NOON + timedelta(hours=7))["verified"] == 0
    assert read_table(spark, promoted, GOLD_FORECAST_VERIFICATION).count() == before
    with pytest.raises(ValueError, match="is empty"):
        verify(spark, promoted, NOON, NOON)


def test_a_version_is_trained_once_and_has_a_plain_name(spark: SparkSession, promoted: Settings):
    with pytest.raises(ModelExistsError, match="choose another version"):
        train_as(spark, promoted, "v1")
    with pytest.raises(ValueError, match="cannot name a version"):
        train_as(spark, promoted, "a' OR '1'='1")


def test_of_two_trainings_the_better_one_forecasts_and_older_models_are_retired(
    spark: SparkSession, restored: Settings
):
    scores = train_as(spark, restored, "v2", days_later=7, targets=TARGETS[:1])["targets"][SIX_HOURS]
    told = promote(spark, restored, "v2")
    states = state_of(spark, restored)
    # The same data give nearly the same model; sums of another order decide which is better, if any is.
    is_better = scores[LEARNED]["mse"] < scores[CHAMPION]["mse"]
    assert states[LEARNED, "v1"] == (RETIRED if is_better else CHAMPION)
    assert states[LEARNED, "v2"] == (CHAMPION if is_better else CANDIDATE)
    assert states[PERSISTENCE, "v1"] == states[CLIMATOLOGY, "v1"] == RETIRED
    chosen = "v2" if is_better else "v1"
    assert told[SIX_HOURS].startswith(f"learned {chosen}: ")
    used = {model.score for model in in_use(models(spark, restored)) if model.predictand == TEMPERATURE}
    assert {(score.model_name, score.model_version) for score in used} == {
        (LEARNED, chosen),
        (PERSISTENCE, "v2"),
        (CLIMATOLOGY, "v2"),
    }


def registered(spark: SparkSession, settings: Settings) -> Model:
    return next(model for model in models(spark, settings) if model.is_champion and model.target.name == SIX_HOURS)


def test_a_candidate_that_was_compared_with_another_champion_is_not_promoted(spark: SparkSession, restored: Settings):
    champion = registered(spark, restored)
    everything = [model for model in models(spark, restored) if model.target == champion.target]
    later = [
        replace(m, model_version="v3", created_at=CREATED + timedelta(days=9), model_state=CANDIDATE)
        for m in everything
    ]
    record(spark, restored, later)
    version = version_of(spark, restored, GOLD_MODELS)
    with pytest.raises(OutdatedComparisonError, match="train anew"):
        promote(spark, restored, "v3")
    assert version_of(spark, restored, GOLD_MODELS) == version


def test_a_damaged_champion_is_named_and_stays(spark: SparkSession, restored: Settings):
    place = Path(restored.hdfs_root, "models", LEARNED, "v1", SIX_HOURS)
    aside = place.with_name("aside")
    shutil.copytree(place, aside)
    try:
        damaged = [part.write_bytes(b"PAR1 and nothing else") for part in place.glob("stages/2_*/**/part-*")]
        assert damaged
        with pytest.raises(ModelUnreadableError, match=r"learned v1 at .* cannot be read .*: restore the folder"):
            infer(spark, restored, NOON, serve=False)
        with pytest.raises(NothingTrainedError, match="ModelUnreadableError"):
            train_as(spark, restored, "v4", days_later=14, targets=TARGETS[:1])
        assert registered(spark, restored).model_version == "v1"
        # The way out that the sentence names.
        train_as(spark, restored, "v5", days_later=14, targets=TARGETS[:1], without_champion=True)
        promote(spark, restored, "v5")
        assert registered(spark, restored).model_version == "v5"
    finally:
        shutil.rmtree(place)
        aside.rename(place)


def test_a_model_of_other_features_is_refused(spark: SparkSession, restored: Settings):
    record(spark, restored, [replace(registered(spark, restored), feature_schema_hash="other")])
    with pytest.raises(FeatureSchemaError, match=r"learned v1 was trained with other features .*: run model_training"):
        infer(spark, restored, NOON, serve=False)


def test_one_class_in_one_target_leaves_its_champion_and_trains_the_others(spark: SparkSession, restored: Settings):
    table = open_table(spark, restored, GOLD_STATION_FEATURES)
    version = version_of(spark, restored, GOLD_STATION_FEATURES)
    # Without a known state of rain there is no example of it.
    table.update(set={"rain_past_3h": F.lit(None).cast("double")})
    try:
        told = train_as(spark, restored, "v6", days_later=21)
    finally:
        table.restoreToVersion(version)
    assert set(told["targets"]) == {SIX_HOURS}
    assert "NoDataError: rain_within_3h_3h has 0 examples" in told["refused"][TARGETS[1].name]
    champions = {model.target.name: model.model_version for model in models(spark, restored) if model.is_champion}
    assert champions == {target.name: "v1" for target in TARGETS}


def test_empty_features_and_a_lost_version_are_refused(spark: SparkSession, restored: Settings, tmp_path: Path):
    before = files(restored)
    with pytest.raises(NoDataError, match="run gold_aggregation"):
        train_as(spark, restored, "v7", hourly_version=99)
    # The table's first version is the empty one.
    with pytest.raises(NoDataError, match="station_features is empty"):
        train_as(spark, restored, "v7", features_version=0)
    assert files(restored) == before
