"""The ledger of backfills: how far each came, so that the same asked again goes on instead of beginning anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.io.small_tables import merge_rows, read_rows
from weahouse.schemas.gold import GOLD_BACKFILL_RUNS

if TYPE_CHECKING:
    from weahouse.settings import Settings

Backfill = dict[str, Any]
RUNNING, DONE, FAILED = "running", "done", "failed"


def read_backfill(settings: Settings, run_id: str) -> Backfill | None:
    """A backfill as it stands; None where it never began. Raises LakeError."""
    return next((row for row in read_rows(settings, GOLD_BACKFILL_RUNS) if row["run_id"] == run_id), None)


def record_backfill(settings: Settings, backfill: Backfill) -> None:
    """Write down how a backfill stands now."""
    merge_rows(settings, GOLD_BACKFILL_RUNS, [backfill])
