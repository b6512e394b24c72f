"""Which model issues the forecasts: decided from scores alone, over cases later than any that a contender has seen."""

from __future__ import annotations

from dataclasses import dataclass

from weahouse.ml.baselines import BASELINES
from weahouse.ml.evaluation import skill


@dataclass(frozen=True)
class Score:
    """The mean squared error (of probabilities the Brier score) of a model over the compared cases."""

    model_name: str
    model_version: str
    mse: float

    @property
    def is_baseline(self) -> bool:
        return self.model_name in BASELINES


@dataclass(frozen=True)
class Decision:
    """The model that issues the forecasts from now on, and why, in one sentence with the numbers."""

    champion: Score
    reason: str


def decide(candidate: Score, champion: Score | None, baselines: tuple[Score, Score]) -> Decision:
    """Choose the champion among a candidate, the champion where that is a trained model, and both baselines.

    A trained model issues the forecasts only if its error is below that of **both** baselines; of two the one with the
    lower error, and at equal errors the champion stays. Where none is, the better baseline does.
    """
    trained = [score for score in (champion, candidate) if score is not None and not score.is_baseline]
    best_baseline = min(baselines, key=lambda score: score.mse)
    better = [score for score in trained if score.mse < best_baseline.mse]
    # The champion comes first, and of equals min takes the first.
    chosen = min(better, key=lambda score: score.mse, default=best_baseline)
    return Decision(chosen, f"{_outcome(chosen, champion)}; candidate: {_skills(candidate, baselines)}")


def _outcome(chosen: Score, champion: Score | None) -> str:
    if chosen == champion:
        return "the champion stays"
    if chosen.is_baseline:
        return f"{chosen.model_name} is the better baseline, and no trained model beats both"
    return "beats both baselines" + ("" if champion is None or champion.is_baseline else " and the champion")


def _skills(score: Score, baselines: tuple[Score, Score]) -> str:
    """The skill of a model against each baseline, a negative one as such."""
    told = {baseline.model_name: skill(score.mse, baseline.mse) for baseline in baselines}
    return ", ".join(f"skill {_number(value)} against {name}" for name, value in told.items())


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.3f}"
