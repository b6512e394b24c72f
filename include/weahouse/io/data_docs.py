"""Where checks leave their results and pages in the instance's home, and how many are kept."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

# Per table: two days of an hourly producer's checks, seven weeks of daily ones.
RUNS_KEPT = 50
_ANSWER = "answer.json"

Answer = dict[str, Any]


def quality_folder(settings: Settings) -> Path:
    """All that checks write: results and pages, and the copies of the configuration they work in."""
    return settings.home / "quality"


def site(settings: Settings) -> Path:
    """The folder of the pages, Data Docs, each of which is one check of a table."""
    return quality_folder(settings) / "uncommitted" / "data_docs" / "local_site"


def page_of(settings: Settings, dataset: Dataset, run: str) -> str:
    """The page of a run, relative to `site`; raises FileNotFoundError where it was not written."""
    pages = sorted(_runs(site(settings), dataset).joinpath(run).rglob("*.html"))
    if not pages:
        raise FileNotFoundError(f"the check {run} of {dataset.name} left no page in {site(settings)}")
    return str(pages[0].relative_to(site(settings)))


def keep_answer(settings: Settings, dataset: Dataset, run: str, answer: Answer) -> None:
    """Put what a check answered beside its page, and delete the runs of the table that are too old."""
    (_runs(site(settings), dataset) / run / _ANSWER).write_text(json.dumps(answer))
    for root in (site(settings), quality_folder(settings) / "uncommitted"):
        # Runs are named by their time, so that the alphabet's order is time's.
        for old in sorted(_runs(root, dataset).iterdir())[:-RUNS_KEPT]:
            shutil.rmtree(old)


def answers(settings: Settings) -> list[Answer]:
    """What the checks that are kept have answered, the newest first."""
    found = sorted(site(settings).glob(f"validations/*/*/*/{_ANSWER}"), key=lambda file: file.parent.name, reverse=True)
    return [json.loads(file.read_text()) for file in found]


def _runs(root: Path, dataset: Dataset) -> Path:
    return root / "validations" / dataset.zone / dataset.table
