"""The verdict of all levels on rows of curated.observations: a pure function of what `weahouse.qc.bounds` says."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc import level2, level3
from weahouse.qc.columns import has_any
from weahouse.qc.masks import BAD, BUDDY_TESTS, GOOD, SUSPECT, TESTS, level_of, variables_of
from weahouse.qc.neighbours import pairs
from weahouse.qc.weather import EXPLAINED_BY_FRONT, EXPLAINED_BY_NEIGHBOURS, explained_by_front, explained_by_neighbours
from weahouse.schemas.datasets import CURATED_VERDICTS, JUDGED_COLUMNS, KEY, VERDICT_VERSION
from weahouse.schemas.fields import FLAGS, VARIABLES, flag_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules


def verdicts(
    context: DataFrame,
    stations: DataFrame,
    trust: DataFrame,
    rules: Rules,
    keep: Callable[[DataFrame], DataFrame] = lambda rows: rows,
) -> DataFrame:
    """Judge rows of curated.observations by levels 2 and 3; shaped as CURATED_VERDICTS, one for each row of `context`.

    `stations` are rows of gold.stations, `trust` of curated.station_trust, of which a row's day uses the day before;
    what has no row is trusted. A verdict is right when `context` holds all rows of all stations from CONTEXT_BEFORE to
    CONTEXT_AFTER around it: read that much around the keys that are wanted, and keep the verdicts of these alone.
    The session's time zone must be UTC.

    `keep` is given what is read several times, so that it is computed once and Spark plans it by itself.
    """
    placed = keep(_placed(context, stations, trust))
    rows = keep(level2.judge(placed, rules).withColumn(level3.PANE, level3.pane()))
    told, near = keep(level3.panes(rows)), keep(pairs(stations, rules))
    shared = keep(explained_by_neighbours(rows, told, near, rules))
    judged = level3.judge(rows, told, near, rules).withColumn(EXPLAINED_BY_FRONT, explained_by_front(rules))
    applied = F.col(level2.APPLIED).bitwiseOR(F.col(level3.APPLIED))
    failed = F.col(level2.FAILED).bitwiseOR(F.col(level3.FAILED))
    explained = F.coalesce(EXPLAINED_BY_NEIGHBOURS, F.lit(0)).bitwiseOR(F.col(EXPLAINED_BY_FRONT))
    masked = judged.join(shared, list(KEY), "left").withColumns({"tests_excused": failed.bitwiseAND(explained)})
    counted = failed.bitwiseAND(F.bitwise_not("tests_excused"))
    return (
        masked.withColumn("counted", counted)
        .withColumns(
            {
                "tests_applied": F.col("tests_applied").bitwiseOR(applied),
                "tests_failed": F.col("tests_failed").bitwiseOR(failed),
                "quality_level": F.when(has_any(applied, BUDDY_TESTS), 3).otherwise(2).cast("tinyint"),
                "rules_version": F.lit(rules.version),
                **{flag_of(variable): _flag(variable) for variable in VARIABLES},
            }
        )
        .select(*CURATED_VERDICTS.columns)
    )


def deepened(observations: DataFrame, verdicts: DataFrame) -> DataFrame:
    """Rows of curated.observations with the flags and masks that their verdicts give them, in their own columns.

    A row keeps those of level 1 where there is no verdict yet, or only one of an earlier version of it.
    """
    told = {name: F.coalesce(F.col("verdict")[name], F.col(name)) for name in (*FLAGS, *JUDGED_COLUMNS)}
    return with_verdict(observations, verdicts).withColumns(told).drop("verdict")


def with_verdict(observations: DataFrame, verdicts: DataFrame) -> DataFrame:
    """Rows of curated.observations with `verdict`, a structure of the flags and masks after all levels, beside.

    It is null where there is no verdict yet, or only one of an earlier version of the row.
    """
    said = verdicts.select(*KEY, F.struct(*VERDICT_VERSION, *FLAGS, *JUDGED_COLUMNS).alias("verdict"))
    is_of_it = reduce(and_, [F.col("verdict")[name] == F.col(name) for name in VERDICT_VERSION])
    joined = observations.join(said, list(KEY), "left")
    return joined.withColumn("verdict", F.when(is_of_it, F.col("verdict")))


def _placed(context: DataFrame, stations: DataFrame, trust: DataFrame) -> DataFrame:
    """Rows with the region of the registry, where it knows the station, and with what is distrusted on their day."""
    known = F.broadcast(stations.select("station_id", F.col("region").alias("registered_region")))
    bit = F.lit(0).cast("bigint")
    for place, variable in enumerate(VARIABLES):
        bit = F.when(F.col("variable") == variable, F.lit(1 << place).cast("bigint")).otherwise(bit)
    distrusted = (
        trust.where(~F.col("is_trusted"))
        .groupBy("station_id", F.date_add("observed_date", 1).alias("observed_date"))
        .agg(F.bit_or(bit).alias(level3.DISTRUSTED))
    )
    joined = context.join(known, "station_id", "left").join(
        F.broadcast(distrusted), ["station_id", "observed_date"], "left"
    )
    return joined.withColumns(
        {
            "region": F.coalesce("registered_region", "region"),
            level3.DISTRUSTED: F.coalesce(level3.DISTRUSTED, F.lit(0).cast("bigint")),
        }
    ).drop("registered_region")


def _flag(variable: str) -> Column:
    """The worse of what level 1 said and what the tests of levels 2 and 3 say that count."""
    tests = [test for test in TESTS if level_of(test) > 1 and variable in variables_of(test)]
    counted = F.col("counted")
    is_bad = has_any(counted.bitwiseAND(F.col(level2.BAD_STEPS)), tests)
    deeper = F.when(is_bad, BAD).when(has_any(counted, tests), SUSPECT).otherwise(GOOD)
    return F.greatest(F.col(flag_of(variable)), deeper.cast("tinyint"))
