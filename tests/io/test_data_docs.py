from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from weahouse.io.data_docs import RUNS_KEPT, answers, keep_answer, page_of, quality_folder, site
from weahouse.schemas.datasets import CURATED_GAPS, RAW_OBSERVATIONS
from weahouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from weahouse.schemas.kinds import Dataset


def leave(settings: Settings, dataset: Dataset, run: str) -> None:
    """What Great Expectations writes of a run, and the answer."""
    place = f"validations/{dataset.zone}/{dataset.table}/{run}/20260101T000000Z"
    for file in (
        site(settings) / place / "batch.html",
        quality_folder(settings) / "uncommitted" / place / "batch.json",
    ):
        file.parent.mkdir(parents=True)
        file.write_text("told")
    keep_answer(settings, dataset, run, {"run": run})


def test_the_newest_runs_of_each_table_are_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    leave(settings, CURATED_GAPS, "0000")
    for number in range(RUNS_KEPT + 3):
        leave(settings, RAW_OBSERVATIONS, f"{number:04}")
    told = [answer["run"] for answer in answers(settings)]
    assert told[0] == f"{RUNS_KEPT + 2:04}"
    assert sorted(told) == ["0000", *[f"{number:04}" for number in range(3, RUNS_KEPT + 3)]]
    assert len(list(tmp_path.rglob("*.html"))) == len(list(tmp_path.rglob("batch.json"))) == RUNS_KEPT + 1


def test_a_run_is_found_by_its_page_below_the_site(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    leave(settings, CURATED_GAPS, "0000")
    assert (site(settings) / page_of(settings, CURATED_GAPS, "0000")).read_text() == "told"


def test_a_run_that_left_no_page_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the check 0000 of curated\.gaps left no page"):
        page_of(Settings(home=tmp_path), CURATED_GAPS, "0000")


def test_before_the_first_check_there_is_no_answer(tmp_path: Path) -> None:
    assert answers(Settings(home=tmp_path)) == []
