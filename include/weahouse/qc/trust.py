"""Which variables of which stations are trusted, day by day (MADIS)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from weahouse.qc.columns import has_any, number
from weahouse.qc.masks import TESTS, variables_of
from weahouse.schemas.datasets import CURATED_STATION_TRUST
from weahouse.schemas.fields import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from pyspark.sql import Column, DataFrame

    from weahouse.qc.rules import Rules

DAYS = 7

_OF_A_VARIABLE = ("station_id", "variable")


def station_trust(
    verdicts: DataFrame, held: DataFrame, stations: DataFrame, rules: Rules, days: Sequence[date]
) -> DataFrame:
    """The trust of each of some days, which follows from the DAYS that end with it; shaped as CURATED_STATION_TRUST.

    `verdicts` are rows of curated.verdicts and `held` of curated.station_trust, of which only the days that matter are
    read: of `held` those before a day of `days` that are not among them. `stations` are rows of gold.stations, for
    overrides by region. A check is one value that a test looked at which accuses its variable alone: where variables
    contradict each other, it is unknown which of them to distrust. Without checks trust stays as it was, and what was
    trusted then has no row.
    """
    checks = _checks(verdicts, days)
    firsts = [day for day in days if day - timedelta(days=1) not in days]
    was = _was_trusted(held, firsts)
    of_days = verdicts.sparkSession.createDataFrame([(day,) for day in days], "observed_date date")
    each = checks.select(*_OF_A_VARIABLE).unionByName(was.select(*_OF_A_VARIABLE)).distinct()
    known = (
        each.crossJoin(F.broadcast(of_days))
        .join(checks, [*_OF_A_VARIABLE, "observed_date"], "left")
        .join(was, [*_OF_A_VARIABLE, "observed_date"], "left")
        .join(F.broadcast(stations.select("station_id", "region")), "station_id", "left")
        .withColumns({name: F.coalesce(name, F.lit(0).cast("bigint")) for name in ("checks_applied", "checks_failed")})
    )
    # The share that neither takes nor gives trust leaves what the last day with a word on it said.
    before = Window.partitionBy(*_OF_A_VARIABLE).orderBy("observed_date")
    kept = F.when(F.col("observed_date").isin(firsts), F.coalesce("was_trusted", F.lit(True)))
    is_trusted = F.last(F.coalesce(_decided(rules), kept), ignorenulls=True).over(before)
    judged = known.withColumn("is_trusted", is_trusted).where((F.col("checks_applied") > 0) | ~F.col("is_trusted"))
    return judged.select(*CURATED_STATION_TRUST.columns)


def _decided(rules: Rules) -> Column:
    """Whether a day's checks take trust or give it; null where they do neither, as without checks."""
    above, below = (
        number(rules, name) * F.col("checks_applied") for name in ("distrusted_above_pct", "trusted_below_pct")
    )
    failed = F.col("checks_failed") * 100
    return F.when(failed > above, F.lit(False)).when(failed < below, F.lit(True))


def _was_trusted(held: DataFrame, days: Sequence[date]) -> DataFrame:
    """What held on the day before, per variable and day of `days`."""
    day = F.date_add("observed_date", 1).alias("observed_date")
    rows = held.where(F.col("observed_date").isin([day - timedelta(days=1) for day in days]))
    return rows.select(*_OF_A_VARIABLE, day, F.col("is_trusted").alias("was_trusted"))


def _checks(verdicts: DataFrame, days: Sequence[date]) -> DataFrame:
    """Per station, variable and day how many values of the DAYS before were checked, and failed without excuse."""
    unexcused = F.col("tests_failed").bitwiseAND(F.bitwise_not("tests_excused"))
    counts = []
    for variable in VARIABLES:
        alone = [test for test in TESTS if variables_of(test) == (variable,)]
        applied, failed = F.count_if(has_any(F.col("tests_applied"), alone)), F.count_if(has_any(unexcused, alone))
        counts.append(F.struct(F.lit(variable).alias("variable"), applied.alias("applied"), failed.alias("failed")))
    read = verdicts.where(F.col("observed_date").isin(days_read(days)))
    each = read.groupBy("station_id", "observed_date").agg(F.array(*counts).alias("checks"))
    daily = each.select("station_id", "observed_date", F.inline("checks")).where(F.col("applied") > 0)
    counted_on = F.explode(F.sequence("observed_date", F.date_add("observed_date", DAYS - 1)))
    counted = daily.withColumn("observed_date", counted_on).where(F.col("observed_date").isin(list(days)))
    return counted.groupBy(*_OF_A_VARIABLE, "observed_date").agg(
        F.sum("applied").alias("checks_applied"), F.sum("failed").alias("checks_failed")
    )


def days_read(days: Iterable[date]) -> list[date]:
    """The days whose verdicts the trust of some days follows from, in their order."""
    return sorted({day - timedelta(days=ago) for day in days for ago in range(DAYS)})
