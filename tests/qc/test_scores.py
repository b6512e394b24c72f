"""The scores that docs/reference tells are met by a sample small enough to be judged in each run of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.quality_page import Load
from bench.quality_scores import SURFRAD_DAY, agree, failures, score_network
from bench.quality_truth import VALUE_KINDS, Scores
from pyspark.sql import SparkSession

from weahouse.qc.rules import load_rules
from weahouse.settings import ROOT
from weahouse.sources.faults import KINDS

SAMPLE = Load(seed=7, stations=16, interval_s=900, days=3, share=0.2)


@pytest.fixture(scope="module")
def scores(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    return score_network(spark, tmp_path_factory.mktemp("scores") / "network", SAMPLE, load_rules())


def test_level_1_meets_its_requirements(scores: Scores):
    assert failures(scores) == []


def test_plain_python_comes_to_the_same_verdicts_as_column_expressions(scores: Scores):
    assert scores.disagreements == 0
    assert scores.total().right > 100


def test_weather_with_fronts_raises_no_alarm(scores: Scores):
    assert scores.kinds["sound"].records > 5_000
    assert scores.kinds["sound"].false == 0


@pytest.mark.parametrize("kind", VALUE_KINDS)
def test_there_are_faults_beyond_the_limits_and_below_them(scores: Scores, kind: str):
    found = scores.kinds[kind]
    assert 20 < found.beyond < found.records


def test_every_kind_of_fault_is_scored(scores: Scores):
    assert set(scores.kinds) == {*KINDS, "sound"}


def test_the_network_of_surfrad_agrees(spark: SparkSession, tmp_path: Path):
    found = agree(spark, tmp_path / "surfrad", SURFRAD_DAY, load_rules())
    assert [(one.both_good + one.neither_good, one.share) for one in found] == [(1440, 1.0)] * 5


def test_the_published_scores_are_of_the_rules_that_ship():
    told = (ROOT / "docs/reference/quality_scores.md").read_text()
    assert f"Rules `{load_rules().version}`" in told, "the page is stale: run `make qc-scores`"
