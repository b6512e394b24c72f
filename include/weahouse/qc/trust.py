"""Which variables of which stations are trusted, day by day (MADIS)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.qc.columns import has_any, number
from weahouse.qc.masks import TESTS, variables_of
from weahouse.schemas.datasets import CURATED_STATION_TRUST
from weahouse.schemas.fields import VARIABLES

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import DataFrame

    from weahouse.qc.rules import Rules

DAYS = 7


def station_trust(verdicts: DataFrame, yesterday: DataFrame, stations: DataFrame, rules: Rules, day: date) -> DataFrame:
    """The trust that follows from the DAYS that end with `day`; shaped as CURATED_STATION_TRUST, rows of `day`.

    `verdicts` are rows of curated.verdicts and `yesterday` of curated.station_trust, of which only the days that matter
    are read; `stations` are rows of gold.stations, for overrides by region. A check is one value that a test looked at
    which accuses its variable alone: where variables contradict each other, it is unknown which of them to distrust.
    Without checks trust stays as it was, and what was trusted then has no row.
    """
    was = yesterday.where(F.col("observed_date") == F.lit(day - timedelta(days=1))).select(
        "station_id", "variable", F.col("is_trusted").alias("was_trusted")
    )
    regions = F.broadcast(stations.select("station_id", "region"))
    both = (
        _checks(verdicts, day).join(was, ["station_id", "variable"], "full_outer").join(regions, "station_id", "left")
    )
    known = both.withColumns(
        {
            "checks_applied": F.coalesce("checks_applied", F.lit(0).cast("bigint")),
            "checks_failed": F.coalesce("checks_failed", F.lit(0).cast("bigint")),
            "was_trusted": F.coalesce("was_trusted", F.lit(True)),
            "observed_date": F.lit(day),
        }
    )
    above, below = (
        number(rules, name) * F.col("checks_applied") for name in ("distrusted_above_pct", "trusted_below_pct")
    )
    failed = F.col("checks_failed") * 100
    stays = (F.col("checks_applied") == 0) & F.col("was_trusted")
    is_trusted = (
        F.when(F.col("checks_applied") == 0, F.col("was_trusted"))
        .when(F.col("was_trusted"), failed <= above)
        .otherwise(failed < below)
    )
    return known.where(~stays).withColumn("is_trusted", is_trusted).select(*CURATED_STATION_TRUST.columns)


def _checks(verdicts: DataFrame, day: date) -> DataFrame:
    """Per station and variable how many values of the days were checked, and how many failed without excuse."""
    first = F.lit(day - timedelta(days=DAYS - 1))
    unexcused = F.col("tests_failed").bitwiseAND(F.bitwise_not("tests_excused"))
    counts = []
    for variable in VARIABLES:
        alone = [test for test in TESTS if variables_of(test) == (variable,)]
        applied, failed = F.count_if(has_any(F.col("tests_applied"), alone)), F.count_if(has_any(unexcused, alone))
        counts.append(
            F.struct(F.lit(variable).alias("variable"), applied.alias("checks_applied"), failed.alias("checks_failed"))
        )
    of_days = verdicts.where(F.col("observed_date").between(first, F.lit(day)))
    each = of_days.groupBy("station_id").agg(F.array(*counts).alias("checks"))
    return each.select("station_id", F.inline("checks")).where(F.col("checks_applied") > 0)
