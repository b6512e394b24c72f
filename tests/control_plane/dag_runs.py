"""Runs of Dags on the tests' Airflow, triggered, answered and looked at through its REST API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.integration.conftest import eventually
from weahouse.orchestration import dag_runs, rest

if TYPE_CHECKING:
    from weahouse.settings import Settings

# A look costs the api-server a twentieth of a second and more; a run takes many.
_LOOK_EVERY_S = 1.0


def ask(settings: Settings, method: str, path: str, body: object = None) -> Any:
    """The answer of Airflow's REST API."""
    # What was killed in a transaction keeps its locks until Postgres ends it, 20 s later.
    return rest.request(settings, method, path, body, timeout=60.0)


@dataclass(frozen=True)
class DagRun:
    """One run of a Dag."""

    settings: Settings
    dag_id: str
    run_id: str

    @classmethod
    def trigger(cls, settings: Settings, dag_id: str, conf: dict[str, object]) -> DagRun:
        now = datetime.now(UTC).isoformat()
        body = {"logical_date": None, "run_after": now, "conf": conf}
        return cls(settings, dag_id, ask(settings, "POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"])

    @classmethod
    def newest(cls, settings: Settings, dag_id: str) -> DagRun | None:
        """The last run of a Dag; None where it has none yet."""
        found = ask(settings, "GET", f"dags/{dag_id}/dagRuns?order_by=-run_after&limit=1")["dag_runs"]
        return cls(settings, dag_id, found[0]["dag_run_id"]) if found else None

    @property
    def path(self) -> str:
        return self._run.path

    @property
    def _run(self) -> dag_runs.DagRun:
        return dag_runs.DagRun(self.dag_id, self.run_id)

    def told(self) -> dict[str, Any]:
        return dict(ask(self.settings, "GET", self.path))

    def log(self, task: str, attempt: int = 1) -> str:
        return str(ask(self.settings, "GET", f"{self.path}/taskInstances/{task}/logs/{attempt}"))

    def await_state(self, wanted: str) -> None:
        """Wait until the run has ended in a state; another end fails at once."""
        ended = eventually(self._end, f"the end of {self.run_id}", every_s=_LOOK_EVERY_S)
        assert ended == wanted, self.states()

    def _end(self) -> str | None:
        state = str(self.told()["state"])
        return state if state in ("success", "failed") else None

    def states(self) -> dict[str, str]:
        """The state of each task."""
        found = ask(self.settings, "GET", f"{self.path}/taskInstances")["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def approve(self, task: str) -> None:
        """Approve whatever a task asks a person, until it is done."""

        def is_done() -> bool:
            seen = dag_runs.look(self.settings, self._run, datetime.now(UTC))
            if dag_runs.asks(seen, task):
                dag_runs.answer(self.settings, self._run, task, dag_runs.APPROVE)
            return seen.state_of(task) == "success"

        eventually(is_done, f"the approval of {task}", every_s=_LOOK_EVERY_S)
