"""What Cassandra's columns of verdicts hold: something only where levels 2 and 3 have made a flag worse.

Rows come from `qc.verdicts.with_verdict`. Each thing that is judged is named by the version with which the stream has
written it, `judged_version`, so that what is made here of one state of the tables is never taken for another's.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.schemas.datasets import JUDGED_COLUMNS, KEY, PANE_MINUTES
from weahouse.schemas.fields import FLAGS, VARIABLES, flag_of, latest_of, pane_of
from weahouse.schemas.serving_tables import (
    INSERT,
    JUDGED_PANES,
    LATEST_BY_REGION,
    LATEST_VALUE,
    OBSERVATIONS_BY_STATION,
    OVERWRITE,
    PANE,
    SUMMARIES_BY_STATION,
    VERDICT,
)
from weahouse.transforms.panes import window_start, windows
from weahouse.transforms.served import for_driver, row_version, shaped, window_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import Column, DataFrame

    from weahouse.schemas.kinds import ServingTable

# Of one row each, in these columns.
VERDICT_COLUMNS = (*KEY, *VERDICT.columns)
PANE_KEY = ("station_id", "variable", "window_start")
JUDGED_PANE_COLUMNS = (*PANE_KEY, "judged_version", *PANE.columns)
_WINDOW, _STATION = ("station_id", "window_start"), ("region", "station_id")
VALUE_KEY = (*_STATION, "variable")
VALUE_COLUMNS = (*VALUE_KEY, *LATEST_VALUE.columns)


def verdict_rows(rows: DataFrame) -> DataFrame:
    """The rows of which a flag is made worse: VERDICT_COLUMNS; flags that stay as they are are null."""
    masks = [F.col("verdict")[name].alias(name) for name in JUDGED_COLUMNS]
    flags = [F.when(_is_worse(variable), _deeper(variable)).alias(flag_of(variable)) for variable in VARIABLES]
    return rows.where(_is_altered()).select(*KEY, row_version().alias("judged_version"), *masks, *flags)


def judged_panes(rows: DataFrame, keep: Callable[[DataFrame], DataFrame] = lambda rows: rows) -> DataFrame:
    """One row for each window in which a flag is made worse: station_id, day, window_start and those of JUDGED_PANES.

    Panes of other variables are null. `rows` must hold all of each window. `keep` is given the rows of these windows,
    so that Spark plans their many statistics by themselves.
    """
    start = window_start(F.col("observed_at"), PANE_MINUTES)
    started = rows.withColumn("window_start", start)
    window = ["station_id", "observed_date", "window_start"]
    altered = started.where(_is_altered()).select(*window).distinct()
    of_windows = started.join(altered, window, "left_semi")
    worse = {f"{variable}_is_worse": _is_worse(variable) for variable in VARIABLES}
    laid = of_windows.withColumns(worse).withColumns(
        {flag_of(variable): F.coalesce(_deeper(variable), flag_of(variable)) for variable in VARIABLES}
    )
    told = ["station_id", "observed_date", "observed_at", "ingested_at", "revision", *VARIABLES, *FLAGS, *worse]
    made = windows(keep(laid.select(*told)), PANE_MINUTES, *[F.max(name).alias(name) for name in worse])
    panes = [F.when(F.col(f"{variable}_is_worse"), F.col(variable)).alias(pane_of(variable)) for variable in VARIABLES]
    return made.select("station_id", "day", "window_start", window_version().alias("judged_version"), *panes)


def by_pane(judged: DataFrame) -> DataFrame:
    """`judged_panes` as one row for each pane: JUDGED_PANE_COLUMNS."""
    named = [F.struct(F.lit(v).alias("variable"), F.col(pane_of(v)).alias("pane")) for v in VARIABLES]
    exploded = judged.select("station_id", "window_start", "judged_version", F.explode(F.array(*named)).alias("v"))
    told = exploded.where("v.pane IS NOT NULL").select("*", "v.variable", "v.pane.*")
    return told.select(*JUDGED_PANE_COLUMNS)


def judged_values(latest: DataFrame, verdicts: DataFrame) -> DataFrame:
    """Those latest values of which the flag is made worse, with that flag: VALUE_COLUMNS.

    `latest` has these columns, as the stream has written them; `verdicts` are `verdict_rows`.
    """
    said = F.array(*[F.struct(F.lit(v).alias("variable"), F.col(flag_of(v)).alias("worse")) for v in VARIABLES])
    of_values = verdicts.select(*KEY, _appended_ms().alias("appended_ms"), F.inline(said)).where("worse IS NOT NULL")
    joined = latest.withColumn("appended_ms", F.unix_millis("ingested_at")).join(
        of_values, [*KEY, "appended_ms", "variable"]
    )
    return joined.withColumn("flag", F.col("worse")).select(*VALUE_COLUMNS)


def verdict_writes(differing: DataFrame, made: DataFrame, served: DataFrame, write_time: int) -> DataFrame:
    """What makes the verdicts that `served` has those that were `made`, where they differ: for the writer."""
    told = made.select(*KEY, "judged_version", F.struct(*VERDICT.columns).alias("verdict"))
    rows = _to_write(differing, told, served, KEY).withColumn("day", F.to_date("observed_at"))
    return _written(rows, OBSERVATIONS_BY_STATION, write_time)


def pane_writes(differing: DataFrame, made: DataFrame, served: DataFrame, write_time: int) -> DataFrame:
    """The same of windows; `made` are `judged_panes`, the others have a row for each pane."""
    told = made.select(*_WINDOW, "judged_version", F.struct(*JUDGED_PANES.columns).alias("judged_panes"))
    rows = _to_write(differing, told, served, _WINDOW).withColumn("day", F.to_date("window_start"))
    return _written(rows, SUMMARIES_BY_STATION, write_time)


def value_writes(differing: DataFrame, made: DataFrame, served: DataFrame, write_time: int) -> DataFrame:
    """The same of stations; all have a row for each value."""
    value = F.struct(*[for_driver(name).alias(name) for name in LATEST_VALUE.columns])
    values = [F.max(F.when(F.col("variable") == v, value)).alias(latest_of(v)) for v in VARIABLES]
    # As old as the newest of them: so long it is kept.
    version = (F.max(F.unix_millis("ingested_at")) * 1000).alias("judged_version")
    wide = made.groupBy(*_STATION).agg(version, F.struct(*values).alias("judged_values"))
    rows = _to_write(differing, wide, served.groupBy(*_STATION).agg(version), _STATION)
    return _written(rows, LATEST_BY_REGION, write_time)


def _to_write(differing: DataFrame, made: DataFrame, served: DataFrame, key: Sequence[str]) -> DataFrame:
    """What was made of the keys that differ; null where something stands and nothing was."""
    stands = served.groupBy(*key).agg(F.max("judged_version").alias("served_version"))
    rows = differing.select(*key).distinct().join(made, list(key), "left").join(stands, list(key), "left")
    return rows.withColumn("judged_version", F.coalesce("judged_version", "served_version"))


def _written(rows: DataFrame, table: ServingTable, write_time: int) -> DataFrame:
    mode = F.when(F.col(str(table.judged_by)).isNull(), OVERWRITE).otherwise(INSERT)
    told = {"write_mode": mode, "version": F.lit(write_time), "ingested_at": F.timestamp_millis(_appended_ms())}
    return shaped(rows.withColumns(told), table.of_verdicts())


def _appended_ms() -> Column:
    return F.floor(F.col("judged_version") / 1000).cast("bigint")


def _deeper(variable: str) -> Column:
    return F.col("verdict")[flag_of(variable)]


def _is_worse(variable: str) -> Column:
    return F.coalesce(_deeper(variable) > F.col(flag_of(variable)), F.lit(False))


def _is_altered() -> Column:
    return reduce(or_, map(_is_worse, VARIABLES))
