"""Training for one target: chosen and calibrated by rolling origin, then compared once over the final range."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from weahouse.ml.baselines import BASELINES, CLIMATOLOGY, PERSISTENCE, climatology, normals, persistence
from weahouse.ml.errors import NoDataError
from weahouse.ml.estimators import KINDS, LEARNED, fit, predict
from weahouse.ml.evaluation import reliability, residual_bounds, scores, skill, with_errors
from weahouse.schemas.gold import CHAMPION

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel

    from weahouse.ml.splits import Plan, Split
    from weahouse.ml.targets import Target

# Adds `predicted_value` to features, and changes nothing else of them.
Predictor = Callable[[DataFrame], DataFrame]
Bounds = tuple[float, float]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Trained:
    """What one target's training gave: models fit up to the final range, and how they did in it.

    `usual` are the normals; `bounds` by model, what is added to a forecast for its interval, none for a probability;
    `figures` by model, of the cases that all of them have (`champion` among them where there was a trained one).
    """

    target: Target
    kind: str
    pipeline: PipelineModel
    usual: DataFrame
    bounds: dict[str, Bounds]
    figures: dict[str, Figures]


def train_target(
    examples: DataFrame,
    observations: DataFrame,
    target: Target,
    plan: Plan,
    champion: Predictor | None = None,
    kinds: Sequence[str] = KINDS,
) -> Trained:
    """Choose a kind of pipeline by rolling origin, fit it, and compare it with both baselines and the champion.

    `examples` as of `targets.examples`, `observations` as of `targets.observed`. Raises NoDataError and OneClassError.
    """
    folds = [_cases_of(fold, examples, observations, target, kinds) for fold in plan.folds]
    cases = reduce(DataFrame.union, folds).persist()
    try:
        mse = {row["model_name"]: row["mse"] for row in scores(cases, "model_name").collect()}
        if not mse:
            raise NoDataError(f"{target.name} has no outcome that all models could forecast: ingest a longer time")
        kind = min(kinds, key=lambda name: mse[name])
        bounds = {} if target.is_probability else _bounds(cases, kind)
    finally:
        cases.unpersist()
    usual = normals(_known(observations, plan.final))
    pipeline = fit(plan.final.training(examples), target, kind)
    contenders = _baselines(target, usual) | {LEARNED: partial(predict, pipeline, target=target)}
    compared = compare(plan.final.test(examples), contenders | ({CHAMPION: champion} if champion else {}))
    return Trained(target, kind, pipeline, usual, bounds, figures(compared, target, bounds))


def compare(examples: DataFrame, predictors: Mapping[str, Predictor]) -> DataFrame:
    """Cases with `model_name`, of those examples for which every predictor has a forecast: all are judged by the same.

    Shape: station_id, issued_at, observed_value, model_name, predicted_value.
    """
    told = examples
    columns = {name: f"predicted_{number}" for number, name in enumerate(predictors)}
    for name, predictor in predictors.items():
        told = predictor(told).withColumnRenamed("predicted_value", columns[name])
    each = [
        F.struct(F.lit(name).alias("model_name"), F.col(column).alias("predicted_value"))
        for name, column in columns.items()
    ]
    told = told.dropna(subset=list(columns.values()))
    exploded = told.select("station_id", "issued_at", "observed_value", F.explode(F.array(*each)).alias("case"))
    return exploded.select("station_id", "issued_at", "observed_value", "case.*")


def figures(cases: DataFrame, target: Target, bounds: Mapping[str, Bounds]) -> dict[str, Figures]:
    """Per model: scores, skill against each baseline, `stations`, and `reliability` or `coverage` of the interval.

    Raises NoDataError where there is no case.
    """
    held = _with_bounds(cases, bounds).persist()
    try:
        told = {row["model_name"]: row.asDict() for row in scores(held, "model_name").collect()}
        if not told:
            raise NoDataError(f"{target.name} has no case in the final range: ingest a longer time")
        for name, row in told.items():
            del row["model_name"]
            row["skill"] = {other: skill(row["mse"], told[other]["mse"]) for other in BASELINES if other != name}
        _add_by_station(told, held)
        if target.is_probability:
            _add_reliability(told, held)
        else:
            _add_coverage(told, held)
    finally:
        held.unpersist()
    return told


def _cases_of(
    fold: Split, examples: DataFrame, observations: DataFrame, target: Target, kinds: Sequence[str]
) -> DataFrame:
    training = fold.training(examples)
    trained = {kind: partial(predict, fit(training, target, kind), target=target) for kind in kinds}
    return compare(fold.test(examples), _baselines(target, normals(_known(observations, fold))) | trained)


def _baselines(target: Target, usual: DataFrame) -> dict[str, Predictor]:
    return {
        PERSISTENCE: partial(persistence, target=target),
        CLIMATOLOGY: partial(climatology, target=target, usual=usual),
    }


def _known(observations: DataFrame, split: Split) -> DataFrame:
    return split.training(observations)


def _bounds(cases: DataFrame, kind: str) -> dict[str, Bounds]:
    found = {row["model_name"]: (row["below"], row["above"]) for row in residual_bounds(cases, "model_name").collect()}
    return {LEARNED: found[kind]} | {name: found[name] for name in BASELINES}


def _with_bounds(cases: DataFrame, bounds: Mapping[str, Bounds]) -> DataFrame:
    lower, upper = (_by_model({name: pair[side] for name, pair in bounds.items()}) for side in (0, 1))
    return cases.withColumns(
        {"lower_bound": F.col("predicted_value") + lower, "upper_bound": F.col("predicted_value") + upper}
    )


def _by_model(numbers: Mapping[str, float]) -> Any:
    found = F.lit(None).cast("double")
    for name, number in numbers.items():
        found = F.when(F.col("model_name") == name, F.lit(number)).otherwise(found)
    return found


def _add_by_station(told: dict[str, Figures], cases: DataFrame) -> None:
    for row in scores(cases, "model_name", "station_id").orderBy("station_id").collect():
        found = row.asDict()
        told[found.pop("model_name")].setdefault("stations", {})[found.pop("station_id")] = found


def _add_reliability(told: dict[str, Figures], cases: DataFrame) -> None:
    for row in reliability(cases, "model_name").orderBy("bin").collect():
        found = row.asDict()
        told[found.pop("model_name")].setdefault("reliability", []).append(found)


def _add_coverage(told: dict[str, Figures], cases: DataFrame) -> None:
    share = F.avg(F.col("is_within_bounds").cast("double")).alias("coverage")
    for row in with_errors(cases).groupBy("model_name").agg(share).collect():
        told[row["model_name"]]["coverage"] = row["coverage"]
