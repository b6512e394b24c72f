from __future__ import annotations

from pathlib import Path

import pytest

from weahouse.cli.bring_up import check_home, steps
from weahouse.cli.errors import UserError
from weahouse.settings import Settings


@pytest.mark.parametrize("inside", [[], ["bench"], ["run", "kafka"]])
def test_a_home_of_ours_is_taken(tmp_path: Path, inside: list[str]):
    for name in inside:
        (tmp_path / name).mkdir()
    check_home(Settings(home=tmp_path))


def test_a_home_that_does_not_exist_yet_is_taken(tmp_path: Path):
    check_home(Settings(home=tmp_path / "new"))


def test_a_folder_with_somebodys_things_is_refused_by_name(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(UserError, match=str(tmp_path)):
        check_home(Settings(home=tmp_path))


@pytest.mark.parametrize("feed", ["both", "none"])
def test_the_dags_are_switched_on_when_the_stream_has_done_its_first_batch(feed: str):
    assert [step.title for step in steps(feed)][-2:] == [
        "First observation" if feed == "both" else "Stream",
        "Scheduled Dags",
    ]
