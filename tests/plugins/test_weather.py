from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from weahouse.settings import ROOT

if TYPE_CHECKING:
    from types import ModuleType

FILE = ROOT / "plugins" / "weather.py"


@pytest.fixture
def plugin() -> ModuleType:
    spec = spec_from_file_location("weather", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def visitor(plugin: ModuleType) -> TestClient:
    """Somebody who has logged in."""
    plugin.app.dependency_overrides[get_user] = lambda: "admin"
    return TestClient(plugin.app)


@pytest.mark.parametrize("path", ["/", "/state", "/style.css", "/script.js"])
def test_nothing_is_shown_to_anybody_who_has_not_logged_in(plugin: ModuleType, path: str) -> None:
    assert TestClient(plugin.app).get(path).status_code == 401


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_framework_adds_no_route_of_its_own(plugin: ModuleType, path: str) -> None:
    assert TestClient(plugin.app).get(path).status_code in (401, 404)


def test_the_page_runs_its_own_script_and_no_other(visitor: TestClient) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<script src=" in page.text
    for asset in ("style.css", "script.js"):
        assert asset in page.text
        assert visitor.get(f"/{asset}").status_code == 200


def test_no_other_file_can_be_fetched(visitor: TestClient) -> None:
    assert visitor.get("/index.html").status_code == 404
    assert visitor.get("/../weather.py").status_code == 404
    assert visitor.get("/%2e%2e/weather.py").status_code == 404


def test_the_script_writes_what_came_from_outside_as_text_only() -> None:
    script = (FILE.parent / "weather_page" / "script.js").read_text()
    for way_in in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way_in not in script


def test_a_region_that_cannot_be_one_is_refused(visitor: TestClient) -> None:
    assert visitor.get("/state", params={"region": "a'; DROP"}).status_code == 422


def test_the_page_is_one_entry_of_the_navigation(plugin: ModuleType) -> None:
    (view,) = plugin.WeatherPlugin.external_views
    assert (view["name"], view["destination"]) == ("Weather", "nav")
    assert view["href"].strip("/") == plugin.WeatherPlugin.fastapi_apps[0]["url_prefix"].strip("/")


def test_airflows_components_import_it_without_the_clients_of_the_servers() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({str(FILE)!r}); "
        "assert not {'cassandra', 'confluent_kafka', 'hdfs_native', 'pyspark', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
