"""`weahouse reconcile`: the proof that nothing is lost and nothing counted twice."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from weahouse.cli.errors import UserError
from weahouse.cli.spark_app import run_app
from weahouse.settings import settings

_APP = "reconcile_offsets.py"
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(reconcile)


def reconcile(
    begin: Annotated[
        datetime | None, typer.Option("--from", formats=_FORMATS, help="Records appended from this UTC time on.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", formats=_FORMATS, help="Records appended before this UTC time.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Prove the contract: each Kafka offset in Raw has exactly one disposition, Cassandra and Gold equal Curated.

    Exit code 1 when something is unaccounted for, doubled or differs, or when nothing was compared.
    """
    if begin and end and begin >= end:
        raise UserError(f"--from {begin} must lie before --to {end}")
    limits = [
        part for flag, time in (("--from", begin), ("--to", end)) if time for part in (flag, f"{time.isoformat()}Z")
    ]
    with Console(stderr=True).status("comparing Raw, Curated, quarantine, Cassandra and Gold in Spark"):
        code, found = run_app(settings(), _APP, *limits, log_name="reconcile")
    if "error" in found:
        raise UserError(found["error"])
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _print(found)
    raise typer.Exit(code)


def _print(found: dict[str, Any]) -> None:
    from weahouse.batch.proofs import FAULTS, MEANINGS

    table = Table(show_header=False, box=None)
    for name, meaning in MEANINGS.items():
        is_fault = name in FAULTS and found[name] > 0
        table.add_row(name, f"{found[name]:,}", meaning, style="bold red" if is_fault else None)
    console = Console(file=sys.stdout)
    console.print(table)
    for example in found["examples"]:
        console.print(f"  {example}", highlight=False)
