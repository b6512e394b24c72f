"""How backfills are, from their ledger: a list, one of them whole, and the bar of one that is at work."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from weahouse.batch.backfills import COUNTS, DONE, RUNNING, UndoError, read_backfills, undoable
from weahouse.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from weahouse.batch.backfills import Backfill
    from weahouse.orchestration.backfill_kinds import Kind
    from weahouse.orchestration.dag_runs import Look
    from weahouse.settings import Settings

# A run that was killed leaves its row as it was.
BROKEN_OFF = "broken off"
_SETTLED = (None, "success", "failed", "skipped")
# Of what was asked for, what a person reads again.
_ASKED = ("start", "end", "zones", "stations", "regions", "rules_file", "rules_version")


def show(instance: Settings, run_id: str | None, *, as_json: bool) -> None:
    """Print the list, or one backfill. Raises UserError for one that is not known, or where the lake is away."""
    from weahouse.cli.output import console, print_json, print_json_object, rows_table
    from weahouse.io.lake import LakeError

    try:
        rows = [_told(instance, row) for row in read_backfills(instance)]
        if run_id is None:
            if as_json:
                print_json(rows)
            elif rows:
                console().print(rows_table([_line(row) for row in rows], list(_line(rows[0]))))
            else:
                console().print("no backfill was begun so far: `weahouse backfill plan --help`", highlight=False)
            return
        found = next((row for row in rows if row["run_id"] == run_id), None)
        if found is None:
            raise UserError(f"no backfill {run_id!r} is known: `weahouse backfill status` lists them")
        found |= {"undo": _undo(instance, run_id), "proof": _proof(instance, found)}
    except LakeError as error:
        raise UserError(str(error)) from None
    if as_json:
        print_json_object(found)
        return
    print_whole(found)


def _told(instance: Settings, row: Backfill) -> Backfill:
    """A row, with the state that it has in truth."""
    is_broken = row["backfill_state"] == RUNNING and not _is_at_work(instance, row["kind"])
    return row | ({"backfill_state": BROKEN_OFF} if is_broken else {})


def _is_at_work(instance: Settings, dag_id: str) -> bool:
    """Whether Airflow has a run of the Dag that has not ended; it is believed where it does not answer."""
    from weahouse.orchestration.dag_runs import active_runs
    from weahouse.orchestration.rest import AirflowError

    try:
        return bool(active_runs(instance, dag_id))
    except AirflowError:
        return True


def _line(row: Backfill) -> dict[str, Any]:
    return {
        "run": row["run_id"],
        "kind": row["kind"],
        "state": row["backfill_state"],
        "progress": far(row),
        "inserted": row["inserted"],
        "updated": row["updated"],
        "began (UTC)": _minute(row["started_at"]),
        "approved by": row.get("approved_by") or "-",
        "why": row["reason"],
    }


def print_whole(row: Backfill) -> None:
    """Print all that is known of one backfill."""
    from rich.markup import escape
    from rich.table import Table

    from weahouse.cli.output import console

    table = Table(show_header=False, box=None)
    for name, text in lines(row):
        table.add_row(name, escape(text), style="bold" if name == "run" else None)
    console().print(table)


def lines(row: Backfill) -> list[tuple[str, str]]:
    """A backfill in words."""
    ended = f", ended {_minute(row['ended_at'])}" if row.get("ended_at") else ""
    appended = [row.get(name) for name in ("appended_from", "appended_to")]
    asked = {name: value for name, value in json.loads(row["parameters"]).items() if name in _ASKED and value}
    return [
        ("run", f"{row['run_id']}, {row['kind']}"),
        ("state", f"{row['backfill_state']}, {far(row)}"),
        ("changed", changed(row)),
        ("appended", " to ".join(_minute(time) for time in appended if time) or "-"),
        ("asked for", ", ".join(f"{name} {json.dumps(value)}" for name, value in asked.items())),
        ("why", row["reason"] or "-"),
        ("who", f"approved by {row.get('approved_by') or 'nobody that Airflow knows'}"),
        ("when", f"began {_minute(row['started_at'])}{ended} UTC"),
        ("undo", row["undo"]),
        ("proof", row["proof"]),
    ]


def changed(row: Backfill) -> str:
    """What a backfill has done to readings, as far as it is."""
    told = dict(zip(COUNTS, ("records read", "readings inserted", "replaced", "unchanged", "unreadable"), strict=True))
    return ", ".join(f"{row[name]:,} {word}" for name, word in told.items())


def far(row: Backfill) -> str:
    """How far a backfill is, and until when it will take."""
    if row["backfill_state"] == DONE:
        return "100 %"
    if not row.get("planned"):
        return "-"
    part = f"{100 * row['replayed'] // row['planned']} %"
    if row["backfill_state"] == BROKEN_OFF:
        return f"{part}; the same asked again goes on"
    return f"{part}, all read about {row['expected_at']:%H:%M:%S} UTC" if row.get("expected_at") else part


def _undo(instance: Settings, run_id: str) -> str:
    try:
        undoable(instance, run_id, datetime.now(UTC))
    except UndoError as error:
        return str(error)
    return f"`weahouse lake undo {run_id}`"


def _proof(instance: Settings, row: Backfill) -> str:
    """What the youngest proof of the append times that were read has found."""
    from weahouse.io.small_tables import read_rows
    from weahouse.orchestration.proof_range import proofs_since
    from weahouse.schemas.gold import GOLD_RECONCILIATION

    return verdict(proofs_since(row, read_rows(instance, GOLD_RECONCILIATION)))


def verdict(proofs: Sequence[dict[str, Any]]) -> str:
    """What the youngest of some proofs says."""
    from weahouse.batch.proofs import FAULTS, column_of

    if not proofs:
        return "none since; `reconciliation` makes one where anything has changed"
    youngest = max(proofs, key=lambda proof: proof["reconciled_at"])
    # A proof of an earlier release has fewer columns.
    counts = {column: youngest.get(column) for column in map(column_of, FAULTS)}
    faults = ", ".join(f"{count:,} {column}" for column, count in counts.items() if count)
    of = f"of {youngest['compared_offsets']:,} offsets and {youngest['compared_rows']:,} rows"
    when = f"{_minute(youngest['reconciled_at'])} UTC; Airflow has its page, under Proofs"
    return f"{faults or 'nothing differs'} {of}, {when}"


def bar(out: Console) -> Progress:
    """A bar for a backfill at work."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[state]}"),
        console=out,
    )


def progress(row: Backfill | None, seen: Look, kind: Kind) -> dict[str, Any]:
    """What the bar shows: records read of those planned, and when all are; before that, what the run does."""
    if row is None or not row.get("planned") or seen.state_of(kind.work_task) != "running":
        busy = [f"{task.task_id} {task.state}" for task in seen.tasks if task.state not in _SETTLED]
        return {"state": ", ".join(busy) or seen.state}
    state = f"until about {row['expected_at']:%H:%M:%S} UTC" if row["expected_at"] else ""
    if row["replayed"] >= row["planned"]:
        state = "all is read, and what follows from it is made"
    return {"completed": row["replayed"], "total": row["planned"], "state": state}


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M}"
