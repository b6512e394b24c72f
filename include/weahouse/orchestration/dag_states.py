"""How Dags are, as Airflow's REST API tells it; imports no Airflow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weahouse.orchestration.rest import request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.settings import Settings


@dataclass(frozen=True)
class DagState:
    """A Dag: whether it is paused, cannot be read, or runs now; its last run that has ended, None where none has."""

    is_paused: bool
    is_broken: bool
    last_state: str | None
    ended_at: datetime | None
    is_running: bool = False


def dag_states(settings: Settings, dag_ids: Iterable[str], timeout: float) -> dict[str, DagState]:
    """The named Dags; one that Airflow has not read counts as broken. Raises AirflowError."""
    known = {dag["dag_id"]: dag for dag in request(settings, "GET", "dags?limit=100", timeout=timeout)["dags"]}
    running = request(settings, "GET", "dags/~/dagRuns?state=running&limit=100", timeout=timeout)["dag_runs"]
    at_work = {run["dag_id"] for run in running}
    return {dag_id: _state(settings, dag_id, known.get(dag_id), dag_id in at_work, timeout) for dag_id in dag_ids}


def _state(settings: Settings, dag_id: str, dag: dict[str, Any] | None, is_running: bool, timeout: float) -> DagState:
    if dag is None:
        return DagState(is_paused=False, is_broken=True, last_state=None, ended_at=None)
    ended = f"dags/{quote(dag_id)}/dagRuns?state=success&state=failed&order_by=-end_date&limit=1"
    runs = request(settings, "GET", ended, timeout=timeout)["dag_runs"]
    last = runs[0] if runs else {}
    return DagState(
        is_paused=dag["is_paused"],
        is_broken=bool(dag.get("has_import_errors")),
        last_state=last.get("state"),
        ended_at=datetime.fromisoformat(last["end_date"]) if last.get("end_date") else None,
        is_running=is_running,
    )
