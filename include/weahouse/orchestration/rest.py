"""Airflow's REST API as this instance's administrator; stdlib only, so that status answers fast.

The token is kept in a 0600 file: a login costs ten times the request that it is for.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

    from weahouse.settings import Settings

USER = "admin"
PASSWORDS_FILE = "airflow-passwords.json"


class AirflowError(RuntimeError):
    """Airflow did not answer, or refused; the message says which."""


def request(settings: Settings, method: str, path: str, body: object = None, timeout: float = 5.0) -> Any:
    """The JSON answer of `/api/v2/<path>`; raises AirflowError for everything but a success."""
    try:
        status, answer = _send(settings, method, f"api/v2/{path}", body, timeout, _token(settings, timeout))
        if status == HTTPStatus.UNAUTHORIZED:
            token = _token(settings, timeout, fresh=True)
            status, answer = _send(settings, method, f"api/v2/{path}", body, timeout, token)
    except OSError as error:
        raise AirflowError(f"Airflow at {settings.airflow} does not answer: {error}") from None
    if status >= HTTPStatus.BAD_REQUEST:
        raise AirflowError(f"Airflow refused {method} {path} with {status}: {answer}")
    return answer


def is_supervised(settings: Settings, dag_id: str, timeout: float = 1.2) -> bool:
    """Whether Airflow answers, its scheduler lives and the Dag is not paused."""
    try:
        health = request(settings, "GET", "monitor/health", timeout=timeout)
        dag = request(settings, "GET", f"dags/{quote(dag_id)}", timeout=timeout)
    except AirflowError:
        return False
    return health["scheduler"]["status"] == "healthy" and not dag["is_paused"]


def unpause(settings: Settings, dag_id: str, patience_s: float = 120.0) -> None:
    """Un-pause a Dag as soon as it has been parsed; raises AirflowError when that takes too long."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            request(settings, "PATCH", f"dags/{quote(dag_id)}", {"is_paused": False})
            return
        except AirflowError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.5)


def has_queued_run(settings: Settings, dag_id: str) -> bool:
    """Whether a run of the Dag waits for its turn, such as one that somebody triggered."""
    runs = request(settings, "GET", f"dags/{quote(dag_id)}/dagRuns?state=queued&limit=1")
    return bool(runs["total_entries"])


def write_note(settings: Settings, dag_id: str, run_id: str, note: str) -> None:
    """Set a run's note, which the grid shows."""
    request(settings, "PATCH", f"dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}", {"note": note})


def _send(
    settings: Settings, method: str, path: str, body: object, timeout: float, token: str | None
) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"{settings.airflow}/{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(errors="replace")


def _token(settings: Settings, timeout: float, fresh: bool = False) -> str:
    kept = settings.home / "run" / "airflow.token"
    if not fresh and kept.exists():
        return kept.read_text()
    try:
        password = json.loads((settings.home / "secrets" / PASSWORDS_FILE).read_text())[USER]
    except (FileNotFoundError, KeyError):
        raise AirflowError(f"there is no password of {USER} in {settings.home / 'secrets' / PASSWORDS_FILE}") from None
    status, answer = _send(settings, "POST", "auth/token", {"username": USER, "password": password}, timeout, None)
    if status != HTTPStatus.CREATED:
        raise AirflowError(f"Airflow at {settings.airflow} refused the login of {USER} with {status}")
    token = str(answer["access_token"])
    _write_private(kept, token)
    return token


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
