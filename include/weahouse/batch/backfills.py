"""The ledger of backfills: how far each came, so that the same asked again goes on instead of beginning anew."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.io.delta import LOG_RETENTION_DAYS
from weahouse.io.small_tables import merge_rows, read_rows
from weahouse.schemas.gold import GOLD_BACKFILL_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from weahouse.settings import Settings

log = logging.getLogger("weahouse.backfill")

Backfill = dict[str, Any]
REPLAY, RECOMPUTE = "kafka_replay", "raw_recompute"
RUNNING, DONE, FAILED, UNDONE = "running", "done", "failed", "undone"
COUNTS = ("replayed", "inserted", "updated", "unchanged", "quarantined")
_SECOND = timedelta(seconds=1)


def read_backfill(settings: Settings, run_id: str) -> Backfill | None:
    """A backfill as it stands; None where it never began. Raises LakeError."""
    return next((row for row in read_backfills(settings) if row["run_id"] == run_id), None)


def read_backfills(settings: Settings) -> list[Backfill]:
    """Every backfill, the newest first. Raises LakeError."""
    return sorted(read_rows(settings, GOLD_BACKFILL_RUNS), key=lambda row: row["started_at"], reverse=True)


def record_backfill(settings: Settings, backfill: Backfill) -> None:
    """Write down how a backfill stands now."""
    merge_rows(settings, GOLD_BACKFILL_RUNS, [backfill])


def new_backfill(run_id: str, kind: str, parameters: Mapping[str, Any]) -> Backfill:
    """The row of a backfill that nobody has begun before; `parameters`, its `reason` among them, as JSON holds them."""
    return {
        "run_id": run_id,
        "kind": kind,
        "parameters": json.dumps(parameters),
        "reason": parameters["reason"],
        "done_offsets": None,
        "chunks": "[]",
        "planned": None,
        **dict.fromkeys(COUNTS, 0),
        "started_at": datetime.now(UTC),
    }


class Work:
    """A backfill at work: its row of the ledger, which is written as it goes on."""

    def __init__(self, settings: Settings, row: Backfill) -> None:
        self.settings, self.row = settings, row
        self._since, self._before = datetime.now(UTC), row["replayed"]

    def record(self, **told: Any) -> None:
        """Write the row down, with what is told of it now."""
        self.row |= told
        record_backfill(self.settings, self.row)

    def add(self, counts: Mapping[str, int]) -> None:
        """Count what a chunk has done, and see from it when all will be read."""
        self.row |= {name: self.row[name] + count for name, count in counts.items()}
        now, read = datetime.now(UTC), self.row["replayed"] - self._before
        if read:
            self.row["expected_at"] = now + (now - self._since) * (self._left() / read)
        changed = ", ".join(f"{self.row[name]} {name}" for name in COUNTS[1:])
        log.info("%d records read, %d left until about %s: %s", read, self._left(), self.row["expected_at"], changed)

    def has_read(self, first_s: int | None, last_s: int | None) -> None:
        """Remember the first and the last append time that was read, in seconds since 1970; None where nothing was."""
        if first_s is None or last_s is None:
            return
        first, end = datetime.fromtimestamp(first_s, UTC), datetime.fromtimestamp(last_s, UTC) + _SECOND
        self.row["appended_from"] = min(first, self.row.get("appended_from") or first)
        self.row["appended_to"] = max(end, self.row.get("appended_to") or end)

    def _left(self) -> int:
        return max(0, int(self.row["planned"] - self.row["replayed"]))


@contextmanager
def at_work(settings: Settings, backfill: Backfill) -> Iterator[Work]:
    """A backfill that begins or goes on: `running` meanwhile, then `done`, or `failed` where it broke off."""
    work = Work(settings, backfill)
    work.record(backfill_state=RUNNING, expected_at=None, ended_at=None)
    try:
        yield work
    except Exception:
        work.record(backfill_state=FAILED, expected_at=None, ended_at=datetime.now(UTC))
        raise
    work.record(backfill_state=DONE, expected_at=None, ended_at=datetime.now(UTC))


class UndoError(ValueError):
    """A backfill that cannot be undone; one sentence that says why, or what to do first."""


def undoable(settings: Settings, run_id: str, now: datetime) -> Backfill:
    """A recompute that can be undone. Raises UndoError, or LakeError."""
    backfills = read_backfills(settings)
    found = next((row for row in backfills if row["run_id"] == run_id), None)
    if found is None:
        raise UndoError(f"no backfill {run_id!r} is known: `weahouse backfill status` lists them")
    if reason := _why_not(found, now):
        raise UndoError(f"{found['kind']} {run_id} {reason}")
    for later in backfills:
        if later["started_at"] > found["started_at"] and _stands_on(later, found):
            raise UndoError(f"{found['kind']} {run_id} has been built upon: undo {later['run_id']} first")
    return found


def _why_not(backfill: Backfill, now: datetime) -> str | None:
    if backfill["kind"] != RECOMPUTE:
        return "only brings in what Raw holds anyway: there is nothing to undo"
    if backfill["backfill_state"] == UNDONE:
        return "is undone already"
    if backfill["backfill_state"] == RUNNING:
        return "has not ended: let it end, or trigger it once more with the same parameters, and it goes on"
    if not _has_replaced(backfill):
        return "has replaced no row of Curated, and Gold says what Curated says: there is nothing to undo"
    if now - backfill["started_at"].astimezone(UTC) > timedelta(days=LOG_RETENTION_DAYS):
        return (
            f"began at {backfill['started_at']:%Y-%m-%d %H:%M} UTC: what stood before it is kept for "
            f"{LOG_RETENTION_DAYS} days, and these are over"
        )
    return None


def _stands_on(later: Backfill, earlier: Backfill) -> bool:
    """Whether a later recompute has judged rows of an earlier one again, and still does."""
    if later["kind"] != RECOMPUTE or later["backfill_state"] == UNDONE or not _has_replaced(later):
        return False
    above, below = (json.loads(row["parameters"]) for row in (later, earlier))
    # Times of one form and zone: their texts are in their order.
    return bool(above["start"] < below["end"] and below["start"] < above["end"])


def _has_replaced(backfill: Backfill) -> bool:
    """Whether rows of Curated may be others because of it; one that broke off has not counted its last chunk."""
    if backfill["backfill_state"] == DONE:
        return bool(backfill["updated"])
    return bool(json.loads(backfill["chunks"] or "[]"))
