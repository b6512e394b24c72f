"""`curated.gaps`: the ranges of offsets that were lost, written and read without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.io.lake import arrow_schema, open_table, table_uri
from weahouse.schemas.datasets import CURATED_GAPS

if TYPE_CHECKING:
    from weahouse.settings import Settings

Gap = dict[str, Any]


def read_gaps(settings: Settings) -> list[Gap]:
    """Every gap, in the order in which they were noticed; empty where there is none. Raises LakeError."""
    table = open_table(settings, CURATED_GAPS)
    if table is None:
        return []
    rows: list[Gap] = table.to_pyarrow_table().to_pylist()
    return sorted(rows, key=lambda row: (row["noticed_at"], row["partition"], row["from_offset"]))


def write_gaps(settings: Settings, gaps: list[Gap]) -> None:
    """Add the gaps that the table does not hold yet, and lengthen those it does; repeating it changes nothing."""
    if not gaps:
        return
    import pyarrow as pa
    from deltalake import DeltaTable

    source = pa.Table.from_pylist(gaps, schema=arrow_schema(CURATED_GAPS))
    table = DeltaTable.create(
        table_uri(settings, CURATED_GAPS),
        source.schema,
        mode="ignore",
        configuration={"delta.enableDeletionVectors": "false"},
    )
    on = " AND ".join(f'held."{column}" = given."{column}"' for column in CURATED_GAPS.primary_key)
    merge = table.merge(source, on, source_alias="given", target_alias="held")
    # More may expire between two rebuilds.
    merge = merge.when_matched_update({"to_offset": "given.to_offset"}, "given.to_offset > held.to_offset")
    merge.when_not_matched_insert_all().execute()
