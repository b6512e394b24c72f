"""The registry of models: `gold.models` says which there are and which of them issues the forecasts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pyspark.ml import PipelineModel

from weahouse.batch.writer import Writer
from weahouse.io.small_tables import merge_rows, read_version
from weahouse.ml.baselines import BASELINES, CLIMATOLOGY, PERSISTENCE, climatology, persistence
from weahouse.ml.errors import ModelUnreadableError, OutdatedComparisonError
from weahouse.ml.estimators import LEARNED, predict
from weahouse.ml.promotion import Score, decide
from weahouse.ml.targets import target_of
from weahouse.schemas.gold import CHAMPION, GOLD_MODELS, RETIRED

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import SparkSession

    from weahouse.ml.comparison import Bounds, Predictor
    from weahouse.ml.targets import Target
    from weahouse.settings import Settings

JOB = "models"
_DOCUMENTS = ("model_parameters", "metrics")


@dataclass(frozen=True)
class Model:
    """A row of `gold.models`; `model_parameters` and `metrics` are its JSON, read."""

    model_name: str
    model_version: str
    predictand: str
    lead_time_h: int
    model_state: str
    data_version: str
    feature_schema_hash: str
    model_parameters: dict[str, Any]
    metrics: dict[str, Any]
    trained_from: datetime
    trained_to: datetime
    artefact_path: str
    created_at: datetime
    state_reason: str | None = None

    @property
    def target(self) -> Target:
        return target_of(self.predictand, self.lead_time_h)

    @property
    def is_champion(self) -> bool:
        return self.model_state == CHAMPION

    @property
    def bounds(self) -> Bounds | None:
        """What is added to a forecast for the two ends of its interval; None for a probability."""
        found = self.model_parameters.get("bounds")
        return (found[0], found[1]) if found else None

    @property
    def score(self) -> Score:
        return Score(self.model_name, self.model_version, self.metrics["mse"])


def models(settings: Settings) -> list[Model]:
    """All models, the oldest first; none where nothing was trained yet. Raises LakeError."""
    return registry(settings)[0]


def registry(settings: Settings) -> tuple[list[Model], int]:
    """The same, and which version of `gold.models` says so."""
    rows, version = read_version(settings, GOLD_MODELS)
    told = [Model(**row | {name: json.loads(row[name]) for name in _DOCUMENTS}) for row in rows]
    return sorted(told, key=lambda model: (model.created_at, model.model_version)), version


def record(settings: Settings, changed: Iterable[Model]) -> None:
    """Insert or replace rows, all in one commit."""
    rows = [asdict(model) | {name: json.dumps(getattr(model, name)) for name in _DOCUMENTS} for model in changed]
    merge_rows(settings, GOLD_MODELS, rows)


def champion_of(known: Sequence[Model], target: Target) -> Model | None:
    """The model that issues a target's forecasts."""
    return next((model for model in known if model.is_champion and model.target == target), None)


def in_use(known: Sequence[Model]) -> list[Model]:
    """The champions, and of each target the newest version of each baseline, with which they are compared."""
    newest = {(model.model_name, model.target.name): model for model in known if model.model_name in BASELINES}
    used = [model for model in known if model.is_champion or model in newest.values()]
    return sorted(used, key=lambda model: (model.target.name, model.model_name))


def predictor(spark: SparkSession, settings: Settings, model: Model) -> Predictor:
    """What adds a model's forecast to features, read from its files. Raises ModelUnreadableError."""
    folder = settings.hdfs + model.artefact_path
    if model.model_name == PERSISTENCE:
        return partial(persistence, target=model.target)
    if model.model_name == CLIMATOLOGY:
        # Read whole at once, so that a damaged file is found here.
        usual = _readable(model, lambda: spark.read.parquet(f"{folder}/{model.predictand}").localCheckpoint())
        return partial(climatology, target=model.target, usual=usual)
    pipeline = _readable(model, lambda: PipelineModel.load(f"{folder}/{model.target.name}"))
    return partial(predict, pipeline, target=model.target)


def _readable(model: Model, read: Callable[[], Any]) -> Any:
    try:
        return read()
    # The library raises whatever its parser meets, the JVM's errors among it.
    except Exception as error:
        raise ModelUnreadableError(
            f"{model.model_name} {model.model_version} at {model.artefact_path} cannot be read "
            f"({type(error).__name__}): restore the folder, or train anew with without_champion"
        ) from error


def promote(settings: Settings, version: str, writer: Writer | None = None) -> dict[str, str]:
    """Decide for each target of one training who issues the forecasts; returns by target the champion and why.

    All in one commit; a second time changes nothing. Raises OutdatedComparisonError where the champion is another one
    than that which the candidate was compared with, ValueError where there is no such training.
    """
    writer = writer or Writer.on_hdfs(settings, JOB)
    with writer.hold(GOLD_MODELS):
        known = models(settings)
        by_target = _of_training(known, version)
        told: dict[str, str] = {}
        changed: list[Model] = []
        for target, trained in by_target.items():
            after = _decided([model for model in known if model.target == target], trained)
            changed += [model for model in after if model not in known]
            champion = next(model for model in after if model.is_champion)
            told[target.name] = f"{champion.model_name} {champion.model_version}: {champion.state_reason}"
        record(settings, changed)
    return told


def _of_training(known: Iterable[Model], version: str) -> dict[Target, dict[str, Model]]:
    """The models of one training by target and name; raises ValueError where there is none."""
    found: dict[Target, dict[str, Model]] = {}
    for model in known:
        if model.model_version == version:
            found.setdefault(model.target, {})[model.model_name] = model
    if not found:
        raise ValueError(f"there is no training {version!r}: see the model_version column of gold.models")
    return found


def _decided(known: Sequence[Model], trained: Mapping[str, Model]) -> list[Model]:
    """All models of one target as they are to stand."""
    candidate = trained[LEARNED]
    if any(model.is_champion for model in trained.values()):
        return list(known)
    incumbent = _incumbent(known, candidate)
    compared = candidate.metrics.get(CHAMPION, {})
    is_other = incumbent is not None and compared.get("model_version") != incumbent.model_version
    if is_other or known[-1].created_at > candidate.created_at:
        raise OutdatedComparisonError(
            f"{candidate.target.name}: since {candidate.model_version} was trained there is another champion or a "
            "newer training: promote that, or train anew"
        )
    # Without a figure where the champion's files were lost: it is beaten by whoever beats the baselines.
    score = Score(LEARNED, compared["model_version"], compared["mse"]) if incumbent and "mse" in compared else None
    decision = decide(candidate.score, score, (trained[PERSISTENCE].score, trained[CLIMATOLOGY].score))
    chosen = (decision.champion.model_name, decision.champion.model_version)
    return [_after(model, chosen, candidate, decision.reason) for model in known]


def _incumbent(known: Sequence[Model], candidate: Model) -> Model | None:
    """The trained model that a candidate must beat; one that knows other features can forecast nothing any more."""
    champion = champion_of(known, candidate.target)
    if champion is None or champion.model_name != LEARNED:
        return None
    return champion if champion.feature_schema_hash == candidate.feature_schema_hash else None


def _after(model: Model, chosen: tuple[str, str], candidate: Model, reason: str) -> Model:
    if (model.model_name, model.model_version) == chosen:
        return replace(model, model_state=CHAMPION, state_reason=reason)
    if model.model_version == candidate.model_version:
        return replace(model, state_reason=reason)
    return model if model.model_state == RETIRED else replace(model, model_state=RETIRED, state_reason=reason)
