"""The pages of proofs; what keeps other files from being fetched is shown of Data Docs, which are served alike."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from weahouse.io.proof_pages import keep_page
from weahouse.orchestration.page_links import PROOFS_URL
from weahouse.settings import ROOT, Settings

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

NAME = "20240501T120000.000000Z.html"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plugin on a home with one proof."""
    instance = Settings(home=tmp_path)
    about = {"from": "2024-04-30", "to": "<b>2024-05-01", "offsets": 1234, "verdict": "Nothing differs"}
    assert keep_page(instance, datetime(2024, 5, 1, 12, tzinfo=UTC), "<h1>proved</h1>", about) == NAME
    spec = spec_from_file_location("proofs", ROOT / "plugins" / "proofs.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "settings", lambda: instance)
    return module


@pytest.mark.parametrize("path", ["/", f"/{NAME}", "/nothing.html"])
def test_nothing_is_shown_to_anybody_who_has_not_logged_in(plugin: ModuleType, path: str) -> None:
    assert TestClient(plugin.app).get(path).status_code == 401


def test_the_list_leads_to_each_proof_which_runs_no_script(plugin: ModuleType) -> None:
    plugin.app.dependency_overrides[get_user] = lambda: "admin"
    visitor = TestClient(plugin.app)
    shown = visitor.get("/").text
    assert f'<a href="{NAME}">Nothing differs</a>' in shown
    assert "1,234" in shown
    assert "<b>" not in shown
    page = visitor.get(f"/{NAME}")
    assert (page.status_code, page.text) == (200, "<h1>proved</h1>")
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert visitor.get(f"/{NAME.replace('html', 'json')}").status_code == 404


def test_tasks_lead_to_where_it_is_served(plugin: ModuleType) -> None:
    assert plugin.ProofsPlugin.fastapi_apps[0]["url_prefix"] == PROOFS_URL.rstrip("/")
