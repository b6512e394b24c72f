"""Why training or inference does not go on. Each says what to do; whatever it is, the champion stays."""

from __future__ import annotations


class ModelError(RuntimeError):
    """Nothing was promoted and nothing was overwritten; one sentence."""


class NoDataError(ModelError):
    """There are too few examples, or none, to train or to verify with."""


class NothingTrainedError(ModelError):
    """No target could be trained; names the reason of the first."""


class OneClassError(ModelError):
    """It always rained in the training data, or never: there is nothing to tell apart."""


class FeatureSchemaError(ModelError):
    """The features have other names or types than the code or the model knows."""


class ModelUnreadableError(ModelError):
    """A model's files are gone or damaged."""


class ModelExistsError(ModelError):
    """A model of this name and version stands already."""


class NoChampionError(ModelError):
    """No model has been promoted yet."""


class OutdatedComparisonError(ModelError):
    """The champion is another one than that which the candidate was compared with."""
