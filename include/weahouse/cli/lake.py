"""`weahouse lake`: SQL over the Delta tables, and the undoing of a recompute."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from weahouse.cli.errors import UserError
from weahouse.settings import settings

# More lines than this are for a file; --json writes them all.
_LINES_SHOWN = 1000
_UNDO_APP = "undo_recompute.py"
_QUERY = "query"


class _QueryUnlessNamed(TyperGroup):
    """A group whose first word may be left out where it is `query`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Add the word in front of what is neither a command nor a wish for help."""
        is_named = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if is_named else [_QUERY, *args])


commands = typer.Typer(
    cls=_QueryUnlessNamed,
    no_args_is_help=True,
    help='The Delta tables. `weahouse lake "SELECT ..."` is `weahouse lake query "SELECT ..."`.',
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(commands, name="lake")


@commands.command()
def query(
    sql: Annotated[str, typer.Argument(help='One SELECT, e.g. "SELECT count(*) FROM curated.observations".')],
    as_json: Annotated[bool, typer.Option("--json", help="Write a JSON list of rows, and nothing else.")] = False,
) -> None:
    """Ask the Delta tables by their names, e.g. raw.observations, curated.observations, gold.daily_summaries.

    Times are UTC. Put a bound on observed_date or observed_at where you can: only the files within are read.
    """
    from weahouse.cli import output
    from weahouse.io import lake

    try:
        found = lake.query(settings(), sql)
    except lake.LakeError as error:
        raise UserError(str(error)) from None
    if as_json:
        output.print_json(lake.rows(found))
        return
    out = output.console()
    out.print(output.rows_table(lake.rows(found.slice(0, _LINES_SHOWN)), found.column_names))
    count = f"{found.num_rows:,} row" if found.num_rows == 1 else f"{found.num_rows:,} rows"
    hidden = f" · only the first {_LINES_SHOWN} are shown: --json writes all" if found.num_rows > _LINES_SHOWN else ""
    out.print(count + hidden, style="dim")


@commands.command()
def undo(
    run_id: Annotated[str, typer.Argument(help="A recompute, as `weahouse backfill status` names it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Neither show nor ask: undo it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Undo a recompute of Raw, within 7 days: its rows are again what they were before, in the lake and in Cassandra.

    Shows what would change, and asks. Rows that newer records have replaced since stay, and so does what the run has
    found in Raw and Curated had not. The stream may run.
    """
    from weahouse.batch.backfills import UndoError, undoable
    from weahouse.io.lake import LakeError

    if as_json and not dry_run and not yes:
        raise UserError("--json asks no questions: add --dry-run or --yes")
    try:
        undoable(settings(), run_id, datetime.now(UTC))
    except (UndoError, LakeError) as error:
        raise UserError(str(error)) from None
    if dry_run or not yes:
        told = _run(run_id, "--preview", "true", doing="comparing")
        if as_json:
            typer.echo(json.dumps(told))
        else:
            _print(told)
        if dry_run:
            return
        typer.confirm(f"Undo {run_id} so?", abort=True)
    told = _run(run_id, doing="restoring")
    typer.echo(json.dumps(told) if as_json else f"undone: {told['restored']:,} readings are what they were before")


def _run(run_id: str, *arguments: str, doing: str) -> dict[str, Any]:
    from weahouse.cli.spark_app import run_app

    with Console(stderr=True).status(f"{doing} in Spark"):
        code, told = run_app(settings(), _UNDO_APP, "--run-id", run_id, *arguments, log_name="undo")
    if code:
        raise UserError(told.get("error") or f"it did not end well: see {settings().home / 'logs' / 'undo.log'}")
    return told


def _print(told: dict[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    out = Console(file=sys.stdout)
    if told["changes"]:
        table = Table(box=box.SIMPLE_HEAD)
        for heading in ("station", "variable", "flag now", "then", "readings"):
            table.add_column(heading, justify="left" if heading in ("station", "variable") else "right")
        for row in told["changes"]:
            table.add_row(*[str(row[name]) for name in ("station_id", "variable", "flag_now", "flag_then", "readings")])
        out.print(table)
    out.print(
        f"{told['updated']:,} readings would be what they were before, with {told['changed_flags']:,} other flags of "
        f"level 1; {told['kept']:,} have come or were replaced since, or were found in Raw, and stay.",
        highlight=False,
        soft_wrap=True,
    )
