"""MLlib pipelines: what temperature departs from its last value, and the probability of rain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier, LogisticRegression
from pyspark.ml.feature import Imputer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.ml.regression import GBTRegressor, LinearRegression
from pyspark.sql import functions as F

from weahouse.ml.errors import NoDataError, OneClassError
from weahouse.schemas.fields import FEATURES
from weahouse.schemas.gold import MODEL_KINDS

if TYPE_CHECKING:
    from pyspark.ml import PipelineModel
    from pyspark.sql import Column, DataFrame

    from weahouse.ml.targets import Target

LEARNED = "learned"
KINDS = MODEL_KINDS
LINEAR, BOOSTED_TREES = KINDS
# Ten for each feature, without which a fit would follow its noise.
LEAST_EXAMPLES = 500
# A bound on the time of a fit: five stations' six years are some 280,000.
MOST_EXAMPLES_OF_TREES = 100_000
# Each level of each tree is a job of its own. With a task for each month of these six years a fit took 175 s on two
# cores, with four tasks 31 and 41 s.
_PARTITIONS_OF_TREES = 4
_ITERATIONS = 30
_TREES: dict[str, Any] = {
    "maxDepth": 5,
    "stepSize": 0.2,
    # Each tree sees a part of the rows and of the features: quicker, and no two trees are alike.
    "subsamplingRate": 0.7,
    "featureSubsetStrategy": "onethird",
    "seed": 17,
}
# Against coefficients without bound where features say nearly the same, as levels and changes do.
_REGULARISATION = 0.001
_OUTPUTS = ("features", "prediction", "rawPrediction", "probability")


def fit(examples: DataFrame, target: Target, kind: str, iterations: int = _ITERATIONS) -> PipelineModel:
    """Train a pipeline of a kind with `examples`: FEATURES and `observed_value`; `iterations` are those of trees.

    Features that have no value at all are left out; single missing values are their medians'. Raises NoDataError where
    there are fewer than `LEAST_EXAMPLES`, OneClassError where the outcomes of a probability are all the same.
    """
    usable = examples.where(F.col(target.persistence).isNotNull())
    count, known = _checked(usable, target)
    labelled = (_sample(usable, count) if kind == BOOSTED_TREES else usable).withColumn("label", _label(target))
    filled = [f"{name}_filled" for name in known]
    stages = [
        Imputer(strategy="median", inputCols=known, outputCols=filled),
        VectorAssembler(inputCols=filled, outputCol="features"),
        _estimator(target, kind, iterations),
    ]
    return Pipeline(stages=stages).fit(labelled)


def predict(model: PipelineModel, features: DataFrame, target: Target) -> DataFrame:
    """Add `predicted_value`; null where the target's persistence is, as no such row was trained with."""
    told = model.transform(features)
    value = vector_to_array(F.col("probability"))[1] if target.is_probability else F.col("prediction")
    if not target.is_probability:
        value = value + F.col(target.persistence)
    made = [column for column in told.columns if column in _OUTPUTS or column.endswith("_filled")]
    return told.withColumn("predicted_value", F.when(F.col(target.persistence).isNotNull(), value)).drop(*made)


def _label(target: Target) -> Column:
    """What is learned: a departure from persistence is small where the weather is steady, a temperature never is."""
    return F.col("observed_value") - (F.lit(0.0) if target.is_probability else F.col(target.persistence))


def _checked(examples: DataFrame, target: Target) -> tuple[int, list[str]]:
    """How many examples there are, and the features that have values."""
    outcomes = [F.min("observed_value").alias("least"), F.max("observed_value").alias("most")]
    told = examples.agg(F.count("*").alias("examples"), *outcomes, *[F.count(name).alias(name) for name in FEATURES])
    row = told.first()
    assert row is not None
    if row["examples"] < LEAST_EXAMPLES:
        raise NoDataError(
            f"{target.name} has {row['examples']} examples to train with, and {LEAST_EXAMPLES} are needed: "
            "ingest a longer time, or wait until there is one"
        )
    if target.is_probability and row["least"] == row["most"]:
        raise OneClassError(
            f"{target.name} was {row['most']:g} in all {row['examples']} examples to train with: ingest a time with "
            "both outcomes"
        )
    return row["examples"], [name for name in FEATURES if row[name]]


def _sample(examples: DataFrame, count: int) -> DataFrame:
    """About `MOST_EXAMPLES_OF_TREES` of so many, always the same ones."""
    every = max(1, round(count / MOST_EXAMPLES_OF_TREES))
    sampled = examples.where(F.pmod(F.xxhash64("station_id", "issued_at"), F.lit(every)) == 0)
    return sampled.coalesce(_PARTITIONS_OF_TREES)


def _estimator(target: Target, kind: str, iterations: int) -> Any:
    if kind == LINEAR:
        linear = LogisticRegression if target.is_probability else LinearRegression
        return linear(regParam=_REGULARISATION)
    trees = GBTClassifier if target.is_probability else GBTRegressor
    return trees(maxIter=iterations, **_TREES)
