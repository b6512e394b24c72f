"""Pages that Airflow serves for us behind its login: each whole in itself, from a folder or from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

# Pages show values that came from outside, and what makes them need not escape all of them: no script runs.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_NOT_STORED = HEADERS | {"Cache-Control": "no-cache"}
_INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 60rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ border-bottom: 1px solid #8886; padding: 0.3rem 0.6rem; text-align: left; }}
</style></head><body><h1>{title}</h1>
<table><tr>{header}</tr>
{rows}
</table></body></html>"""


def behind_login() -> FastAPI:
    """An app without a route yet; Airflow does not ask a plugin's visitors who they are."""
    return FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


def pages_app(folder: Callable[[], Path], index: Callable[[], str]) -> FastAPI:
    """Serves the pages of a folder, and a list of them; mounted static files would stay open to all."""
    app = behind_login()

    # The pages' own way home may lead to index.html.
    @app.get("/")
    @app.get("/index.html")
    def all_pages() -> Response:
        """The list of what is kept."""
        return HTMLResponse(index(), headers=_NOT_STORED)

    @app.get("/{path:path}")
    def page(path: str) -> Response:
        """One page; nothing else of the folder, and nothing beside it."""
        pages = folder().resolve()
        file = (pages / path).resolve()
        if not file.is_relative_to(pages) or file.suffix != ".html" or not file.is_file():
            raise HTTPException(404)
        return FileResponse(file, headers=_NOT_STORED)

    return app


def index_of(title: str, header: Sequence[str], rows: Iterable[tuple[Sequence[str], str]]) -> str:
    """A list of pages: of each its cells, the last of which leads to it, and its address."""
    told = [f"<tr>{_cells(cells[:-1])}<td>{_link(cells[-1], address)}</td></tr>" for cells, address in rows]
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    return _INDEX.format(title=escape(title), header=head, rows="\n".join(told))


def _cells(cells: Iterable[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def _link(text: str, address: str) -> str:
    return f'<a href="{escape(address)}">{escape(text)}</a>'
