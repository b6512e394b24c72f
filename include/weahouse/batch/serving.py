"""Verdicts on their way to readers: Cassandra's columns of them are made what curated.verdicts says.

What stands there is read back and compared, and only what differs is written: so a run that died after it had written
Delta is made up for by whoever judges the same rows again, and the same again writes nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.batch.parts import within_days
from weahouse.io.delta import read_table, version_of
from weahouse.io.hdfs import Hdfs
from weahouse.qc.verdicts import with_verdict
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_VERDICTS, KEY
from weahouse.schemas.fields import FLAGS, VARIABLES
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
from weahouse.streaming.sink import planned_write
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

# Of the rows with their verdicts, which all that is served is made of.
_READ = (*KEY, "region", "observed_date", "ingested_at", "revision", *VARIABLES, *FLAGS, "verdict")
_TOLD = ("verdicts_served", "judged_panes_served", "judged_values_served")


def serve_verdicts(spark: SparkSession, settings: Settings, judged: DataFrame | None, writer: Writer) -> dict[str, int]:
    """Serve the verdicts of rows that were judged: their keys with observed_date; None where there are none.

    Returns how many were written: verdicts of observations, panes and stations of which a value is the latest.
    """
    if judged is None:
        return dict.fromkeys(_TOLD, 0)
    spans = checkpointed(_spans(judged))
    with writer.hold(CURATED_VERDICTS):
        run = _Serving(spark, settings, spans)
        return dict(zip(_TOLD, (run.flags(), run.panes(), run.values()), strict=True))


class _Serving:
    """One run: what Delta says of its spans, and when. Observations are served first: by them the rest is known."""

    def __init__(self, spark: SparkSession, settings: Settings, spans: DataFrame) -> None:
        self._spark, self._settings, self._spans = spark, settings, spans
        self._write_time = _write_time(settings, version_of(spark, settings, CURATED_VERDICTS))
        rows = self._with_verdicts(_days(spans.select(F.to_date("day"))))
        rows = rows.join(spans.withColumn("observed_date", F.to_date("day")), ["station_id", "observed_date"])
        self._rows = checkpointed(rows.where("observed_at >= begin AND observed_at < end").select(*_READ))
        self._is_any_worse = True

    def flags(self) -> int:
        """Serve the verdicts of observations, and tell the stream where alerts are to be judged anew."""
        notes = Notes(Hdfs(self._settings), self._settings.hdfs_root)
        made = checkpointed(alive(self._settings, verdict_rows(self._rows)))
        self._is_any_worse = not made.isEmpty()
        served = checkpointed(served_verdicts(self._settings, self._spans))
        differing = checkpointed(verdict_differences(made, served))
        notes.draft(_changed(self._rows, differing))
        written = self._write(verdict_writes(differing, made, served, self._write_time), OBSERVATIONS_BY_STATION)
        notes.lay_out()
        return written

    def panes(self) -> int:
        """Serve the panes that verdicts alter."""
        served = checkpointed(served_panes(self._settings, self._spans))
        if self._is_nothing(served):
            return 0
        made = checkpointed(alive(self._settings, judged_panes(self._rows, checkpointed)))
        differing = judged_pane_differences(by_pane(made), served)
        return self._write(pane_writes(differing, made, served, self._write_time), SUMMARIES_BY_STATION)

    def values(self) -> int:
        """Serve the flags of the stations' latest values, of whatever day these are."""
        stations = checkpointed(self._rows.select("region", "station_id").distinct())
        served = checkpointed(served_values(self._settings, stations))
        if self._is_nothing(served):
            return 0
        latest = checkpointed(latest_values(self._settings, stations))
        of_days = self._with_verdicts(_days(latest.select(F.to_date("observed_at"))))
        of_values = of_days.join(latest.select(*KEY).distinct(), list(KEY), "left_semi")
        made = checkpointed(judged_values(latest, verdict_rows(of_values)))
        differing = value_differences(made, served)
        return self._write(value_writes(differing, made, served, self._write_time), LATEST_BY_REGION)

    def _is_nothing(self, served: DataFrame) -> bool:
        """Whether no flag is made worse and nothing of the kind stands: mostly so, and quicker seen than compared."""
        return not self._is_any_worse and served.isEmpty()

    def _with_verdicts(self, days: Sequence[date]) -> DataFrame:
        curated, verdicts = (
            read_table(self._spark, self._settings, table).where(within_days(table, days))
            for table in (CURATED_OBSERVATIONS, CURATED_VERDICTS)
        )
        return with_verdict(curated, verdicts)

    def _write(self, rows: DataFrame, table: ServingTable) -> int:
        return planned_write(rows, self._settings, table.of_verdicts())()


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


def _days(dates: DataFrame) -> list[date]:
    return sorted(row[0] for row in dates.distinct().collect())


def _changed(rows: DataFrame, differing: DataFrame) -> list[Changed]:
    """What alerts are judged anew for; few, as verdicts are."""
    of_day = ("station_id", "region", "observed_date")
    times = [F.unix_seconds(of("observed_at")) for of in (F.min, F.max)]
    found = rows.join(differing.select(*KEY), list(KEY), "left_semi").groupBy(*of_day).agg(*times).collect()
    return [Changed(row[0], row[1], *(datetime.fromtimestamp(second, UTC) for second in row[3:])) for row in found]
