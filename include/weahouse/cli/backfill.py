"""`weahouse backfill`: what goes back in time, planned, approved and followed from the terminal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich.console import Console

from weahouse.cli import backfill_status
from weahouse.cli.backfill_options import command_of
from weahouse.cli.errors import UserError
from weahouse.cli.following import at_work, begin, told_of
from weahouse.orchestration.backfill_kinds import DRY_RUN, KINDS, REPLAY
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.orchestration.backfill_kinds import Kind
    from weahouse.orchestration.dag_runs import DagRun, Look
    from weahouse.settings import Settings

commands = typer.Typer(
    no_args_is_help=True,
    help="Bring in again what was left out, or judge anew what is there: plan it, run it, see how it is.\n\n"
    "Airflow does the work, so a run goes on when the terminal is closed. Its pages ask the same questions: each kind "
    "is a Dag with a form.\n\n"
    "Example: `weahouse backfill plan kafka_replay --start 2024-05-01T12:00:00Z --end 2024-05-01T13:00:00Z`",
)
_plan = typer.Typer(no_args_is_help=True)
_run = typer.Typer(no_args_is_help=True)
commands.add_typer(_plan, name="plan", help="Say what a backfill would do, and change nothing.")
commands.add_typer(
    _run,
    name="run",
    help="Plan a backfill, show the plan and ask, carry it out, and say what has changed. Ctrl-C leaves the run to "
    "Airflow. Exit code 1 where it fails or is rejected.",
)

_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
_YES = Annotated[bool, typer.Option("--yes", help="Neither show nor ask: approve the plan.")]
_INTERRUPTED = 130


class Planned(NamedTuple):
    """A run of a Dag whose plan is made."""

    run: DagRun
    plan: dict[str, Any]
    preview: dict[str, Any] | None


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(commands, name="backfill")


@commands.command("status")
def status(
    run_id: Annotated[str | None, typer.Argument(help="One backfill, as the list names it; else the list.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """List the backfills: how far each is, who has approved it, and why; of one also how to undo it, and its proof.

    Example: `weahouse backfill status 3f2a9c01b7de`
    """
    backfill_status.show(settings(), run_id, as_json=as_json)


def _plan_it(kind: Kind, params: dict[str, Any], *, as_json: bool) -> None:
    check(kind, params | {DRY_RUN: True})
    out = Console(stderr=True)
    with _servers_may_be_away():
        planned = _planned(settings(), kind, params | {DRY_RUN: True}, out)
    if as_json:
        from weahouse.cli.output import print_json_object

        print_json_object({"plan": planned.plan, "preview": planned.preview})
        return
    _show(kind, planned)


def _run_it(kind: Kind, params: dict[str, Any], *, yes: bool, as_json: bool) -> None:
    if as_json and not yes:
        raise UserError("--json asks no questions: add --yes")
    check(kind, params | {DRY_RUN: False})
    instance, out = settings(), Console(stderr=True)
    with _servers_may_be_away():
        planned = _planned(instance, kind, params | {DRY_RUN: False}, out)
        with left_to_airflow(instance, planned.run):
            if not yes:
                _show(kind, planned)
            last = _carry_out(instance, kind, planned, _choice(yes), out)
        _fail_if_failed(instance, planned.run, last)
    if last.state_of(kind.work_task) != "success":
        raise UserError(f"{kind.dag_id} was rejected: nothing was changed")
    backfill_status.show(instance, planned.plan["run_id"], as_json=as_json)


def check(kind: Kind, params: dict[str, Any]) -> None:
    """What the Dag checks first, before it is asked at all. Raises UserError."""
    from datetime import UTC, datetime

    from weahouse.orchestration.recompute_request import RecomputeRequest
    from weahouse.orchestration.replay_request import ReplayRequest
    from weahouse.orchestration.requests import RequestError

    try:
        (ReplayRequest if kind is REPLAY else RecomputeRequest).of(params, datetime.now(UTC))
    except RequestError as error:
        raise UserError(str(error)) from None


def _planned(instance: Settings, kind: Kind, params: dict[str, Any], out: Console) -> Planned:
    """Trigger the Dag, and wait for its plan, and for the preview where it has one."""
    from weahouse.orchestration.dag_runs import ENDED, asks, looks, result

    run, _ = begin(instance, kind.dag_id, params, "weahouse backfill", out)
    with left_to_airflow(instance, run), out.status(run.dag_id) as spinner:
        for seen in told_of(looks(instance, run), run, out):
            spinner.update(at_work(run.dag_id, seen))
            if asks(seen, kind.approval_task) or seen.state in ENDED:
                break
    _fail_if_failed(instance, run, seen)
    return Planned(
        run,
        result(instance, run, kind.plan_task),
        result(instance, run, kind.preview_task) if kind.preview_task else None,
    )


def _show(kind: Kind, planned: Planned) -> None:
    from rich.markdown import Markdown

    from weahouse.cli.output import console
    from weahouse.orchestration.backfill_pages import page

    console().print(Markdown(page(kind, planned.plan, planned.preview)))


def _choice(yes: bool) -> str:
    from weahouse.orchestration.dag_runs import APPROVE, REJECT

    return APPROVE if yes or typer.confirm("Carry it out?", err=True) else REJECT


def _carry_out(instance: Settings, kind: Kind, planned: Planned, choice: str, out: Console) -> Look:
    """Answer the question, and show from the ledger how far the run is until it has ended; the last look."""
    from weahouse.batch.backfills import read_backfill
    from weahouse.orchestration.dag_runs import answer, asks, looks

    with backfill_status.bar(out) as bar:
        task = bar.add_task(kind.dag_id, total=None, state="")
        for seen in looks(instance, planned.run):
            if asks(seen, kind.approval_task):
                answer(instance, planned.run, kind.approval_task, choice)
            row = read_backfill(instance, planned.plan["run_id"])
            bar.update(task, **backfill_status.progress(row, seen, kind))
    return seen


def _fail_if_failed(instance: Settings, run: DagRun, seen: Look) -> None:
    from weahouse.orchestration.dag_runs import FAILED, cause

    failed = next((task.task_id for task in seen.tasks if task.state == FAILED), None)
    if seen.state == FAILED and failed:
        reason = cause(instance, run, failed) or "its log says why"
        raise UserError(f"{run.dag_id}.{failed} failed: {reason} ({run.link(instance)})")


@contextmanager
def _servers_may_be_away() -> Iterator[None]:
    from weahouse.io.lake import LakeError
    from weahouse.orchestration.rest import AirflowError

    try:
        yield
    except (AirflowError, LakeError) as error:
        raise UserError(str(error)) from None


@contextmanager
def left_to_airflow(instance: Settings, run: DagRun) -> Iterator[None]:
    """Say, where a person stops looking, that the run does not stop with it, and where it is."""
    try:
        yield
    except (KeyboardInterrupt, typer.Abort):
        Console(stderr=True).print(
            f"\n{run.dag_id} goes on in Airflow, and waits there where it asks: {run.link(instance)}\n"
            "Follow it with `weahouse backfill status`.",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(_INTERRUPTED) from None


def _help(kind: Kind, verb: str, more: str = "") -> str:
    return f"{kind.purpose}\n\nExample: `weahouse backfill {verb} {kind.dag_id} {kind.example}{more}`"


for _kind in KINDS.values():
    _plan.command(_kind.dag_id, help=_help(_kind, "plan"))(command_of(_kind, _plan_it, {"as_json": _JSON}))
    _run.command(_kind.dag_id, help=_help(_kind, "run", ' --reason "a gap of last night"'))(
        command_of(_kind, _run_it, {"yes": _YES, "as_json": _JSON})
    )
