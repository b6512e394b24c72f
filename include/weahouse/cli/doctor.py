"""`weahouse doctor`: what is empty or stale along a reading's way, and why; and what the stream leaves behind."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from weahouse.cli.errors import UserError
from weahouse.settings import settings

if TYPE_CHECKING:
    from weahouse.cli.stages import Stage
    from weahouse.streaming.bounds import Figure


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(doctor)


def doctor(
    folders: Annotated[
        bool, typer.Option("--folders", help="Look at the folders that grow with the stream, and at nothing else.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Tell what is empty, stale or down along the way of a reading, why, and what to do.

    The stages are those that a reading passes: feed, topic, stream, the tables of Raw and Curated, Cassandra, Gold, the
    Dags that fill them, and the folders on HDFS. Each has the time of its newest record, what it holds, and a verdict:
    `fine`, `empty`, `stale` (behind the stage before it, or older than its schedule allows) or `down`. All are asked at
    once; one that does not answer within seconds is told as such. Begin at the first that is not fine.

    `--folders` shows each Delta log, folder, checkpoint and local log: what it holds, what it can grow to at the
    configured pace, and its limit.

    Exit code 1 when something is wrong.
    """
    raise typer.Exit(0 if (_folders(as_json) if folders else _path(as_json)) else 1)


def _path(as_json: bool) -> bool:
    """Tell of every stage; whether all are well."""
    from weahouse.cli.findings import gather
    from weahouse.cli.stages import is_well, stages

    found = stages(gather(settings()))
    if as_json:
        from weahouse.cli.output import print_json_object

        print_json_object({"verdict": _word(is_well(found)), "stages": [asdict(stage) for stage in found]})
    else:
        print_stages(found)
    return is_well(found)


def print_stages(found: list[Stage]) -> None:
    """Print a line for each stage."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from weahouse.cli.output import console
    from weahouse.cli.stages import FINE

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("stage", "newest (UTC)", "holds", "verdict", "why, and what to do"):
        table.add_column(heading, justify="right" if heading == "holds" else "left", overflow="fold")
    for stage in found:
        newest = f"{stage.last_at:%Y-%m-%d %H:%M:%S}" if stage.last_at else "-"
        verdict = f"[{'green' if stage.verdict == FINE else 'bold red'}]{stage.verdict}[/]"
        table.add_row(stage.stage, newest, stage.held or "-", verdict, escape(stage.why))
    console().print(table)


def _folders(as_json: bool) -> bool:
    """Tell of every folder; whether all are within their bounds."""
    from weahouse.cli import findings

    instance = settings()
    try:
        found = findings.folders(instance)
    except OSError as error:
        raise UserError(f"HDFS at {instance.hdfs} does not answer ({error}): start it with `weahouse up`") from None
    is_well = not any(figure.needs_attention for figure in found)
    if as_json:
        told = [{**asdict(figure), "verdict": _word(not figure.needs_attention)} for figure in found]
        typer.echo(json.dumps({"verdict": _word(is_well), "figures": told}))
    else:
        _print_folders(found)
    return is_well


def _word(is_well: bool) -> str:
    return "ok" if is_well else "attention"


def _print_folders(found: list[Figure]) -> None:
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
        table.add_row(figure.what, *told, _word(not figure.needs_attention), style=style)
    output.console().print(table)
