"""Proofs that are kept: a reconciliation of a range of append times becomes a row of `gold.reconciliation`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.io.small_tables import merge_rows
from weahouse.schemas.gold import GOLD_RECONCILIATION
from weahouse.transforms.dispositions import DISPOSITIONS

if TYPE_CHECKING:
    from weahouse.settings import Settings

# What is a fault if it is not 0.
FAULTS = ("unaccounted", "doubled", "differing_cassandra", "differing_panes")


def record_proof(settings: Settings, begin: datetime, end: datetime, found: dict[str, Any]) -> None:
    """Write down what `reconcile` found of [begin, end); a range that is compared again replaces its row."""
    row = {
        "appended_from": begin,
        "appended_to": end,
        "compared_offsets": found["offsets"],
        **{f"{name}_offsets": found[name] for name in (*DISPOSITIONS, "unaccounted", "doubled")},
        "compared_rows": found["compared_cassandra"],
        "differing_rows": found["differing_cassandra"],
        **{name: found[name] for name in ("compared_panes", "differing_panes")},
        "fault_examples": json.dumps(found["examples"]),
        "reconciled_at": datetime.now(UTC),
    }
    merge_rows(settings, GOLD_RECONCILIATION, [row])


def is_faulty(found: dict[str, Any]) -> bool:
    """Whether something differs, or nothing was compared."""
    return any(found[name] for name in FAULTS) or not (found["offsets"] and found["compared_cassandra"])
