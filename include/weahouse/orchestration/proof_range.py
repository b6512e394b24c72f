"""What was proved since it changed: units of curation, each once and again when it is curated again; and backfills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.orchestration.ingest_hours import HOUR, begin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

Row = dict[str, Any]


def first_unproved(units: Iterable[Row], proofs: Sequence[Row], before: datetime) -> datetime | None:
    """The begin of the first unit with records before a time that no proof has compared whole, since it was curated.

    `units` are rows of `curated.ingest_units`, `proofs` of `gold.reconciliation`. None where there is none.
    """
    begins = ((begin_of(unit["ingest_hour"]), unit) for unit in units if unit["records"])
    unproved = (begin for begin, unit in begins if begin < before and not _is_proved(begin, unit, proofs))
    return min(unproved, default=None)


def _is_proved(begin: datetime, unit: Row, proofs: Sequence[Row]) -> bool:
    return any(
        proof["appended_from"] <= begin
        and begin + HOUR <= proof["appended_to"]
        and proof["reconciled_at"] >= unit["curated_at"]
        for proof in proofs
    )


def proofs_since(backfill: Row, proofs: Iterable[Row]) -> list[Row]:
    """The proofs of just the append times that a backfill has read, a row of its ledger, from after it has ended."""
    span, ended_at = (backfill.get("appended_from"), backfill.get("appended_to")), backfill.get("ended_at")
    return [
        proof
        for proof in proofs
        if ended_at and (proof["appended_from"], proof["appended_to"]) == span and proof["reconciled_at"] >= ended_at
    ]
