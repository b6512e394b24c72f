"""The cards of models, read from HDFS."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from weahouse.embedded.airflow import connections
from weahouse.io.hdfs import Hdfs
from weahouse.schemas.gold import CARD
from weahouse.schemas.render import model_path
from weahouse.settings import ROOT, Settings

if TYPE_CHECKING:
    from types import ModuleType

FILE = ROOT / "plugins" / "model_cards.py"
SHOWN = "<h1>Training v1</h1>"


@pytest.fixture
def plugin(platform: Settings, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The plugin on an instance with one model, with the connection that the api-server finds in its environment."""
    monkeypatch.setenv("AIRFLOW_CONN_WEBHDFS_DEFAULT", json.dumps(connections(platform)["webhdfs_default"]))
    hdfs, place = Hdfs(platform), model_path("learned", "v1", platform.hdfs_root)
    hdfs.write_json(f"{place}/{CARD}", {"page": SHOWN})
    hdfs.write_json(f"{place}/secret.html", {"page": "secret"})
    spec = spec_from_file_location("model_cards", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_shown_to_anybody_who_has_not_logged_in(plugin: ModuleType) -> None:
    assert TestClient(plugin.app).get("/learned/v1").status_code == 401


def test_a_card_is_shown_and_nothing_beside_it(plugin: ModuleType) -> None:
    plugin.app.dependency_overrides[get_user] = lambda: "admin"
    visitor = TestClient(plugin.app)
    page = visitor.get("/learned/v1")
    assert (page.status_code, json.loads(page.text)) == (200, {"page": SHOWN})
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert visitor.get("/learned/v2").status_code == 404
    for path in ("/learned/..", "/learned/%2e%2e", "/learned/v1%2f..%2fv1", "/learned/v1/secret.html", "/learned/a b"):
        assert visitor.get(path).status_code in (404, 422), path
