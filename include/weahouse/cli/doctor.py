"""`weahouse doctor`: whether what the stream leaves behind stays within its bounds."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from weahouse.cli.errors import UserError
from weahouse.settings import Settings, settings

if TYPE_CHECKING:
    from weahouse.streaming.bounds import Figure


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Look at the folders that grow with the stream: Delta logs, data, checkpoints, documents, local logs.

    Beside what they hold stands what they can grow to at the configured pace, and their limit. Exit code 1 when one
    of them needs attention.
    """
    from weahouse.io.hdfs import Hdfs
    from weahouse.streaming.bounds import figures

    instance = settings()
    try:
        found = [*figures(instance, Hdfs(instance)), *_logs(instance)]
    except OSError as error:
        raise UserError(f"HDFS at {instance.hdfs} does not answer ({error}): start it with `weahouse up`") from None
    is_well = not any(figure.needs_attention for figure in found)
    if as_json:
        told = [{**asdict(figure), "verdict": _verdict(figure)} for figure in found]
        typer.echo(json.dumps({"verdict": "ok" if is_well else "attention", "figures": told}))
    else:
        _print(found)
    raise typer.Exit(0 if is_well else 1)


def _logs(instance: Settings) -> list[Figure]:
    """The largest local log; one beyond the limit is put aside at its service's next start."""
    from weahouse.embedded.process import LOG_LIMIT_BYTES
    from weahouse.streaming.bounds import Figure

    sizes = [file.stat().st_size for file in (instance.home / "logs").glob("*.log")]
    return [Figure("local logs, largest", max(sizes), None, LOG_LIMIT_BYTES, "bytes", sum(sizes))] if sizes else []


def _verdict(figure: Figure) -> str:
    return "attention" if figure.needs_attention else "ok"


def _print(found: list[Figure]) -> None:
    from rich import box
    from rich.table import Table

    from weahouse.cli import output

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("what", "holds", "can grow to", "limit", "", "size", "oldest", "verdict"):
        table.add_column(heading, justify="right" if heading in ("holds", "can grow to", "limit", "size") else "left")
    for figure in found:
        projected = "-" if figure.projected is None else f"{figure.projected:,}"
        size = "-" if figure.size_bytes is None else f"{figure.size_bytes / 1e6:,.1f} MB"
        told = (f"{figure.held:,}", projected, f"{figure.limit:,}", figure.unit, size, figure.oldest_at or "-")
        style = "bold red" if figure.needs_attention else None
        table.add_row(figure.what, *told, _verdict(figure), style=style)
    output.console().print(table)
