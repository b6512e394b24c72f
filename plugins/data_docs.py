"""The pages of the lake's checks, Data Docs, behind Airflow's login: a list of the kept ones, and each of them."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from weahouse.io.data_docs import answers, site
from weahouse.orchestration.pages import index_of, pages_app
from weahouse.settings import settings

_HEADER = ("checked (UTC)", "table", "version", "rows", "verdict")


def _row(answer: dict[str, Any]) -> tuple[list[str], str]:
    failed = answer["failed"]
    verdict = f"{failed} of {answer['expectations']} not met" if failed else f"all {answer['expectations']} met"
    cells = [answer["checked_at"], answer["dataset"], str(answer["version"]), f"{answer['rows']:,}", verdict]
    return cells, answer["data_docs"]


def _index() -> str:
    """The checks that are kept, the newest first."""
    return index_of("Data Docs", _HEADER, map(_row, answers(settings())))


app = pages_app(lambda: site(settings()), _index)


class DataDocsPlugin(AirflowPlugin):
    """No entry of the navigation, where a second one would hide the first: tasks lead here."""

    name = "data_docs"
    fastapi_apps = [{"app": app, "url_prefix": "/quality", "name": "Data Docs"}]  # noqa: RUF012
