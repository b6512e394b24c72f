"""A part of a table made anew: compared with what the table holds of it, and written only where it differs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.delta import ensure_table, one_of, read_table, replace_by_key, version_of
from weahouse.streaming.checkpointed import checkpointed, release
from weahouse.transforms.replacement import CHANGED, GONE, NEW, SAME, replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from pyspark.sql import Column, DataFrame

    from weahouse.batch.writer import Writer
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings


def within_days(dataset: Dataset, days: Sequence[date], prefix: str = "") -> Column:
    """Literal bounds over days of observation, by which partitions are skipped."""
    told = one_of(f"{prefix}observed_date", days)
    if "observed_month" in dataset.columns:
        told = told & one_of(f"{prefix}observed_month", sorted({f"{day:%Y-%m}" for day in days}))
    return told


def replace_part(
    fresh: DataFrame,
    settings: Settings,
    dataset: Dataset,
    within: Callable[[str], Column],
    writer: Writer,
    only: Callable[[DataFrame], DataFrame] | None = None,
) -> dict[str, int]:
    """Put `fresh` in the place of a part of a table, in one commit; where nothing differs there is none.

    The part is what lies `within` literal bounds over the table's columns, by which partitions are skipped (they are
    asked for with the prefix of those columns), and of that what `only` leaves. What is compared is held until it is
    written. Returns written, removed and unchanged, in rows, and version. Raises FencedError where a newer run has
    written the table meanwhile.
    """
    spark = fresh.sparkSession
    with writer.hold(dataset):
        ensure_table(spark, settings, dataset)
        held = read_table(spark, settings, dataset).where(within(""))
        rows = checkpointed(replacement(fresh, only(held) if only else held, dataset))
        try:
            counts = _count(rows)
            if counts.keys() - {SAME}:
                _write(rows.where(F.col("change") != SAME), settings, dataset, within("t."), writer)
        finally:
            release(rows)
        version = version_of(spark, settings, dataset)
    written = counts[NEW] + counts[CHANGED]
    return {"written": written, "removed": counts[GONE], "unchanged": counts[SAME], "version": version}


def _count(rows: DataFrame) -> Counter[str]:
    found = rows.groupBy("change").agg(F.count("*").alias("rows")).collect()
    return Counter({row["change"]: row["rows"] for row in found})


def _write(rows: DataFrame, settings: Settings, dataset: Dataset, bounds: Column, writer: Writer) -> None:
    gone = f"s.change = '{GONE}'"
    with writer.one_commit(rows.sparkSession, settings, dataset) as transaction:
        replace_by_key(rows, settings, dataset, bounds, gone_when=gone, transaction=transaction)
