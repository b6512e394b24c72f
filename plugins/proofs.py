"""The pages of proofs, behind Airflow's login: a list of the kept ones, and each of them."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from weahouse.io.proof_pages import kept, proofs_folder
from weahouse.orchestration.pages import index_of, pages_app
from weahouse.settings import settings

_HEADER = ("appended from (UTC)", "to", "offsets", "verdict")


def _row(proof: dict[str, Any]) -> tuple[list[str], str]:
    return [proof["from"], proof["to"], f"{proof['offsets']:,}", proof["verdict"]], proof["page"]


def _index() -> str:
    """The proofs that are kept, the newest first."""
    return index_of("Proofs", _HEADER, map(_row, kept(settings())))


app = pages_app(lambda: proofs_folder(settings()), _index)


class ProofsPlugin(AirflowPlugin):
    """No entry of the navigation: the task of `reconciliation` leads here."""

    name = "proofs"
    fastapi_apps = [{"app": app, "url_prefix": "/proofs", "name": "Proofs"}]  # noqa: RUF012
