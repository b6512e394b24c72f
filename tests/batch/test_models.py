"""From hours of Gold to promoted models, forecasts and their verification, on local Delta tables.

Training takes seconds, so there are two, of one target: the first, and a later one beside its champion.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from tests.batch.conftest import next_run, write
from tests.ml.world import STATIONS, at, hourly, places, world

from weahouse.batch.inference import infer
from weahouse.batch.registry import Model, models, promote, record
from weahouse.batch.training import train
from weahouse.batch.verification import verify
from weahouse.io.delta import open_table, read_table, version_of
from weahouse.ml.baselines import BASELINES, PERSISTENCE
from weahouse.ml.errors import (
    FeatureSchemaError,
    ModelExistsError,
    ModelUnreadableError,
    NoChampionError,
    NoDataError,
    NothingTrainedError,
)
from weahouse.ml.estimators import LEARNED, LINEAR
from weahouse.ml.features import station_features
from weahouse.ml.targets import RAIN, TEMPERATURE, target_of
from weahouse.schemas.gold import (
    CANDIDATE,
    CHAMPION,
    GOLD_FORECAST_VERIFICATION,
    GOLD_FORECASTS,
    GOLD_HOURLY_SUMMARIES,
    GOLD_STATION_FEATURES,
)
from weahouse.settings import Settings

CREATED = datetime(2024, 7, 1, tzinfo=UTC)
TARGET = target_of(TEMPERATURE, 6)
RAIN_TARGET = target_of(RAIN, 3)
SIX_HOURS = TARGET.name
DAYS = 40
NOON = at(36 * 24 + 12)
HOUR = timedelta(hours=1)


def train_as(spark: SparkSession, settings: Settings, version: str, days_later: int = 0, **more: Any) -> dict[str, Any]:
    created_at = CREATED + timedelta(days=days_later)
    return train(spark, settings, version, created_at, **{"targets": (TARGET,), "kinds": (LINEAR,)} | more)


def forecast(spark: SparkSession, settings: Settings, first: datetime, last: datetime | None = None) -> dict[str, Any]:
    """The forecasts of an hour, or of those up to a last one; in Gold alone."""
    return infer(spark, settings, first, last or first, serve=False, writer=next_run("inference"))


def verify_as(spark: SparkSession, settings: Settings, begin: datetime, end: datetime) -> dict[str, Any]:
    return verify(spark, settings, begin, end, next_run("verification"))


def files(settings: Settings) -> set[str]:
    root = Path(settings.hdfs_root, "models")
    return {str(path.relative_to(root)) for path in root.glob("*/*")}


def champion(settings: Settings) -> Model:
    """The champion of the temperature in six hours."""
    return next(model for model in models(settings) if model.is_champion and model.target.name == SIX_HOURS)


@pytest.fixture(scope="module")
def ready(spark: SparkSession, local_lake: Settings) -> Settings:
    """Hours and features are there, and nothing was trained."""
    hours = hourly(spark, world(DAYS))
    write(hours, local_lake, GOLD_HOURLY_SUMMARIES)
    write(station_features(hours, places(spark, a=(40.0, 0.0))), local_lake, GOLD_STATION_FEATURES)
    return local_lake


@pytest.fixture(scope="module")
def trained(spark: SparkSession, ready: Settings) -> dict[str, Any]:
    with pytest.raises(NoChampionError, match="run model_training"):
        forecast(spark, ready, NOON)
    return train_as(spark, ready, "v1")


@pytest.fixture(scope="module")
def promoted(ready: Settings, trained: dict[str, Any]) -> Settings:
    assert {model.model_state for model in models(ready)} == {CANDIDATE}
    promote(ready, "v1", next_run("models"))
    return ready


@pytest.fixture(scope="module")
def issued(spark: SparkSession, promoted: Settings) -> dict[str, Any]:
    """What the inference of two hours has told."""
    return forecast(spark, promoted, NOON - HOUR, NOON)


@pytest.fixture(scope="module")
def outcomes(spark: SparkSession, promoted: Settings, issued: dict[str, Any]) -> dict[str, Any]:
    """What the verification of the six hours after noon has told."""
    return verify_as(spark, promoted, NOON, NOON + 6 * HOUR)


def table(spark: SparkSession, settings: Settings, dataset: Any) -> DataFrame:
    return read_table(spark, settings, dataset)


def issued_at_noon(spark: SparkSession, settings: Settings, dataset: Any) -> list[Row]:
    return table(spark, settings, dataset).where(F.col("issued_at") == F.lit(NOON)).collect()


def test_training_tells_what_it_chose_and_how_good_it_is(trained: dict[str, Any]):
    assert trained["refused"] == {}
    told = trained["targets"][SIX_HOURS]
    assert told["kind"] == LINEAR
    assert told[LEARNED]["skill"][PERSISTENCE] > 0.5


def test_models_stand_whole_beside_their_card_and_nothing_else_is_left(promoted: Settings):
    assert {name for name in files(promoted) if name.endswith("v1")} == {f"{name}/v1" for name in (*BASELINES, LEARNED)}
    assert not [name for name in files(promoted) if "." in name]
    for name in (*BASELINES, LEARNED):
        card = Path(promoted.hdfs_root, "models", name, "v1", "card.html").read_text()
        assert "gold.station_features@" in card
        assert "<svg" in card


def test_the_registry_says_with_what_a_model_was_trained(promoted: Settings):
    found = champion(promoted)
    assert (found.model_name, found.model_version) == (LEARNED, "v1")
    assert found.data_version.startswith("gold.station_features@")
    assert found.trained_from == at(1)
    assert found.trained_to == at((DAYS + 1 - 8) * 24)
    assert found.bounds is not None
    assert "beats both baselines" in (found.state_reason or "")


def test_forecasts_of_all_models_in_use_come_for_all_stations(
    spark: SparkSession, promoted: Settings, issued: dict[str, Any]
):
    assert (issued["stations"], issued["rows_served"]) == (len(STATIONS), 0)
    assert issued["champions"][SIX_HOURS] == "learned v1"
    assert issued["forecasts"] == table(spark, promoted, GOLD_FORECASTS).count()
    rows = issued_at_noon(spark, promoted, GOLD_FORECASTS)
    assert {(row["station_id"], row["model_name"]) for row in rows} == {
        (station, name) for station in STATIONS for name in (*BASELINES, LEARNED)
    }
    for row in rows:
        assert row["valid_at"] - row["issued_at"] == 6 * HOUR
        assert row["lower_bound"] < row["predicted_value"] < row["upper_bound"]


def test_inferring_again_commits_nothing_also_beside_another_models_forecasts(
    spark: SparkSession, promoted: Settings, issued: dict[str, Any]
):
    other = table(spark, promoted, GOLD_FORECASTS).limit(1).withColumn("model_version", F.lit("v0"))
    other.write.format("delta").mode("append").save(f"file:{promoted.hdfs_root}/gold/forecasts")
    version = version_of(spark, promoted, GOLD_FORECASTS)
    assert forecast(spark, promoted, NOON)["forecasts_written"] == 0
    assert version_of(spark, promoted, GOLD_FORECASTS) == version


def test_an_hour_that_is_not_full_or_has_no_features_is_refused(spark: SparkSession, promoted: Settings):
    with pytest.raises(ValueError, match="no full hour"):
        forecast(spark, promoted, NOON + timedelta(minutes=5))
    with pytest.raises(NoDataError, match="no station has features of 2024-08-01T00:00Z"):
        forecast(spark, promoted, datetime(2024, 8, 1, tzinfo=UTC))


def test_forecasts_are_verified_with_what_was_observed(
    spark: SparkSession, promoted: Settings, outcomes: dict[str, Any]
):
    assert outcomes["verified"] == outcomes["forecasts"] > 0
    rows = issued_at_noon(spark, promoted, GOLD_FORECAST_VERIFICATION)
    assert len(rows) == len(STATIONS) * 3
    for row in rows:
        assert row["squared_error"] == pytest.approx((row["predicted_value"] - row["observed_value"]) ** 2)
    skill = {row["model_name"]: row for row in outcomes["skill"]}
    assert skill[LEARNED]["skill_against_persistence"] > 0
    assert skill[PERSISTENCE]["skill_against_persistence"] == pytest.approx(0.0)


def test_verifying_again_commits_nothing_and_leaves_what_lies_before_alone(
    spark: SparkSession, promoted: Settings, outcomes: dict[str, Any]
):
    version = version_of(spark, promoted, GOLD_FORECAST_VERIFICATION)
    told = verify_as(spark, promoted, NOON + 5 * HOUR, NOON + 7 * HOUR)
    assert 0 < told["verified"] < outcomes["verified"]
    assert told["verified_written"] == 0
    assert version_of(spark, promoted, GOLD_FORECAST_VERIFICATION) == version
    with pytest.raises(ValueError, match="is empty"):
        verify_as(spark, promoted, NOON, NOON)


def test_a_version_is_trained_once_and_has_a_plain_name(spark: SparkSession, promoted: Settings):
    with pytest.raises(ModelExistsError, match="choose another version"):
        train_as(spark, promoted, "v1")
    with pytest.raises(ValueError, match="cannot name a version"):
        train_as(spark, promoted, "a' OR '1'='1")


def test_empty_features_and_a_lost_version_are_refused(spark: SparkSession, promoted: Settings):
    before = files(promoted)
    with pytest.raises(NoDataError, match="run gold_aggregation"):
        train_as(spark, promoted, "v2", hourly_version=99)
    # The table's first version is the empty one.
    with pytest.raises(NoDataError, match="station_features is empty"):
        train_as(spark, promoted, "v2", features_version=0)
    assert files(promoted) == before


def test_a_model_of_other_features_is_refused(spark: SparkSession, promoted: Settings):
    found = champion(promoted)
    record(promoted, [replace(found, feature_schema_hash="other")])
    try:
        with pytest.raises(FeatureSchemaError, match=r"learned v1 was trained with other features .*: run model_train"):
            forecast(spark, promoted, NOON)
    finally:
        record(promoted, [found])


def test_a_damaged_champion_is_named_and_stays(spark: SparkSession, promoted: Settings):
    place = Path(promoted.hdfs_root, "models", LEARNED, "v1", SIX_HOURS)
    aside = place.with_name("aside")
    shutil.copytree(place, aside)
    try:
        damaged = [part.write_bytes(b"PAR1 and nothing else") for part in place.glob("stages/2_*/**/part-*")]
        assert damaged
        with pytest.raises(ModelUnreadableError, match=r"learned v1 at .* cannot be read .*: restore the folder"):
            forecast(spark, promoted, NOON)
        with pytest.raises(NothingTrainedError, match="ModelUnreadableError"):
            train_as(spark, promoted, "v2", days_later=7)
        assert champion(promoted).model_version == "v1"
    finally:
        shutil.rmtree(place)
        aside.rename(place)


def test_beside_a_champion_what_has_no_data_is_refused_and_the_rest_is_trained_and_compared_with_it(
    spark: SparkSession, promoted: Settings
):
    features = open_table(spark, promoted, GOLD_STATION_FEATURES)
    # Without a known state of rain there is no example of it.
    features.update(set={"rain_past_3h": F.lit(None).cast("double")})
    told = train_as(spark, promoted, "v3", days_later=21, targets=(TARGET, RAIN_TARGET))
    assert set(told["targets"]) == {SIX_HOURS}
    assert "NoDataError: rain_within_3h_3h has 0 examples" in told["refused"][RAIN_TARGET.name]
    # Nearly the same data give nearly the same model.
    compared = told["targets"][SIX_HOURS]
    assert compared[CHAMPION]["mse"] == pytest.approx(compared[LEARNED]["mse"], rel=0.05)
    candidate = next(m for m in models(promoted) if (m.model_name, m.model_version) == (LEARNED, "v3"))
    assert candidate.metrics[CHAMPION]["model_version"] == "v1"
