"""`weahouse dags …`: Airflow's Dags by hand, and what became of their runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from weahouse.cli.errors import UserError
from weahouse.cli.following import at_work, begin, lasting, told_of
from weahouse.orchestration.hand_runs import DAG_IDS, ORDER, Start
from weahouse.settings import duration, settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weahouse.orchestration.dag_runs import DagRun, Look
    from weahouse.orchestration.hand_runs import HandRun
    from weahouse.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="Run Airflow's Dags by hand.")

_ONLY = f"Only this Dag; may be given again. In their order: {', '.join(DAG_IDS)}."
TIMED_OUT, NOT_BEGUN = "timed out", "not begun"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(commands, name="dags")


@commands.command("run-once")
def run_once(
    only: Annotated[list[str] | None, typer.Option(help=_ONLY)] = None,
    timeout: Annotated[str, typer.Option(help="How long to wait for all of them: 90s, 15m, 2h.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run each Dag once, one after the other, and wait for its end.

    In the order in which they feed each other, without the stream's supervision, which never ends; what an asset of the
    run before has started is not started again. Curated is the hour that is open; compaction and the backfills are dry
    runs, which change nothing and ask nobody. Models are trained for one target of each kind, which takes four weeks of
    data. A Dag that is paused is un-paused, and stays so. Where a run fails the next is tried nevertheless. What runs
    when the time is over, or when you press Ctrl-C, goes on in Airflow.

    Exit code 1 when a run failed or has not ended.

    Example: `weahouse dags run-once --only observation_curation --timeout 10m`
    """
    from weahouse.orchestration.rest import AirflowError

    chosen, wait_s = choose(only or []), _seconds(timeout)
    try:
        found = _run_all(settings(), chosen, time.monotonic() + wait_s, Console(stderr=True))
    except AirflowError as error:
        raise UserError(str(error)) from None
    if as_json:
        from weahouse.cli.output import print_json_object

        print_json_object({"verdict": _verdict(found), "runs": found})
    else:
        _print(found, timeout)
    raise typer.Exit(0 if _verdict(found) == "ok" else 1)


def choose(only: Sequence[str]) -> list[HandRun]:
    """The named Dags, or all, in their order. Raises UserError for a name that is not among them."""
    if unknown := [name for name in only if name not in DAG_IDS]:
        raise UserError(f"--only {unknown[0]!r} is no Dag that runs once: choose of {', '.join(DAG_IDS)}")
    return [dag for dag in ORDER if not only or dag.dag_id in only]


def _seconds(timeout: str) -> float:
    try:
        return duration(timeout).total_seconds()
    except (ValueError, OverflowError) as error:
        raise UserError(f"--timeout: {error}") from None


def _run_all(instance: Settings, chosen: Sequence[HandRun], deadline: float, out: Console) -> list[dict[str, Any]]:
    """What became of each run, in order; none is begun after the deadline."""
    # One time for all: Gold takes the hour that was curated, also when the next has begun meanwhile.
    begun = datetime.now(UTC)
    return [
        _run(instance, dag, begun, deadline, out) if time.monotonic() < deadline else _entry(dag.dag_id, NOT_BEGUN)
        for dag in chosen
    ]


def _entry(dag_id: str, state: str, **told: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {"run_id": None, "duration_s": None, "was_paused": None, "tasks": {}, "link": None}
    return {"dag_id": dag_id, "state": state, **nothing, **told}


def _run(instance: Settings, dag: HandRun, begun: datetime, deadline: float, out: Console) -> dict[str, Any]:
    from weahouse.orchestration.dag_runs import ENDED

    run, was_paused = begin(
        instance, dag.dag_id, dag.conf(begun), "weahouse dags run-once", out, takes_woken=dag.start is Start.ASSET
    )
    last = _follow(instance, run, deadline, out)
    state = last.state if last.state in ENDED else TIMED_OUT
    return _entry(
        dag.dag_id,
        state,
        run_id=run.run_id,
        duration_s=None if last.seconds is None else round(last.seconds, 1),
        was_paused=was_paused,
        tasks={task.task_id: task.state for task in last.tasks},
        link=run.link(instance),
    )


def _follow(instance: Settings, run: DagRun, deadline: float, out: Console) -> Look:
    """Tell of each task as it changes, until the run has ended or the deadline is over; the last look."""
    from weahouse.orchestration.dag_runs import looks

    with out.status(run.dag_id) as spinner:
        for seen in told_of(looks(instance, run, deadline), run, out):
            spinner.update(at_work(run.dag_id, seen))
    return seen


def _verdict(found: Sequence[dict[str, Any]]) -> str:
    return "ok" if found and all(run["state"] == "success" for run in found) else "attention"


def _print(found: Sequence[dict[str, Any]], timeout: str) -> None:
    from rich import box
    from rich.table import Table

    from weahouse.cli.output import console

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Dag", "state", "duration", "link"):
        table.add_column(heading, justify="right" if heading == "duration" else "left", overflow="fold")
    for run in found:
        style = "green" if run["state"] == "success" else "bold red"
        lasted = lasting(run["duration_s"]).strip() or "-"
        table.add_row(run["dag_id"], f"[{style}]{run['state']}[/]", lasted, run["link"] or "-")
    out = console()
    out.print(table)
    if any(run["state"] == TIMED_OUT for run in found):
        out.print(f"What had not ended after {timeout} goes on in Airflow; give more time with --timeout.", style="dim")
