"""Delta tables of some thousand rows, such as registries and ledgers: read whole and merged by key, without a JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.io.lake import arrow_schema, open_table, table_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

Row = dict[str, Any]

# Two writers at once are rare and short: the second merges again on what the first wrote.
_ATTEMPTS = 5


def read_rows(settings: Settings, dataset: Dataset) -> list[Row]:
    """Every row with all columns; empty where there is no table yet. Raises LakeError."""
    return read_version(settings, dataset)[0]


def read_version(settings: Settings, dataset: Dataset) -> tuple[list[Row], int]:
    """The same, and which version of the table holds these rows; 0 where there is none."""
    table = open_table(settings, dataset)
    if table is None:
        return [], 0
    return table.to_pyarrow_table().to_pylist(), table.version()


def merge_rows(
    settings: Settings, dataset: Dataset, rows: Sequence[Row], update: tuple[dict[str, str], str] | None = None
) -> None:
    """Insert the rows whose key is new, and replace those whose key the table holds.

    `update`, SQL over `given` and `held`: the columns to set where a key is held, and when; else the whole row is.
    """
    if not rows:
        return
    import pyarrow as pa
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError

    source = pa.Table.from_pylist(list(rows), schema=arrow_schema(dataset))
    on = " AND ".join(f'held."{column}" = given."{column}"' for column in dataset.primary_key)
    for attempt in range(1, _ATTEMPTS + 1):
        table = DeltaTable.create(
            table_uri(settings, dataset),
            source.schema,
            mode="ignore",
            # Off on every table of ours: with them Spark cannot merge into files that the same session has read.
            configuration={"delta.enableDeletionVectors": "false"},
        )
        # A table that an earlier release made gets the columns that have come since.
        merge = table.merge(source, on, source_alias="given", target_alias="held", merge_schema=True)
        merge = merge.when_matched_update(*update) if update else merge.when_matched_update_all()
        try:
            merge.when_not_matched_insert_all().execute()
            return
        except CommitFailedError:
            if attempt == _ATTEMPTS:
                raise
