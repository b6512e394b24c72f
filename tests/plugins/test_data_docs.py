from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from weahouse.io.data_docs import keep_answer, quality_folder, site
from weahouse.orchestration.page_links import DATA_DOCS_URL
from weahouse.schemas.datasets import CURATED_GAPS
from weahouse.settings import ROOT, Settings

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

FILE = ROOT / "plugins" / "data_docs.py"
PAGE = "validations/curated/gaps/0000/then/batch.html"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plugin on a home in which one check has failed."""
    instance = Settings(home=tmp_path)
    for file in (
        site(instance) / PAGE,
        quality_folder(instance) / "uncommitted" / "validations/curated/gaps/0000/a.json",
    ):
        file.parent.mkdir(parents=True)
        file.write_text("<h1>told</h1>")
    answer = {"dataset": "<b>gaps", "version": 3, "rows": 1234, "expectations": 9, "failed": 2, "checked_at": "then"}
    keep_answer(instance, CURATED_GAPS, "0000", {**answer, "data_docs": PAGE})
    spec = spec_from_file_location("data_docs", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "settings", lambda: instance)
    return module


@pytest.fixture
def visitor(plugin: ModuleType) -> TestClient:
    """Somebody who has logged in."""
    plugin.app.dependency_overrides[get_user] = lambda: "admin"
    return TestClient(plugin.app)


@pytest.mark.parametrize("path", ["/", "/index.html", f"/{PAGE}", "/docs", "/openapi.json", "/nothing.html"])
def test_nothing_is_shown_to_anybody_who_has_not_logged_in(plugin: ModuleType, path: str) -> None:
    assert TestClient(plugin.app).get(path).status_code == 401


def test_the_list_leads_to_each_page_and_writes_what_came_from_outside_as_text(visitor: TestClient) -> None:
    shown = visitor.get("/index.html").text
    assert f'<a href="{PAGE}">2 of 9 not met</a>' in shown
    assert "&lt;b&gt;gaps" in shown
    assert "<b>" not in shown
    assert visitor.get("/").text == shown


def test_a_page_is_shown_and_runs_no_script(visitor: TestClient) -> None:
    page = visitor.get(f"/{PAGE}")
    assert (page.status_code, page.text) == (200, "<h1>told</h1>")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/validations/curated/gaps/0000/answer.json",
        "/validations/curated/gaps",
        "/../../validations/curated/gaps/0000/a.json",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/outside.html",
        "/validations/..%2f..%2f..%2f..%2f..%2foutside.html",
        "/nothing.html",
    ],
)
def test_no_other_file_can_be_fetched(visitor: TestClient, tmp_path: Path, path: str) -> None:
    (tmp_path / "outside.html").write_text("secret")
    assert visitor.get(path).status_code == 404


def test_a_link_out_of_the_folder_is_not_followed(visitor: TestClient, plugin: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "outside.html").write_text("secret")
    (site(plugin.settings()) / "way_out.html").symlink_to(tmp_path / "outside.html")
    assert visitor.get("/way_out.html").status_code == 404


def test_tasks_lead_to_where_it_is_served(plugin: ModuleType) -> None:
    assert plugin.DataDocsPlugin.fastapi_apps[0]["url_prefix"] == DATA_DOCS_URL.rstrip("/")


def test_airflows_components_import_it_without_heavy_libraries() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({str(FILE)!r}); "
        "assert not {'great_expectations', 'pyspark', 'pandas', 'hdfs_native'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
