"""What a pace makes of a folder."""

from __future__ import annotations

import pytest

from weahouse.schemas.datasets import CURATED_GAPS, CURATED_OBSERVATIONS, RAW_OBSERVATIONS
from weahouse.settings import Settings
from weahouse.streaming.bounds import HDFS_LIMIT, Figure, commits_per_day, log_entries


def test_the_commits_of_a_day_follow_the_triggers():
    assert commits_per_day(Settings(), RAW_OBSERVATIONS) == 17_280
    assert commits_per_day(Settings(), CURATED_OBSERVATIONS) == 43_200
    assert commits_per_day(Settings(), CURATED_GAPS) is None


def test_the_default_pace_leaves_room_in_the_log_of_curated():
    commits = commits_per_day(Settings(), CURATED_OBSERVATIONS)
    assert commits is not None
    assert log_entries(commits) == 699_922
    assert not Figure("log", 0, log_entries(commits), HDFS_LIMIT).needs_attention


@pytest.mark.parametrize(
    ("held", "projected", "attention"), [(10, None, False), (76, None, True), (10, 75, False), (10, 76, True)]
)
def test_a_folder_needs_attention_when_it_is_or_will_be_three_quarters_full(held, projected, attention):
    assert Figure("any", held, projected, 100).needs_attention is attention
