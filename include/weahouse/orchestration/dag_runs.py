"""One run of a Dag, triggered and looked at through Airflow's REST API."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from weahouse.orchestration.rest import AirflowError, request, unpause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.settings import Settings

SUCCESS, FAILED = "success", "failed"
ENDED = (SUCCESS, FAILED)
# An api-server that shares two cores with applications of Spark may take its time.
_TIMEOUT_S = 30.0
# A look costs the api-server two requests; a task of ours takes seconds at least.
_LOOK_EVERY_S = 2.0
# As many looks in a row may fail while the api-server is restarted.
_MISSED_LOOKS = 15
# A task that asks a person, as Airflow names it now and has named it.
_ASKING = ("awaiting_input", "deferred")
APPROVE, REJECT = "Approve", "Reject"
# A task asks a moment before its process ends, and the scheduler hears of that a moment later: one that was answered by
# then has failed for it (Airflow 3.3.2). Three tries in a row did on a busy machine, answered after half a second each.
HEARD_OF_WITHIN_S = 5.0


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

    def state_of(self, task_id: str) -> str | None:
        """The state of one task; None before its turn."""
        return next((task.state for task in self.tasks if task.task_id == task_id), None)


def wake(settings: Settings, dag_id: str) -> bool:
    """Un-pause a Dag; True where it was paused. Raises AirflowError, also for a Dag that Airflow does not know."""
    if not request(settings, "GET", f"dags/{quote(dag_id)}", timeout=_TIMEOUT_S)["is_paused"]:
        return False
    unpause(settings, dag_id)
    return True


def trigger(settings: Settings, dag_id: str, conf: dict[str, object], note: str) -> DagRun:
    """Ask for one run, from now on. Raises AirflowError, with what Airflow says of parameters that it refuses."""
    told = {"logical_date": None, "run_after": datetime.now(UTC).isoformat(), "note": note, "conf": conf}
    answer = request(settings, "POST", f"dags/{quote(dag_id)}/dagRuns", told, timeout=_TIMEOUT_S)
    return DagRun(dag_id, answer["dag_run_id"])


def looks(settings: Settings, run: DagRun, deadline: float = math.inf) -> Iterator[Look]:
    """How far a run is, every two seconds, until it has ended or the time (monotonic) is over.

    Airflow may be away for a moment, and its runs go on; raises AirflowError where it stays away.
    """
    missed = 0
    while True:
        try:
            seen = look(settings, run, datetime.now(UTC))
        except AirflowError:
            missed += 1
            if missed > _MISSED_LOOKS or time.monotonic() > deadline:
                raise
        else:
            missed = 0
            yield seen
            if seen.state in ENDED or time.monotonic() > deadline:
                return
        time.sleep(_LOOK_EVERY_S)


def look(settings: Settings, run: DagRun, now: datetime) -> Look:
    """How far a run is. Raises AirflowError."""
    told = request(settings, "GET", run.path, timeout=_TIMEOUT_S)
    instances = request(settings, "GET", f"{run.path}/taskInstances", timeout=_TIMEOUT_S)["task_instances"]
    begun = sorted(instances, key=lambda task: (task["start_date"] is None, task["start_date"] or "", task["task_id"]))
    tasks = tuple(Task(task["task_id"], task["state"], _seconds(task, now)) for task in begun)
    return Look(str(told["state"]), _seconds(told, now), tasks)


def asks(seen: Look, task_id: str) -> bool:
    """Whether a task waits for a person's answer."""
    return seen.state_of(task_id) in _ASKING


def answer(settings: Settings, run: DagRun, task_id: str, choice: str) -> None:
    """Answer a task that asks a person, some seconds after it was seen to ask; nothing where somebody was quicker.

    To be given again for as long as the task asks: an answer that came too early lets that try fail, and the next one
    asks again.
    """
    time.sleep(HEARD_OF_WITHIN_S)
    with suppress(AirflowError):
        place = f"{run.path}/taskInstances/{task_id}/-1/hitlDetails"
        request(settings, "PATCH", place, {"chosen_options": [choice]}, timeout=_TIMEOUT_S)


def result(settings: Settings, run: DagRun, task_id: str) -> Any:
    """What a task has returned. Raises AirflowError, also where there is nothing."""
    place = f"{run.path}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
    return request(settings, "GET", place, timeout=_TIMEOUT_S)["value"]


def cause(settings: Settings, run: DagRun, task_id: str) -> str | None:
    """Why a task has failed, in the words of the error that its log has last; None where it has none."""
    place = f"{run.path}/taskInstances/{task_id}"
    tried = request(settings, "GET", place, timeout=_TIMEOUT_S)["try_number"]
    lines = request(settings, "GET", f"{place}/logs/{tried}", timeout=_TIMEOUT_S)["content"]
    errors = [line["error_detail"] for line in lines if isinstance(line, dict) and line.get("error_detail")]
    return str(errors[-1][0]["exc_value"]) if errors else None


def active_runs(settings: Settings, dag_id: str, run_type: str | None = None) -> list[DagRun]:
    """Runs of a Dag, or those of a type, that have not ended, the newest first, fifty at most. Raises AirflowError."""
    of_type = f"&run_type={run_type}" if run_type else ""
    place = f"dags/{quote(dag_id)}/dagRuns?state=running&state=queued&order_by=-run_after{of_type}"
    told = request(settings, "GET", place, timeout=_TIMEOUT_S)["dag_runs"]
    return [DagRun(dag_id, run["dag_run_id"]) for run in told]


def _seconds(told: dict[str, Any], now: datetime) -> float | None:
    if told["start_date"] is None:
        return None
    end = datetime.fromisoformat(told["end_date"]) if told["end_date"] else now
    return max(0.0, (end - datetime.fromisoformat(told["start_date"])).total_seconds())
