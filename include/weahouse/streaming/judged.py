"""Verdicts as Cassandra serves them: read back, and compared with what `transforms.judged` says must stand there.

Curation writes what differs, so that a run that died is made up for by the next, and the same again writes nothing; the
proof reports it. What stands there for an earlier version of a row is not seen: no reader takes it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.io.cassandra_reader import read_each
from weahouse.io.delta import ensure_table, read_table
from weahouse.io.variable_rows import (
    SELECT_LATEST,
    judged_panes_of,
    judged_values_of,
    select_observations,
    select_panes,
    verdict_of,
)
from weahouse.qc.verdicts import with_verdict
from weahouse.schemas.datasets import CURATED_VERDICTS, KEY, PANE_MINUTES
from weahouse.schemas.fields import VARIABLES, latest_of, pane_of
from weahouse.streaming.checkpointed import checkpointed
from weahouse.transforms.dispositions import differences, pane_differences
from weahouse.transforms.judged import (
    JUDGED_PANE_COLUMNS,
    VALUE_COLUMNS,
    VALUE_KEY,
    VERDICT_COLUMNS,
    by_pane,
    judged_panes,
    judged_values,
    verdict_rows,
)
from weahouse.transforms.panes import window_start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.settings import Settings

    Rows = Iterable[dict[str, Any]]

_VERDICTS = f"{select_observations(['station_id', 'observed_at'])} AND observed_at >= ? AND observed_at < ?"
_PANES = f"{select_panes()} AND window_start >= ? AND window_start < ?"
_VALUES = f"{SELECT_LATEST} WHERE region = ? AND station_id = ?"
# A row that expires while it is compared differs from nothing.
_EXPIRY_MARGIN = timedelta(hours=1)


def compare_verdicts(
    spark: SparkSession, settings: Settings, compared: DataFrame, curated: DataFrame
) -> tuple[int, list[DataFrame]]:
    """How many of the rows of Curated to be `compared` have a verdict, and what is served otherwise of these verdicts.

    The latter of observations, of the panes of their windows and of their stations' latest values, by `difference`.
    """
    ensure_table(spark, settings, CURATED_VERDICTS)
    verdicts = read_table(spark, settings, CURATED_VERDICTS)
    rows = checkpointed(with_verdict(compared, verdicts))
    begin = F.col("observed_date").cast("timestamp")
    whole_day = [begin.alias("begin"), (begin + F.expr("INTERVAL 1 DAY")).alias("end")]
    day = F.col("observed_date").cast("string").alias("day")
    spans = checkpointed(rows.select("station_id", day, *whole_day).distinct())
    of_rows = served_verdicts(settings, spans).join(rows.select(*KEY), list(KEY), "left_semi")
    differing = [
        verdict_differences(checkpointed(verdict_rows(rows)), of_rows),
        _differing_panes(settings, rows, spans, with_verdict(curated, verdicts)),
        _differing_values(settings, rows, with_verdict(curated, verdicts)),
    ]
    return rows.where("verdict IS NOT NULL").count(), [checkpointed(each) for each in differing]


def _differing_panes(settings: Settings, rows: DataFrame, spans: DataFrame, curated: DataFrame) -> DataFrame:
    """Of the windows in which a row lies."""
    start, window = window_start(F.col("observed_at"), PANE_MINUTES), ["station_id", "window_start"]
    touched = checkpointed(rows.select("station_id", "observed_date", start.alias("window_start")).distinct())
    of_windows = curated.withColumn("window_start", start).join(touched, touched.columns, "left_semi")
    made = alive(settings, by_pane(checkpointed(judged_panes(of_windows.drop("window_start"), checkpointed))))
    return judged_pane_differences(
        made, served_panes(settings, spans).join(touched.select(*window), window, "left_semi")
    )


def _differing_values(settings: Settings, rows: DataFrame, curated: DataFrame) -> DataFrame:
    """Of the stations of which a row is."""
    stations = checkpointed(rows.select("region", "station_id").distinct())
    latest = checkpointed(latest_values(settings, stations))
    of_values = curated.join(latest.select(*KEY).distinct(), list(KEY), "left_semi")
    made = judged_values(latest, checkpointed(verdict_rows(of_values)))
    return value_differences(made, served_values(settings, stations))


def served_verdicts(settings: Settings, spans: DataFrame) -> DataFrame:
    """VERDICT_COLUMNS of observations in spans: station_id, day, and the times from `begin` to before `end` on it."""
    return alive(settings, read_each(settings, _VERDICTS, VERDICT_COLUMNS, spans, _verdicts))


def verdict_differences(made: DataFrame, served: DataFrame) -> DataFrame:
    """Where the verdicts of observations are not the same: the key, and `difference`, such as verdict_absent."""
    return _named("verdict", differences(made, served, VERDICT_COLUMNS))


def served_panes(settings: Settings, spans: DataFrame) -> DataFrame:
    """JUDGED_PANE_COLUMNS of the windows that begin in spans."""
    return alive(settings, read_each(settings, _PANES, JUDGED_PANE_COLUMNS, spans, _panes))


def judged_pane_differences(made: DataFrame, served: DataFrame) -> DataFrame:
    """The same of the panes that verdicts alter."""
    return _named("judged_pane", pane_differences(made, served, "judged_version"))


def latest_values(settings: Settings, stations: DataFrame) -> DataFrame:
    """VALUE_COLUMNS of stations, given as region and station_id, as the stream has written them."""
    return read_each(settings, _VALUES, VALUE_COLUMNS, stations, _values)


def served_values(settings: Settings, stations: DataFrame) -> DataFrame:
    """VALUE_COLUMNS of those of which a verdict makes the flag worse."""
    return read_each(settings, _VALUES, VALUE_COLUMNS, stations, _judged_values)


def value_differences(made: DataFrame, served: DataFrame) -> DataFrame:
    """Where these are not the same: VALUE_KEY and `difference`."""
    return _named("judged_value", differences(made, served, VALUE_COLUMNS, VALUE_KEY))


def alive(settings: Settings, rows: DataFrame) -> DataFrame:
    """Rows with a `judged_version` that Cassandra still keeps."""
    if settings.serving_retention_days == 0:
        return rows
    oldest = datetime.now(UTC) - timedelta(days=settings.serving_retention_days) + _EXPIRY_MARGIN
    return rows.where(F.col("judged_version") >= F.lit(int(oldest.timestamp() * 1_000_000)))


def _named(what: str, differing: DataFrame) -> DataFrame:
    return differing.withColumn("difference", F.concat(F.lit(f"{what}_"), "difference"))


def _verdicts(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        if verdict := verdict_of(row):
            yield row | verdict


def _panes(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        panes = judged_panes_of(row)
        for variable in VARIABLES:
            if pane := panes.get(pane_of(variable)):
                yield row | {"variable": variable, "judged_version": row["pane_version"]} | pane._asdict()


def _values(rows: Rows) -> Iterator[dict[str, Any]]:
    return (told for row in rows for told in _by_variable(row, row))


def _judged_values(rows: Rows) -> Iterator[dict[str, Any]]:
    return (told for row in rows for told in _by_variable(row, judged_values_of(row)))


def _by_variable(row: dict[str, Any], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for variable in VARIABLES:
        if value := values.get(latest_of(variable)):
            yield {"region": row["region"], "station_id": row["station_id"], "variable": variable, **value._asdict()}
