from __future__ import annotations

import re
import runpy
from typing import TYPE_CHECKING

import pytest

from weahouse.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GENERATOR = runpy.run_path(str(ROOT / "docs/generate.py"))
PAGES: dict[str, str] = GENERATOR["pages"]()
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
PROSE = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(("name", "text"), PAGES.items(), ids=PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(name: str, text: str) -> None:
    assert (ROOT / "docs/reference" / name).read_text() == text, "the page is stale: run `make docs`"


def test_no_page_of_the_reference_is_left_over() -> None:
    assert {page.name for page in (ROOT / "docs/reference").iterdir()} == PAGES.keys() | GENERATOR["MEASURED"]


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []
