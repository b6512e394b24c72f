"""Rows of the serving tables, each with the version that decides which write wins, and its way of writing.

A version depends on the record alone, never on a clock, so a replayed batch writes what stands there already.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.masks import MISSING, TESTS
from weahouse.schemas.fields import FIELDS, VARIABLES, flag_of, latest_of, pane_of
from weahouse.schemas.serving_tables import (
    DELETE,
    FORECASTS_BY_STATION,
    INSERT,
    LATEST_BY_REGION,
    LATEST_VALUE,
    OBSERVATIONS_BY_STATION,
    OVERWRITE,
    SUMMARIES_BY_STATION,
)
from weahouse.transforms.changes import NEW

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from weahouse.schemas.kinds import ServingTable

# Within one millisecond, the unit of append times, and within one second, that of observations, the revision tells
# which of two writes is the later. Without it they would tie, and Cassandra keeps the greater value of each column.
_REVISIONS_PER_MS = 1_000
_REVISION_BITS = 20
# Before any observation that is accepted, so that versions are positive.
_FIRST_S = -2_208_988_800
# Of a forecast's version: a million commits of the registry and four million of the features, while the hours since
# 1900 still have room until 2139.
_REGISTRY_BITS, _FEATURES_BITS = 20, 22


def observation_rows(changed: DataFrame) -> DataFrame:
    """`observations_by_station` rows of classified observations; a first write leaves missing values unset.

    Where records contradict each other it is not certain to be the first: a driver that died may have written one.
    """
    rows = changed.withColumn("day", F.col("observed_date")).withColumn("version", row_version())
    is_first = (F.col("change") == NEW) & ~F.col("contested")
    mode = F.when(is_first, INSERT).otherwise(OVERWRITE)
    return shaped(rows.withColumn("write_mode", mode), OBSERVATIONS_BY_STATION)


def latest_rows(changed: DataFrame) -> DataFrame:
    """`latest_by_region` rows: of each reading that is the newest of some variable, what it tells of those.

    A value that was withdrawn is told as missing. Cassandra keeps the newest of each column by itself.
    """
    # By day too, as a batch is placed, so that nothing moves.
    limits = changed.groupBy("station_id", "observed_date").agg(*_newest_at()).hint("shuffle_hash")
    joined = changed.join(limits, ["station_id", "observed_date"])
    values = {latest_of(variable): _latest(variable) for variable in VARIABLES}
    rows = joined.withColumns(values).where(F.coalesce(*[F.col(name) for name in values]).isNotNull())
    version = F.shiftleft(F.unix_seconds("observed_at") - _FIRST_S, _REVISION_BITS) + F.col("revision")
    return shaped(rows.withColumns({"version": version, "write_mode": F.lit(INSERT)}), LATEST_BY_REGION)


# Columns are built once: each costs several calls into the JVM, and every micro-batch needs the same ones.
@cache
def _told_at(variable: str) -> Column:
    """When a row tells of a variable: it has a value, or withdraws the one that there was; else null."""
    is_withdrawn = F.col("was_present").bitwiseAND(F.lit(1 << TESTS.index(f"range:{variable}"))) != 0
    return F.when((F.col(flag_of(variable)) != MISSING) | is_withdrawn, F.col("observed_at"))


@cache
def _newest_at() -> list[Column]:
    return [F.max(_told_at(variable)).alias(f"{variable}_newest_at") for variable in VARIABLES]


@cache
def _latest(variable: str) -> Column:
    of = {"measured_value": F.col(variable), "flag": F.col(flag_of(variable))}
    told = F.struct(*[of.get(name, for_driver(name)).alias(name) for name in LATEST_VALUE.columns])
    return F.when(_told_at(variable) == F.col(f"{variable}_newest_at"), told)


def summary_rows(windows: DataFrame) -> DataFrame:
    """`summaries_by_station` rows of windows as `panes.windows` makes them, with `replaced`.

    Only where something was replaced can a pane have lost its last value: there it is removed, and with the last pane
    the row. Elsewhere what has no value is left unset, for a tombstone would be read with every day.
    """
    panes = {pane_of(variable): _pane(variable) for variable in VARIABLES}
    is_empty = F.coalesce(*[F.col(name) for name in panes]).isNull()
    mode = F.when(is_empty, DELETE).when(F.col("replaced"), OVERWRITE).otherwise(INSERT)
    rows = windows.withColumns(panes).where(~is_empty | F.col("replaced"))
    version = window_version()
    told = {"version": version, "pane_version": version, "write_mode": mode, "ingested_at": F.col("newest_ingested_at")}
    return shaped(rows.withColumns(told), SUMMARIES_BY_STATION)


@cache
def _pane(variable: str) -> Column:
    return F.when(F.col(f"{variable}.value_count") > 0, F.col(variable))


def forecast_rows(forecasts: DataFrame, registry_version: int, features_version: int) -> DataFrame:
    """`forecasts_by_station` rows of `gold.forecasts`: a later reference time wins, then what was made of later tables.

    The versions are those of `gold.models` and `gold.station_features` that the forecasts were made with.
    """
    hours = F.floor((F.unix_seconds("issued_at") - _FIRST_S) / 3600).cast("bigint")
    tables = (registry_version << _FEATURES_BITS) + features_version
    version = F.shiftleft(hours, _REGISTRY_BITS + _FEATURES_BITS) + F.lit(tables).cast("bigint")
    # A forecast lives as long as an observation that was appended when it was issued.
    row = {"version": version, "write_mode": F.lit(OVERWRITE), "ingested_at": F.col("issued_at")}
    return shaped(forecasts.withColumns(row), FORECASTS_BY_STATION)


def row_version() -> Column:
    """Of a row of curated.observations, with which Cassandra has it."""
    return _version("ingested_at", "revision")


def window_version() -> Column:
    """Of a row of `panes.windows`, with which Cassandra has its panes."""
    return _version("newest_ingested_at", "revisions")


def _version(ingested_at: str, revision: str) -> Column:
    return F.unix_millis(ingested_at) * _REVISIONS_PER_MS + F.least(F.col(revision), F.lit(_REVISIONS_PER_MS - 1))


def shaped(rows: DataFrame, table: ServingTable) -> DataFrame:
    """Rows with the columns of a table, write_mode, version and ingested_at, as the writer takes them."""
    return rows.select(*_shape(table))


@cache
def _shape(table: ServingTable) -> list[Column]:
    columns = [for_driver(name).alias(name) for name in table.columns]
    return [*columns, F.col("write_mode"), F.col("version"), F.unix_seconds("ingested_at").alias("ingested_at_s")]


def for_driver(name: str) -> Column:
    """The C++ driver takes times as fractional and dates as whole seconds since the epoch."""
    if FIELDS[name].type == "timestamp":
        # A tenth of a millisecond more: the driver cuts to milliseconds, and a double may lie just below the whole one.
        return F.unix_millis(name) / 1000 + F.lit(0.0001)
    if FIELDS[name].type == "date":
        return F.unix_date(name).cast("bigint") * 86400
    return F.col(name)
