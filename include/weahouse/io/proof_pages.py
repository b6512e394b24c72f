"""Where proofs leave their pages in the instance's home, and how many are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from weahouse.settings import Settings

# Three months of daily proofs; a page has some kilobytes.
PAGES_KEPT = 100


def proofs_folder(settings: Settings) -> Path:
    """The folder of the pages, and of what stands in the list of each."""
    return settings.home / "proofs"


def keep_page(settings: Settings, proved_at: datetime, page: str, about: dict[str, Any]) -> str:
    """Write a proof's page and what a list tells of it, and delete the oldest beyond PAGES_KEPT; the page's name."""
    folder = proofs_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    # So that the alphabet's order is time's.
    name = f"{proved_at:%Y%m%dT%H%M%S.%fZ}"
    (folder / f"{name}.html").write_text(page)
    (folder / f"{name}.json").write_text(json.dumps({**about, "page": f"{name}.html"}))
    for old in sorted(folder.glob("*.html"))[:-PAGES_KEPT]:
        old.unlink()
        old.with_suffix(".json").unlink(missing_ok=True)
    return f"{name}.html"


def kept(settings: Settings) -> list[dict[str, Any]]:
    """What is told of each proof that is kept, the newest first."""
    files = sorted(proofs_folder(settings).glob("*.json"), reverse=True)
    return [json.loads(file.read_text()) for file in files]
