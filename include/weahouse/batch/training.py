"""Training: features and hours of Gold, of days of trust -> models, their files, card and rows in the registry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException

from weahouse.batch.features import span_of
from weahouse.batch.registry import Model, champion_of, models, predictor, record
from weahouse.io.delta import ensure_table, read_table, version_of
from weahouse.io.folders import new_folder, write_text
from weahouse.ml.baselines import BASELINES, CLIMATOLOGY
from weahouse.ml.card import card
from weahouse.ml.comparison import Trained, train_target
from weahouse.ml.errors import ModelError, ModelExistsError, NoDataError, NothingTrainedError, OutdatedComparisonError
from weahouse.ml.estimators import KINDS, LEARNED
from weahouse.ml.features import check_features, schema_hash
from weahouse.ml.splits import Plan, plan
from weahouse.ml.targets import TARGETS, Target, examples, observed, of_trusted
from weahouse.schemas.datasets import CURATED_STATION_TRUST
from weahouse.schemas.fields import FEATURES
from weahouse.schemas.gold import (
    CANDIDATE,
    CARD,
    CHAMPION,
    GOLD_HOURLY_SUMMARIES,
    GOLD_STATION_FEATURES,
    MODEL_NAME_PATTERN,
)
from weahouse.schemas.render import model_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.ml.comparison import Predictor
    from weahouse.settings import Settings

_NAMES = (*BASELINES, LEARNED)


@dataclass(frozen=True)
class _Training:
    """What all targets of one training share."""

    version: str
    created_at: datetime
    trained_from: datetime
    plan: Plan
    data_version: str

    @property
    def told(self) -> dict[str, str]:
        """What the card says of it, as it is to be read."""
        final, folds = self.plan.final, ", ".join(f"{fold.origin:%Y-%m-%d}" for fold in self.plan.folds)
        return {
            "version": self.version,
            "data": self.data_version,
            "trained with": f"{self.trained_from:%Y-%m-%d} to {final.origin:%Y-%m-%d}",
            "chosen and calibrated by rolling origin, from": folds,
            "final range, touched once": f"{final.origin:%Y-%m-%d} to {final.until:%Y-%m-%d}",
            "features": f"{len(FEATURES)}, schema {schema_hash()}",
        }


def train(
    spark: SparkSession,
    settings: Settings,
    version: str,
    created_at: datetime,
    *,
    targets: Sequence[Target] = TARGETS,
    kinds: Sequence[str] = KINDS,
    without_champion: bool = False,
    features_version: int | None = None,
    hourly_version: int | None = None,
) -> dict[str, Any]:
    """Train, compare and register candidates for each target; who is champion is decided by `registry.promote`.

    Reads both tables at the given versions, the newest where None, and leaves out what a station told on days on which
    one of its variables is distrusted. `without_champion`: where the files of a champion
    are lost, candidates are compared with the baselines alone. Returns model_version, by target the kind and the
    scores of all contenders, and `refused`, by target why it could not be trained: those are not registered, and their
    champion stays. Raises ModelError where none could, or nothing could be read; ValueError for a version's form.
    """
    if re.fullmatch(MODEL_NAME_PATTERN, version) is None:
        raise ValueError(f"{version!r} cannot name a version: {MODEL_NAME_PATTERN} is wanted, such as 20240501T120000Z")
    known = models(settings)
    if any(model.model_version == version for model in known):
        raise ModelExistsError(f"a training {version} is registered already: choose another version")
    features, hourly, trust, read = _read(spark, settings, features_version, hourly_version)
    span = span_of(features)
    if span is None:
        raise NoDataError(f"{GOLD_STATION_FEATURES.name} is empty: run gold_aggregation first")
    training = _Training(version, created_at, span[0], plan(*span), read)
    trained: dict[Target, Trained] = {}
    refused: dict[str, str] = {}
    for target in targets:
        try:
            champion = None if without_champion else _champion(spark, settings, known, target, training.plan)
            trained[target] = _train(features, hourly, trust, target, training.plan, champion, kinds)
        except ModelError as error:
            refused[target.name] = f"{type(error).__name__}: {error}"
    if not trained:
        reason = next(iter(refused.values()))
        raise NothingTrainedError(f"no target could be trained, so nothing was registered: {reason}")
    _write(spark, settings, training, trained)
    record(settings, _rows(settings, training, trained, known))
    told = {target.name: {"kind": found.kind} | _short(found) for target, found in trained.items()}
    return {"model_version": version, "targets": told, "refused": refused}


def _read(
    spark: SparkSession, settings: Settings, features_version: int | None, hourly_version: int | None
) -> tuple[DataFrame, DataFrame, DataFrame, str]:
    """Features, hours and trust, each of one version from the first look at it to the last, and which these are."""
    for dataset in (GOLD_STATION_FEATURES, CURATED_STATION_TRUST):
        ensure_table(spark, settings, dataset)
    wanted = {
        GOLD_STATION_FEATURES: features_version,
        GOLD_HOURLY_SUMMARIES: hourly_version,
        CURATED_STATION_TRUST: None,
    }
    found, names = [], []
    for dataset, asked in wanted.items():
        try:
            version = version_of(spark, settings, dataset) if asked is None else asked
            found.append(read_table(spark, settings, dataset, version))
        except AnalysisException as error:
            raise NoDataError(
                f"{dataset.name} cannot be read ({error.getCondition()}): run gold_aggregation, or give a version that "
                "the table still has"
            ) from error
        names.append(f"{dataset.name}@{version}")
    features, hourly, trust = found
    check_features(features)
    return features, hourly, trust, ", ".join(names)


def _champion(
    spark: SparkSession, settings: Settings, known: Sequence[Model], target: Target, plan: Plan
) -> Predictor | None:
    """What the champion forecasts, where it is a trained model: baselines are fitted anew in each training."""
    champion = champion_of(known, target)
    if champion is None or champion.model_name != LEARNED or champion.feature_schema_hash != schema_hash():
        return None
    if champion.trained_to > plan.final.origin:
        raise OutdatedComparisonError(
            f"{target.name}: the champion was trained up to {champion.trained_to:%Y-%m-%d}, and the final range begins "
            f"before that, at {plan.final.origin:%Y-%m-%d}: train with data that end later"
        )
    return predictor(spark, settings, champion)


def _train(
    features: DataFrame,
    hourly: DataFrame,
    trust: DataFrame,
    target: Target,
    plan: Plan,
    champion: Predictor | None,
    kinds: Sequence[str],
) -> Trained:
    observations = observed(hourly, target.predictand).persist()
    known = of_trusted(examples(features, observations, target), trust).persist()
    try:
        return train_target(known, observations, target, plan, champion, kinds)
    finally:
        known.unpersist()
        observations.unpersist()


def _write(spark: SparkSession, settings: Settings, training: _Training, trained: Mapping[Target, Trained]) -> None:
    """The files of each model, and the card of all of them beside each."""
    facts = {
        target.name: {"kind": found.kind, "lead_time_h": target.lead_time_h, "figures": found.figures}
        for target, found in trained.items()
    }
    page = card(f"Training {training.version}", training.told, facts)
    for name in _NAMES:
        place = settings.hdfs + model_path(name, training.version, settings.hdfs_root)
        try:
            with new_folder(spark, place) as folder:
                if name in _FILES:
                    _FILES[name](folder, trained)
                write_text(spark, f"{folder}/{CARD}", page)
        except FileExistsError:
            raise ModelExistsError(
                f"{place} exists though no such training is registered: choose another version"
            ) from None


def _write_normals(folder: str, trained: Mapping[Target, Trained]) -> None:
    # Those of one predictand are the same at each lead time.
    for predictand, usual in {target.predictand: found.usual for target, found in trained.items()}.items():
        usual.coalesce(1).write.parquet(f"{folder}/{predictand}")


def _write_pipelines(folder: str, trained: Mapping[Target, Trained]) -> None:
    for target, found in trained.items():
        found.pipeline.write().save(f"{folder}/{target.name}")


# All that persistence needs is a feature and its bounds, which the registry holds.
_FILES = {CLIMATOLOGY: _write_normals, LEARNED: _write_pipelines}


def _rows(
    settings: Settings, training: _Training, trained: Mapping[Target, Trained], known: Sequence[Model]
) -> list[Model]:
    return [
        _row(settings, training, target, found, name, champion_of(known, target))
        for target, found in trained.items()
        for name in _NAMES
    ]


def _row(
    settings: Settings, training: _Training, target: Target, found: Trained, name: str, champion: Model | None
) -> Model:
    metrics = dict(found.figures[name])
    if name == LEARNED and champion is not None:
        metrics[CHAMPION] = found.figures.get(CHAMPION, {}) | {"model_version": champion.model_version}
    return Model(
        name,
        training.version,
        target.predictand,
        target.lead_time_h,
        CANDIDATE,
        training.data_version,
        schema_hash(),
        {"kind": found.kind if name == LEARNED else name, "bounds": found.bounds.get(name)},
        metrics,
        training.trained_from,
        training.plan.final.origin,
        model_path(name, training.version, settings.hdfs_root),
        training.created_at,
        "trained, and not decided on yet",
    )


def _short(found: Trained) -> dict[str, Any]:
    """What fits on a line: error and skill of each contender."""
    kept = ("cases", "mae", "rmse", "mse", "skill")
    return {name: {key: row[key] for key in kept} for name, row in found.figures.items()}
