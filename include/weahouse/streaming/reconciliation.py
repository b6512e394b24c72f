"""The proof of the contract: every offset has exactly one disposition, and Cassandra equals Curated, panes too.

What the stream has written is compared by itself, and so is what curation has put beside it of levels 2 and 3.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.io.cassandra import rows
from weahouse.io.cassandra_reader import read_each
from weahouse.io.delta import read_table
from weahouse.io.gaps import read_gaps
from weahouse.io.hdfs import Hdfs
from weahouse.io.variable_rows import PANE_COLUMNS, level_1_panes_in, select_panes
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, PANE_MINUTES, RAW_OBSERVATIONS
from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION
from weahouse.streaming.judged import compare_verdicts
from weahouse.streaming.progress import committed_by_all
from weahouse.transforms.dispositions import (
    DISPOSITIONS,
    DOUBLED,
    UNACCOUNTED,
    differences,
    dispose,
    pane_differences,
    spans,
)
from weahouse.transforms.incarnations import ends_of, incarnation, is_before, is_of_earlier, lost_within
from weahouse.transforms.panes import summarise, window_start
from weahouse.transforms.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import Column, DataFrame, SparkSession

    from weahouse.settings import Settings

_SERVED_COLUMNS = [column for column in OBSERVATIONS_BY_STATION.columns if column != "day"]
_EXAMPLES = 10


class NothingToCompareError(RuntimeError):
    """No record lies in the asked range, or a query has not committed anything yet."""


def reconcile(spark: SparkSession, settings: Settings, begin: datetime | None, end: datetime | None) -> dict[str, Any]:
    """Compare Raw, Curated, quarantine and Cassandra over records appended in [begin, end), all where None.

    Returns offsets, curated, duplicate, superseded, quarantined, unaccounted, doubled, compared_cassandra,
    differing_cassandra, compared_panes, differing_panes (of the windows in which a compared row lies),
    compared_verdicts, differing_verdicts (of levels 2 and 3, on these rows, their panes and their stations' latest
    values), and up to ten examples of each fault. Records that a query has not committed yet are left out.
    """
    held: list[DataFrame] = []

    def keep(rows: DataFrame) -> DataFrame:
        held.append(rows.persist())
        return held[-1]

    try:
        return _compare(spark, settings, _appended_within(begin, end), keep)
    finally:
        # A long-lived session would answer the next call from what it has kept.
        for rows in held:
            rows.unpersist()


def _compare(spark: SparkSession, settings: Settings, is_within: Any, keep: Any) -> dict[str, Any]:
    gaps = read_gaps(settings)
    ends = ends_of(gaps)
    raw = read_table(spark, settings, RAW_OBSERVATIONS).where(is_within("timestamp"))
    raw = raw.withColumn("incarnation", incarnation(ends))
    # Not kept: each look at it needs other columns, and its files are quicker read twice than their bytes held once.
    raw = raw.where(is_of_earlier(ends, settings.observations_topic) | is_before(_committed(settings)))
    quarantine = read_table(spark, settings, CURATED_QUARANTINE).where(is_within("timestamp"))
    curated = keep(read_table(spark, settings, CURATED_OBSERVATIONS))

    disposed = dispose(parse(raw), curated, quarantine)
    counts = {row["disposition"]: row["count"] for row in disposed.groupBy("disposition").count().collect()}
    if not counts:
        raise NothingToCompareError("no record of Raw lies in the asked range")
    faults = disposed.where(F.col("disposition").isin(UNACCOUNTED, DOUBLED))
    is_faulty = UNACCOUNTED in counts or DOUBLED in counts
    found = [row.asDict() for row in spans(raw).collect()]
    missing = sum(each["last"] - each["first"] + 1 - each["held"] - lost_within(each, gaps) for each in found)

    compared = curated.where(is_within("ingested_at")).where(_is_served(settings))
    served = read_served(spark, settings, compared).where(is_within("ingested_at"))
    differing = keep(differences(compared, served, _SERVED_COLUMNS))
    compared_panes, differing_panes = (keep(rows) for rows in _panes(settings, compared, curated))
    compared_verdicts, differing_verdicts = compare_verdicts(spark, settings, compared, curated)
    return {
        "offsets": sum(counts.values()) + missing,
        **{name: counts.get(name, 0) for name in DISPOSITIONS},
        "unaccounted": counts.get(UNACCOUNTED, 0) + missing,
        "doubled": counts.get(DOUBLED, 0),
        "compared_cassandra": compared.count(),
        "differing_cassandra": differing.count(),
        "compared_panes": compared_panes.count(),
        "differing_panes": differing_panes.count(),
        "compared_verdicts": compared_verdicts,
        "differing_verdicts": sum(rows.count() for rows in differing_verdicts),
        "examples": [
            *(_examples(faults) if is_faulty else []),
            *(example for rows in (differing, differing_panes, *differing_verdicts) for example in _examples(rows)),
        ],
    }


def _panes(settings: Settings, compared: DataFrame, curated: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The panes of the windows in which a compared row lies, made from Curated; and what Cassandra serves otherwise."""
    start = window_start(F.col("observed_at"), PANE_MINUTES)
    touched = compared.select("station_id", "observed_date", start.alias("window_start")).distinct()
    of_windows = curated.withColumn("window_start", start).join(touched, touched.columns, "left_semi")
    made = summarise(of_windows.drop("window_start"), PANE_MINUTES).where("value_count > 0")
    pairs = touched.select("station_id", F.col("observed_date").cast("string").alias("day")).distinct()
    served = read_each(settings, select_panes(), PANE_COLUMNS, pairs, _level_1_panes)
    windows = touched.drop("observed_date")
    return made, pane_differences(made, served.join(windows, windows.columns, "left_semi"))


def _level_1_panes(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (pane for row in found for pane in level_1_panes_in(row))


def read_served(spark: SparkSession, settings: Settings, curated: DataFrame) -> DataFrame:
    """All rows of `observations_by_station`, read by Spark's tasks partition by partition."""
    held = curated.select("station_id", F.col("observed_date").cast("string").alias("day")).distinct()
    found = [(row["station_id"], str(row["day"])) for row in rows(settings, _DISTINCT)]
    pairs = spark.createDataFrame(found, "station_id string, day string").union(held).distinct()
    return read_each(settings, _OBSERVATIONS, _SERVED_COLUMNS, pairs)


_DISTINCT = f"SELECT DISTINCT station_id, day FROM {OBSERVATIONS_BY_STATION.name}"
_OBSERVATIONS = (
    f"SELECT {', '.join(_SERVED_COLUMNS)} FROM {OBSERVATIONS_BY_STATION.name} WHERE station_id = ? AND day = ?"
)


def _committed(settings: Settings) -> dict[int, int]:
    """Per partition the offset before which every query has committed."""
    committed = committed_by_all(Hdfs(settings), settings.hdfs_root)
    if not committed:
        raise NothingToCompareError("a query has not committed anything yet: see `weahouse status`")
    return committed


def _is_served(settings: Settings) -> Column:
    if settings.serving_retention_days == 0:
        return F.lit(True)
    # An hour of margin: a row that expires while it is compared differs from nothing.
    oldest = datetime.now(UTC) - timedelta(days=settings.serving_retention_days) + timedelta(hours=1)
    return F.col("ingested_at") >= F.lit(oldest)


def _appended_within(begin: datetime | None, end: datetime | None) -> Any:
    def within(column: str) -> Column:
        after = F.lit(True) if begin is None else F.col(column) >= F.lit(begin)
        return after if end is None else after & (F.col(column) < F.lit(end))

    return within


def _examples(faults: DataFrame) -> list[dict[str, Any]]:
    return [
        {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.asDict().items()}
        for row in faults.limit(_EXAMPLES).collect()
    ]
