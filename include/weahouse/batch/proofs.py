"""Proofs of a range of append times: what is compared, in which words, and the row of `gold.reconciliation`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.batch.gold_proof import compare_gold
from weahouse.io.small_tables import merge_rows
from weahouse.schemas.gold import GOLD_RECONCILIATION
from weahouse.streaming.reconciliation import reconcile
from weahouse.transforms.dispositions import DISPOSITIONS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weahouse.settings import Settings

Found = dict[str, Any]

# What a person reads of each count.
MEANINGS = {
    "offsets": "Kafka offsets in range",
    "curated": "hold a row of Curated",
    "duplicate": "say what a row of Curated says already",
    "superseded": "were corrected by a newer record",
    "quarantined": "could not be read, and stand in the quarantine",
    "unaccounted": "have no disposition, or are missing from Raw",
    "doubled": "have more than one",
    "compared_cassandra": "rows of Curated compared with Cassandra",
    "differing_cassandra": "rows that differ",
    "compared_panes": "10-minute panes made anew and compared with Cassandra",
    "differing_panes": "panes that differ",
    "compared_verdicts": "verdicts of levels 2 and 3 compared with Cassandra, with the panes and values they alter",
    "differing_verdicts": "verdicts, panes or values that differ",
    "compared_gold": "rows of Gold's hours and days made anew and compared",
    "differing_gold": "rows that differ",
    "compared_windows": "hours and days these are of, touched by the curated units in range",
    "pending_units": "curated units of which Gold is not made yet (no fault)",
    "aged_windows": "hours and days whose versions of Curated are gone (not compared)",
}
# What is a fault if it is not 0.
FAULTS = ("unaccounted", "doubled", "differing_cassandra", "differing_panes", "differing_verdicts", "differing_gold")
# Other names that counts have in the ledger.
_COLUMNS = {
    "offsets": "compared_offsets",
    **{name: f"{name}_offsets" for name in (*DISPOSITIONS, "unaccounted", "doubled")},
    "compared_cassandra": "compared_rows",
    "differing_cassandra": "differing_rows",
}


def prove(spark: SparkSession, settings: Settings, begin: datetime | None, end: datetime | None) -> Found:
    """Everything that can be compared over [begin, end), all where None: counts as in MEANINGS, and `examples`.

    Raises NothingToCompareError.
    """
    found = reconcile(spark, settings, begin, end)
    of_gold = compare_gold(spark, settings, begin, end)
    return found | of_gold | {"examples": found["examples"] + of_gold["examples"]}


def record_proof(settings: Settings, begin: datetime, end: datetime, found: Found) -> None:
    """Write down what `prove` found of [begin, end); a range that is compared again replaces its row."""
    row = {
        "appended_from": begin,
        "appended_to": end,
        **{column_of(name): found[name] for name in MEANINGS},
        "fault_examples": json.dumps(found["examples"]),
        "reconciled_at": datetime.now(UTC),
    }
    merge_rows(settings, GOLD_RECONCILIATION, [row])


def column_of(name: str) -> str:
    """The column of `gold.reconciliation` that holds a count of MEANINGS."""
    return _COLUMNS.get(name, name)


def lacks(found: Found) -> list[str]:
    """What was not compared at all, though there should be some of it; no proof is a success with that."""
    compared = ["offsets", "compared_cassandra", *(["compared_gold"] if found["compared_windows"] else [])]
    return [name for name in compared if not found[name]]


def is_faulty(found: Found) -> bool:
    """Whether something differs, or nothing was compared."""
    return any(found[name] for name in FAULTS) or bool(lacks(found))
