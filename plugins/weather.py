"""The page "Weather" in Airflow's UI: what the stream is doing, and the latest value of everything, behind login."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import get_user
from airflow.plugins_manager import AirflowPlugin
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.responses import FileResponse, Response

from weahouse.schemas.fields import MEASUREMENTS, STATION_ID_PATTERN
from weahouse.settings import settings

PAGE = Path(__file__).parent / "weather_page"
# More cards than anybody reads, few enough to draw every five seconds; a region narrows them down.
MAX_STATIONS = 300
MAX_ALERTS = 50
HEADERS = {
    # Station ids come from outside. The page writes them as text only, and no script but its own may run in it.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

# Airflow does not ask a plugin's visitors who they are, and mounted static files would stay open to all.
app = FastAPI(dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/")
def page() -> Response:
    """The page itself; it asks for `state` again and again."""
    return FileResponse(PAGE / "index.html", headers=HEADERS)


@app.get("/{name}.{kind}")
def asset(name: str, kind: str) -> Response:
    """The page's style and script."""
    if f"{name}.{kind}" not in {"style.css", "script.js"}:
        raise HTTPException(404)
    return FileResponse(PAGE / f"{name}.{kind}", headers=HEADERS)


@app.get("/state")
def state(region: Annotated[str | None, Query(pattern=STATION_ID_PATTERN)] = None) -> dict[str, Any]:
    """The stream's state, the latest values and the active alerts of one region or of all."""
    # Every component of Airflow imports this file; only the api-server calls it and needs the clients.
    from weahouse.orchestration.status import stream_status

    return {
        "stream": stream_status(settings()),
        "units": {name: field.unit for name, field in MEASUREMENTS.items()},
        **_latest(region),
    }


def _latest(region: str | None) -> dict[str, Any]:
    from weahouse.serving.alerts import active
    from weahouse.serving.latest import latest, regions

    try:
        stations, known = latest(settings(), region), regions(settings())
        alerts = active(settings(), region)
    # Cassandra is away, or nothing was reported from there: the page says it and asks again.
    except (RuntimeError, ValueError) as error:
        return {"stations": [], "total": 0, "regions": [], "alerts": [], "alerts_total": 0, "problem": str(error)}
    return {
        "stations": stations[:MAX_STATIONS],
        "total": len(stations),
        "regions": known,
        "alerts": alerts[:MAX_ALERTS],
        "alerts_total": len(alerts),
        "problem": None,
    }


class WeatherPlugin(AirflowPlugin):
    """One entry in the navigation."""

    name = "weather"
    fastapi_apps = [{"app": app, "url_prefix": "/weather", "name": "Weather"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {"name": "Weather", "href": "weather/", "url_route": "weather", "destination": "nav"}
    ]
