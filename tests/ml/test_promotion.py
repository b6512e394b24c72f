from __future__ import annotations

import pytest

from weahouse.ml.baselines import CLIMATOLOGY, PERSISTENCE
from weahouse.ml.promotion import Score, decide

LEARNED = "learned"


@pytest.mark.parametrize(
    ("candidate", "champion", "persistence", "climatology", "chosen"),
    [
        # No champion yet: the candidate if it beats both baselines, else the better one.
        (1.0, None, 2.0, 3.0, "new"),
        (2.5, None, 2.0, 3.0, PERSISTENCE),
        (2.5, None, 3.0, 2.0, CLIMATOLOGY),
        (2.0, None, 2.0, 3.0, PERSISTENCE),
        # A trained champion: only who has the lower error, and beats both baselines.
        (1.0, 1.5, 2.0, 3.0, "new"),
        (1.5, 1.0, 2.0, 3.0, "old"),
        (1.0, 1.0, 2.0, 3.0, "old"),
        (2.5, 1.0, 2.0, 3.0, "old"),
        (1.0, 2.5, 2.0, 3.0, "new"),
        # Neither beats both any more.
        (4.0, 2.5, 2.0, 3.0, PERSISTENCE),
    ],
)
def test_who_issues_the_forecasts(candidate, champion, persistence, climatology, chosen):
    old = None if champion is None else Score(LEARNED, "old", champion)
    baselines = (Score(PERSISTENCE, "new", persistence), Score(CLIMATOLOGY, "new", climatology))
    found = decide(Score(LEARNED, "new", candidate), old, baselines).champion
    assert chosen == (found.model_name if found.is_baseline else found.model_version)


def test_a_baseline_that_was_champion_is_no_contender_of_its_own():
    baselines = (Score(PERSISTENCE, "new", 2.0), Score(CLIMATOLOGY, "new", 3.0))
    decision = decide(Score(LEARNED, "new", 1.0), Score(PERSISTENCE, "old", 0.5), baselines)
    assert decision.champion == Score(LEARNED, "new", 1.0)


def test_a_negative_skill_is_told_as_such():
    baselines = (Score(PERSISTENCE, "1", 2.0), Score(CLIMATOLOGY, "1", 4.0))
    decision = decide(Score(LEARNED, "1", 3.0), None, baselines)
    assert "skill -0.500 against persistence, skill +0.250 against climatology" in decision.reason
    assert "no trained model beats both" in decision.reason
