"""One run of a Dag, triggered and looked at through Airflow's REST API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weahouse.orchestration.rest import request, unpause

if TYPE_CHECKING:
    from weahouse.orchestration.hand_runs import HandRun
    from weahouse.settings import Settings

SUCCESS, FAILED = "success", "failed"
ENDED = (SUCCESS, FAILED)
# An api-server that shares two cores with applications of Spark may take its time.
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class DagRun:
    """A run that was triggered."""

    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        """Where REST finds it."""
        return f"dags/{quote(self.dag_id)}/dagRuns/{quote(self.run_id, safe='')}"

    def link(self, settings: Settings) -> str:
        """Where a person finds it."""
        return f"{settings.airflow}/dags/{quote(self.dag_id)}/runs/{quote(self.run_id, safe='')}"


@dataclass(frozen=True)
class Task:
    """A task of a run; `state` is None before its turn, `seconds` None before its start."""

    task_id: str
    state: str | None
    seconds: float | None


@dataclass(frozen=True)
class Look:
    """A run at one moment: its state, the seconds since its start (None before that), and its tasks as they started."""

    state: str
    seconds: float | None
    tasks: tuple[Task, ...]


def wake(settings: Settings, dag_id: str) -> bool:
    """Un-pause a Dag; True where it was paused. Raises AirflowError, also for a Dag that Airflow does not know."""
    if not request(settings, "GET", f"dags/{quote(dag_id)}", timeout=_TIMEOUT_S)["is_paused"]:
        return False
    unpause(settings, dag_id)
    return True


def trigger(settings: Settings, run: HandRun, begun: datetime, now: datetime) -> DagRun:
    """Ask for one run, from now on, with the parameters that it has at the time at which the whole was begun.

    Raises AirflowError.
    """
    told = {"logical_date": None, "run_after": now.isoformat(), "note": "weahouse dags run-once"}
    place = f"dags/{quote(run.dag_id)}/dagRuns"
    answer = request(settings, "POST", place, {**told, "conf": run.conf(begun)}, timeout=_TIMEOUT_S)
    return DagRun(run.dag_id, answer["dag_run_id"])


def look(settings: Settings, run: DagRun, now: datetime) -> Look:
    """How far a run is. Raises AirflowError."""
    told = request(settings, "GET", run.path, timeout=_TIMEOUT_S)
    instances = request(settings, "GET", f"{run.path}/taskInstances", timeout=_TIMEOUT_S)["task_instances"]
    begun = sorted(instances, key=lambda task: (task["start_date"] is None, task["start_date"] or "", task["task_id"]))
    tasks = tuple(Task(task["task_id"], task["state"], _seconds(task, now)) for task in begun)
    return Look(str(told["state"]), _seconds(told, now), tasks)


def active_runs(settings: Settings, dag_id: str) -> int:
    """Runs of a Dag that have not ended. Raises AirflowError."""
    place = f"dags/{quote(dag_id)}/dagRuns?state=running&state=queued&limit=1"
    return int(request(settings, "GET", place, timeout=_TIMEOUT_S)["total_entries"])


def _seconds(told: dict[str, Any], now: datetime) -> float | None:
    if told["start_date"] is None:
        return None
    end = datetime.fromisoformat(told["end_date"]) if told["end_date"] else now
    return max(0.0, (end - datetime.fromisoformat(told["start_date"])).total_seconds())
