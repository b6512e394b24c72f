"""Verdicts on their way to readers: Cassandra's columns of them are made what curated.verdicts says.

What stands there is read back and compared, and only what differs is written: so a run that died after it had written
Delta is made up for by whoever judges the same rows again, and the same again writes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.batch.parts import within_days
from weahouse.io.cassandra_writer import Target
from weahouse.io.delta import read_table, version_of
from weahouse.io.hdfs import Hdfs
from weahouse.qc.verdicts import with_verdict
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_VERDICTS, KEY
from weahouse.schemas.render import path
from weahouse.schemas.serving_tables import LATEST_BY_REGION, OBSERVATIONS_BY_STATION, SUMMARIES_BY_STATION
from weahouse.streaming.checkpointed import checkpointed
from weahouse.streaming.judged import (
    alive,
    judged_pane_differences,
    latest_values,
    served_panes,
    served_values,
    served_verdicts,
    value_differences,
    verdict_differences,
)
from weahouse.streaming.notes import Changed, Notes
from weahouse.transforms.judged import (
    by_pane,
    judged_panes,
    judged_values,
    pane_writes,
    value_writes,
    verdict_rows,
    verdict_writes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.batch.writer import Writer
    from weahouse.schemas.kinds import ServingTable
    from weahouse.settings import Settings


def serve_verdicts(spark: SparkSession, settings: Settings, judged: DataFrame | None, writer: Writer) -> dict[str, int]:
    """Serve the verdicts of rows that were judged: their keys with observed_date; None where there are none.

    Returns how many were written: verdicts of observations, panes and stations of which a value is the latest.
    """
    if judged is None:
        return {"verdicts_served": 0, "judged_panes_served": 0, "judged_values_served": 0}
    spans = checkpointed(_spans(judged))
    notes = Notes(Hdfs(settings), settings.hdfs_root)
    with writer.hold(CURATED_VERDICTS):
        write_time = _write_time(settings, version_of(spark, settings, CURATED_VERDICTS))
        rows = _with_verdicts(spark, settings, _days(spans.select(F.to_date("day"))))
        rows = rows.join(spans.withColumn("observed_date", F.to_date("day")), ["station_id", "observed_date"])
        rows = rows.where("observed_at >= begin AND observed_at < end").drop("day", "begin", "end")
        return {
            "verdicts_served": _serve_flags(settings, rows, spans, write_time, notes),
            "judged_panes_served": _serve_panes(settings, rows, spans, write_time),
            "judged_values_served": _serve_values(spark, settings, rows, write_time),
        }


def write_rows(rows: DataFrame, settings: Settings, table: ServingTable) -> int:
    """Write rows of a serving table, as `transforms.served` makes them; returns how many were within the retention."""
    retention_s = settings.serving_retention_days * 86400
    target = Target(tuple(settings.cassandra), settings.cassandra_keyspace, table, retention_s)
    # A partition's rows must come together to share a request.
    sorted_rows = rows.sortWithinPartitions(*table.partition_key)
    row = sorted_rows.mapInArrow(target.write, "rows_written bigint").agg(F.sum("rows_written").alias("n")).first()
    return int(row["n"] or 0) if row else 0


def _spans(judged: DataFrame) -> DataFrame:
    """The hours that hold the judged rows, of each station and day from the first to the last: whole panes."""
    hour = F.date_trunc("hour", "observed_at")
    ends = [F.min(hour).alias("begin"), (F.max(hour) + F.expr("INTERVAL 1 HOUR")).alias("end")]
    return judged.groupBy("station_id", F.col("observed_date").cast("string").alias("day")).agg(*ends)


def _write_time(settings: Settings, verdicts_version: int) -> int:
    """The time of what is written of a version of curated.verdicts: when that was committed, whoever writes and when.

    So a later version wins over an earlier one, and the same is the same. In microseconds, as Cassandra compacts
    observations by it; what is below the millisecond sets apart two versions that were committed within one.
    """
    log = f"{path(CURATED_VERDICTS, settings.hdfs_root)}/_delta_log/{verdicts_version:020}.json"
    return round(Hdfs(settings).modified_at(log) * 1000) * 1000 + verdicts_version % 1000


def _with_verdicts(spark: SparkSession, settings: Settings, days: Sequence[date]) -> DataFrame:
    curated, verdicts = (
        read_table(spark, settings, table).where(within_days(table, days))
        for table in (CURATED_OBSERVATIONS, CURATED_VERDICTS)
    )
    return with_verdict(curated, verdicts)


def _days(dates: DataFrame) -> list[date]:
    return sorted(row[0] for row in dates.distinct().collect())


def _serve_flags(settings: Settings, rows: DataFrame, spans: DataFrame, write_time: int, notes: Notes) -> int:
    made = checkpointed(alive(settings, verdict_rows(rows)))
    served = checkpointed(served_verdicts(settings, spans))
    differing = checkpointed(verdict_differences(made, served))
    notes.draft(_changed(rows, differing))
    writes = verdict_writes(differing, made, served, write_time)
    written = write_rows(writes, settings, OBSERVATIONS_BY_STATION.of_verdicts())
    notes.lay_out()
    return written


def _changed(rows: DataFrame, differing: DataFrame) -> list[Changed]:
    """What alerts are judged anew for; few, as verdicts are."""
    of_day = ("station_id", "region", "observed_date")
    times = [F.unix_seconds(of("observed_at")) for of in (F.min, F.max)]
    found = rows.join(differing.select(*KEY), list(KEY), "left_semi").groupBy(*of_day).agg(*times).collect()
    return [Changed(row[0], row[1], *(datetime.fromtimestamp(second, UTC) for second in row[3:])) for row in found]


def _serve_panes(settings: Settings, rows: DataFrame, spans: DataFrame, write_time: int) -> int:
    made = checkpointed(alive(settings, judged_panes(rows)))
    served = checkpointed(served_panes(settings, spans))
    differing = judged_pane_differences(by_pane(made), served)
    return write_rows(pane_writes(differing, made, served, write_time), settings, SUMMARIES_BY_STATION.of_verdicts())


def _serve_values(spark: SparkSession, settings: Settings, rows: DataFrame, write_time: int) -> int:
    stations = checkpointed(rows.select("region", "station_id").distinct())
    latest = checkpointed(latest_values(settings, stations))
    days = _days(latest.select(F.to_date("observed_at")))
    if not days:
        return 0
    of_values = _with_verdicts(spark, settings, days).join(latest.select(*KEY).distinct(), list(KEY), "left_semi")
    made = checkpointed(judged_values(latest, verdict_rows(of_values)))
    served = checkpointed(served_values(settings, stations))
    differing = value_differences(made, served)
    return write_rows(value_writes(differing, made, served, write_time), settings, LATEST_BY_REGION.of_verdicts())
