"""The cards of models, behind Airflow's login: what a person looks at before approving a training."""

from __future__ import annotations

from typing import Annotated

from airflow.plugins_manager import AirflowPlugin
from fastapi import HTTPException, Path
from fastapi.responses import HTMLResponse, Response

from weahouse.orchestration.pages import HEADERS, behind_login
from weahouse.schemas.gold import MODEL_NAME_PATTERN

Name = Annotated[str, Path(pattern=MODEL_NAME_PATTERN)]

app = behind_login()


@app.get("/{name}/{version}")
def card(name: Name, version: Name) -> Response:
    """The card of one version of a model, from HDFS."""
    # Every component of Airflow imports this file; only the api-server calls it and needs the client.
    from weahouse.orchestration.model_cards import CardsUnreachableError, read_card

    try:
        page = read_card(name, version)
    except CardsUnreachableError as error:
        raise HTTPException(503, str(error)) from None
    if page is None:
        raise HTTPException(404)
    return HTMLResponse(page, headers=HEADERS)


class ModelCardsPlugin(AirflowPlugin):
    """No entry of the navigation: the question of `model_training` leads here."""

    name = "model_cards"
    fastapi_apps = [{"app": app, "url_prefix": "/models", "name": "Model cards"}]  # noqa: RUF012
