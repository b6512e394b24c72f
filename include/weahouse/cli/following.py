"""A run of a Dag that a command asks for, and what it tells of the tasks while the run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from weahouse.orchestration.dag_runs import DagRun, Look
    from weahouse.settings import Settings

# A dozen tasks that wait for one slot would be a dozen lines of no news.
_WAITING = (None, "scheduled", "queued")


def begin(
    instance: Settings, dag_id: str, conf: dict[str, object], note: str, out: Console, *, takes_woken: bool = False
) -> tuple[DagRun, bool]:
    """Trigger a run, and say where it is; and whether its Dag was paused, which it is not any more.

    `takes_woken`: where an asset has started one that has not ended, that is the run. Raises AirflowError, also for a
    Dag that Airflow does not know.
    """
    from weahouse.orchestration.dag_runs import active_runs, trigger, wake

    was_paused = wake(instance, dag_id)
    if was_paused:
        out.print(f"{dag_id} was paused: it is not any more", highlight=False)
    if takes_woken and (woken := active_runs(instance, dag_id, "asset_triggered")):
        run = woken[0]
        out.print(f"{dag_id} has been started by what was just written", highlight=False)
    else:
        if before := active_runs(instance, dag_id):
            out.print(f"{dag_id} has runs that have not ended ({len(before)}): this one waits", highlight=False)
        run = trigger(instance, dag_id, conf, note)
    out.print(f"{dag_id} {run.link(instance)}", highlight=False, soft_wrap=True)
    return run, was_paused


def told_of(seen: Iterable[Look], run: DagRun, out: Console) -> Iterator[Look]:
    """The same looks, with a line for each task whose state has changed."""
    told: dict[str, str | None] = {}
    for each in seen:
        for line in changes(run.dag_id, each, told):
            out.print(line, highlight=False)
        told = {task.task_id: task.state for task in each.tasks}
        yield each


def changes(dag_id: str, seen: Look, told: dict[str, str | None]) -> list[str]:
    """A line for each task that has begun and whose state is another than was `told` of it."""
    return [
        f"  {dag_id}.{task.task_id} {task.state}{lasting(task.seconds)}"
        for task in seen.tasks
        if task.state not in _WAITING and told.get(task.task_id) != task.state
    ]


def at_work(dag_id: str, seen: Look) -> str:
    """What a run does now, for the line that moves."""
    busy = [task for task in seen.tasks if task.state not in (None, "success", "failed", "skipped")]
    ended = sum(task.state == "success" for task in seen.tasks)
    now = ", ".join(f"{task.task_id} {task.state}{lasting(task.seconds)}" for task in busy) or seen.state
    return f"{dag_id}: {ended} of {len(seen.tasks)} tasks done, {now}"


def lasting(seconds: float | None) -> str:
    """How long something lasts, behind what it is."""
    return "" if seconds is None else f" {seconds:.1f} s"
