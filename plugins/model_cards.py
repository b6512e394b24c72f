"""The cards of models, behind Airflow's login: what a person looks at before approving a training."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException, Path
from fastapi.responses import HTMLResponse, Response

from weahouse.orchestration.pages import HEADERS
from weahouse.schemas.gold import CARD, MODEL_NAME_PATTERN
from weahouse.schemas.render import model_path
from weahouse.settings import settings

Name = Annotated[str, Path(pattern=MODEL_NAME_PATTERN)]

# Airflow does not ask a plugin's visitors who they are.
app = FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/{name}/{version}")
def card(name: Name, version: Name) -> Response:
    """The card of one version of a model, from HDFS."""
    # Every component of Airflow imports this file; only the api-server calls it and needs the client.
    from weahouse.io.hdfs import Hdfs

    try:
        page = Hdfs(settings()).read_text(f"{model_path(name, version, settings().hdfs_root)}/{CARD}")
    except OSError:
        raise HTTPException(503, "HDFS does not answer: see `weahouse status`") from None
    if page is None:
        raise HTTPException(404)
    return HTMLResponse(page, headers=HEADERS)


class ModelCardsPlugin(AirflowPlugin):
    """No entry of the navigation: the question of `model_training` leads here."""

    name = "model_cards"
    fastapi_apps = [{"app": app, "url_prefix": "/models", "name": "Model cards"}]  # noqa: RUF012
