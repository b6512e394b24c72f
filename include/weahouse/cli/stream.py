"""`weahouse stream …`: the streaming driver by hand; Airflow adopts whatever is started here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from weahouse.cli.errors import UserError
from weahouse.cli.lateness import lateness
from weahouse.cli.rebuild import rebuild
from weahouse.settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import Callable

commands = typer.Typer(no_args_is_help=True, help="Start, stop, restart or look at the stream.")


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    commands.command()(lateness)
    commands.command()(rebuild)
    app.add_typer(commands, name="stream")


@commands.command()
def start() -> None:
    """Start the stream, or adopt the one that runs; a stopped stream is wanted again from here on."""
    from weahouse.orchestration import driver

    _tell(_with_hdfs(driver.start))


@commands.command()
def stop() -> None:
    """End the stream after its current batch. It stays stopped, also under supervision, until `start`."""
    from weahouse.orchestration import driver

    _tell(_with_hdfs(driver.stop))


@commands.command()
def restart() -> None:
    """End the stream after its current batch and start it again."""
    from weahouse.orchestration import driver

    _tell(_with_hdfs(driver.restart))


@commands.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """What the stream is doing: its state, process and lag, its last batch, its topic, and gaps if there are any."""
    from weahouse.orchestration.status import stream_status

    found = stream_status(settings())
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table(show_header=False, box=None)
    for name, value in found.items():
        table.add_row(name.replace("_", " "), "-" if value is None else str(value))
    Console().print(table)


def _with_hdfs(action: Callable[[Settings], dict[str, Any]]) -> dict[str, Any]:
    from weahouse.embedded.process import EmbeddedError

    try:
        return action(settings())
    except EmbeddedError as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"HDFS at {settings().hdfs} does not answer ({error}): start it with `weahouse up`") from None


def _tell(outcome: dict[str, Any]) -> None:
    typer.echo(f"{outcome['action']}: {outcome['reason']}")
