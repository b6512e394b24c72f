from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from weahouse.io.proof_pages import PAGES_KEPT, keep_page, kept, proofs_folder
from weahouse.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_the_newest_pages_are_kept_and_listed_from_the_newest_on(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for number in range(PAGES_KEPT + 3):
        keep_page(settings, NOON + number * timedelta(hours=1), f"page {number}", {"number": number})
    told = kept(settings)
    assert [proof["number"] for proof in told] == [*range(PAGES_KEPT + 2, 2, -1)]
    assert (proofs_folder(settings) / told[0]["page"]).read_text() == f"page {PAGES_KEPT + 2}"
    assert len(list(proofs_folder(settings).iterdir())) == 2 * PAGES_KEPT


def test_before_the_first_proof_there_is_none(tmp_path: Path) -> None:
    assert kept(Settings(home=tmp_path)) == []
