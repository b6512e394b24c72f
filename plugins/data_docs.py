"""The pages of the lake's checks, Data Docs, behind Airflow's login: a list of the kept ones, and each of them."""

from __future__ import annotations

from html import escape
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from weahouse.io.data_docs import answers, site
from weahouse.orchestration.pages import HEADERS
from weahouse.settings import settings

_HEADERS = HEADERS | {"Cache-Control": "no-cache"}
_LIST = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Data Docs</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #8886; padding: 0.3rem 0.6rem; text-align: left; }}
</style></head><body><h1>Data Docs</h1>
<table><tr><th>checked (UTC)</th><th>table</th><th>version</th><th>rows</th><th>verdict</th></tr>
{rows}
</table></body></html>"""

# Airflow does not ask a plugin's visitors who they are, and mounted static files would stay open to all.
app = FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


# The pages' own way home leads to index.html.
@app.get("/")
@app.get("/index.html")
def runs() -> Response:
    """The checks that are kept, the newest first."""
    rows = "\n".join(_row(answer) for answer in answers(settings()))
    return HTMLResponse(_LIST.format(rows=rows), headers=_HEADERS)


@app.get("/{path:path}")
def page(path: str) -> Response:
    """One page; nothing else of the folder, and nothing beside it."""
    pages = site(settings()).resolve()
    file = (pages / path).resolve()
    if not file.is_relative_to(pages) or file.suffix != ".html" or not file.is_file():
        raise HTTPException(404)
    return FileResponse(file, headers=_HEADERS)


def _row(answer: dict[str, Any]) -> str:
    failed = answer["failed"]
    verdict = f"{failed} of {answer['expectations']} not met" if failed else f"all {answer['expectations']} met"
    cells = [answer["checked_at"], answer["dataset"], answer["version"], f"{answer['rows']:,}"]
    told = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f'<tr>{told}<td><a href="{escape(answer["data_docs"])}">{verdict}</a></td></tr>'


class DataDocsPlugin(AirflowPlugin):
    """No entry of the navigation, where a second one would hide the first: tasks lead here."""

    name = "data_docs"
    fastapi_apps = [{"app": app, "url_prefix": "/quality", "name": "Data Docs"}]  # noqa: RUF012
