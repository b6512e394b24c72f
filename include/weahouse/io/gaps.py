"""`curated.gaps`: the ranges of offsets that were lost, written and read without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.io.small_tables import merge_rows, read_rows
from weahouse.schemas.datasets import CURATED_GAPS

if TYPE_CHECKING:
    from weahouse.settings import Settings

Gap = dict[str, Any]

# More may expire between two rebuilds.
_LENGTHEN = ({"to_offset": "given.to_offset"}, "given.to_offset > held.to_offset")


def read_gaps(settings: Settings) -> list[Gap]:
    """Every gap, in the order in which they were noticed; empty where there is none. Raises LakeError."""
    rows = read_rows(settings, CURATED_GAPS)
    return sorted(rows, key=lambda row: (row["noticed_at"], row["partition"], row["from_offset"]))


def write_gaps(settings: Settings, gaps: list[Gap]) -> None:
    """Add the gaps that the table does not hold yet, and lengthen those it does; repeating it changes nothing."""
    merge_rows(settings, CURATED_GAPS, gaps, _LENGTHEN)
