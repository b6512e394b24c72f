"""Levels 2 and 3 of all rows that a change may alter, and of those that follow from the trust that it takes or gives.

A day's verdicts use the trust of the day before, and trust follows from the verdicts of seven days. So the days are
judged in rounds: what was touched, then the days after those whose trust came out otherwise, until none does. A day
never depends on a later one, so that this ends where judging day by day would.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import functions as F

from weahouse.batch.parts import replace_part, within_days
from weahouse.io.delta import ensure_table, read_table, version_of
from weahouse.qc.bounds import CONTEXT_AFTER, CONTEXT_BEFORE, TOUCHED_AFTER, TOUCHED_BEFORE, touched
from weahouse.qc.trust import DAYS, days_read, station_trust
from weahouse.qc.verdicts import verdicts
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_STATION_TRUST, CURATED_VERDICTS, KEY
from weahouse.schemas.fields import FLAGS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.streaming.checkpointed import checkpointed
from weahouse.streaming.extent import bounds_of, days_in_a_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.batch.writer import Writer
    from weahouse.qc.rules import Rules
    from weahouse.settings import Settings

JOB = "curation"

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_OF_TRUST = list(CURATED_STATION_TRUST.primary_key)


class Judgement(NamedTuple):
    """What came of judging.

    `judged` are the keys of the rows that were judged, with observed_date, None where there are none, and `hours` those
    that hold them; `changed` is how many verdicts are others than before, `deepened` of
    how many of the rows asked for a flag is worse than level 1's. `keep_trust` writes the trust down: call it once
    nothing that follows from it can be lost any more, since the next run does not see again what has changed by then.
    """

    judged: DataFrame | None
    hours: list[datetime]
    changed: int
    deepened: int
    verdicts_version: int
    keep_trust: Callable[[], None]


def judge(
    spark: SparkSession, settings: Settings, keys: DataFrame, curated_version: int, rules: Rules, writer: Writer
) -> Judgement:
    """Judge what new or corrected rows of `keys` (station_id, observed_at) may alter, in curated.verdicts.

    Doing it again writes nothing. Raises FencedError where a newer run has written a table meanwhile.
    """
    for dataset in (CURATED_VERDICTS, CURATED_STATION_TRUST):
        ensure_table(spark, settings, dataset)
    rounds = _Rounds(spark, settings, curated_version, rules, writer)
    keys = checkpointed(keys.select(*KEY))
    rounds.run(keys)
    return Judgement(
        rounds.judged,
        sorted(rounds.hours),
        rounds.changed,
        rounds.deepened(keys),
        version_of(spark, settings, CURATED_VERDICTS),
        rounds.keep_trust,
    )


class _Trust(NamedTuple):
    """The trust that was made of `days` of some stations, and for which it was, as (station_id, observed_date)."""

    rows: DataFrame
    covered: DataFrame
    days: frozenset[date]


class _Rounds:
    """The state of one run: what was judged so far, and the trust that follows and is not written down yet."""

    def __init__(
        self, spark: SparkSession, settings: Settings, curated_version: int, rules: Rules, writer: Writer
    ) -> None:
        self._spark, self._settings, self._rules, self._writer = spark, settings, rules, writer
        self._curated = read_table(spark, settings, CURATED_OBSERVATIONS, curated_version)
        self._stations = read_table(spark, settings, GOLD_STATIONS)
        self._made: _Trust | None = None
        self.judged: DataFrame | None = None
        self.hours: set[datetime] = set()
        self.changed = 0

    def run(self, keys: DataFrame) -> None:
        """Judge until no day's trust comes out otherwise."""
        newest = self._curated.agg(F.max("observed_date")).first()
        last_day = newest[0] if newest else None
        stations, days = keys.select("station_id").distinct(), set[date]()
        while last_day:
            judged = self._judge(keys)
            if judged is not None:
                stations = stations.unionByName(judged.select("station_id")).distinct()
                days |= {day + n * _DAY for day in _dates(judged) for n in range(DAYS)}
            days = {day for day in days if day <= last_day}
            turned = self._remake(stations, sorted(days)) if days else None
            if turned is None:
                return
            # What turned is used on the day after, and stays until checks turn it again, however late they come.
            after = turned.select("station_id", F.date_add("observed_date", 1).alias("observed_date"))
            days = set(days_in_a_row(min(_dates(after)), last_day))
            stations = after.select("station_id").distinct()
            rows = self._curated.where(within_days(CURATED_OBSERVATIONS, sorted(days)))
            keys = checkpointed(rows.join(after, ["station_id", "observed_date"], "left_semi").select(*KEY))

    def _judge(self, changed: DataFrame) -> DataFrame | None:
        """Judge all that changed rows may alter; the keys and days of what was judged, None where that is none."""
        hours = _hours(changed)
        if not hours:
            return None
        spans = [
            (hour - TOUCHED_BEFORE - CONTEXT_BEFORE, hour + _HOUR + TOUCHED_AFTER + CONTEXT_AFTER) for hour in hours
        ]
        context = self._curated.where(bounds_of(spans))
        wanted = checkpointed(
            touched(changed, context, self._stations, self._rules).withColumn("observed_date", F.to_date("observed_at"))
        )
        judged_hours = _hours(wanted)
        days = sorted({hour.date() for hour in judged_hours})
        if not days:
            return None
        trust = self._trust([day - _DAY for day in days])
        fresh = verdicts(context, self._stations, trust, self._rules, checkpointed)
        counts = replace_part(
            fresh.join(wanted, list(KEY), "left_semi"),
            self._settings,
            CURATED_VERDICTS,
            partial(within_days, CURATED_VERDICTS, days),
            self._writer,
            lambda held: held.join(wanted, list(KEY), "left_semi"),
        )
        self.judged = wanted if self.judged is None else self.judged.unionByName(wanted)
        self.changed += counts["written"]
        self.hours |= set(judged_hours)
        return wanted

    def _remake(self, stations: DataFrame, days: Sequence[date]) -> DataFrame | None:
        """Make the trust of some days anew; the rows of which it came out otherwise. None where that is none."""
        rows = read_table(self._spark, self._settings, CURATED_VERDICTS).where(
            within_days(CURATED_VERDICTS, days_read(days))
        )
        held = self._trust([*days, *[day - _DAY for day in days]]).join(stations, "station_id", "left_semi")
        of_stations = rows.join(stations, "station_id", "left_semi")
        made = checkpointed(station_trust(of_stations, held, self._stations, self._rules, days))
        before = held.where(F.col("observed_date").isin(list(days)))
        both = made.select(*_OF_TRUST, F.col("is_trusted").alias("is_now")).join(
            before.select(*_OF_TRUST, F.col("is_trusted").alias("was")), _OF_TRUST, "full_outer"
        )
        # What has no row is trusted.
        turns = F.coalesce("is_now", F.lit(True)) != F.coalesce("was", F.lit(True))
        turned = checkpointed(both.where(turns).select("station_id", "observed_date").distinct())
        found = turned.count()
        self._keep(made, stations, days)
        return turned if found else None

    def _keep(self, made: DataFrame, stations: DataFrame, days: Sequence[date]) -> None:
        dates = self._spark.createDataFrame([(day,) for day in days], "observed_date date")
        covered, all_days = checkpointed(stations.crossJoin(dates)), frozenset(days)
        if self._made is not None:
            kept = self._made.rows.join(covered, ["station_id", "observed_date"], "left_anti")
            made = checkpointed(kept.unionByName(made))
            covered = checkpointed(self._made.covered.unionByName(covered).distinct())
            all_days |= self._made.days
        self._made = _Trust(made, covered, all_days)

    def _trust(self, days: Iterable[date]) -> DataFrame:
        """The trust of some days: as this run made it, else as the table has it."""
        within = within_days(CURATED_STATION_TRUST, sorted(set(days)))
        held = read_table(self._spark, self._settings, CURATED_STATION_TRUST).where(within)
        if self._made is None:
            return held
        kept = held.join(self._made.covered, ["station_id", "observed_date"], "left_anti")
        return kept.unionByName(self._made.rows.where(within))

    def keep_trust(self) -> None:
        """Write down what was made; nothing where nothing differs."""
        if self._made is not None:
            made = self._made
            replace_part(
                made.rows,
                self._settings,
                CURATED_STATION_TRUST,
                partial(within_days, CURATED_STATION_TRUST, sorted(made.days)),
                self._writer,
                lambda held: held.join(made.covered, ["station_id", "observed_date"], "left_semi"),
            )

    def deepened(self, keys: DataFrame) -> int:
        """Of how many rows of `keys` a flag is worse than level 1's."""
        days = sorted({hour.date() for hour in _hours(keys)})
        rows, said = (
            table.where(within_days(dataset, days))
            .join(keys, list(KEY), "left_semi")
            .select(*KEY, F.struct(*FLAGS).alias(name))
            for dataset, table, name in (
                (CURATED_OBSERVATIONS, self._curated, "flags"),
                (CURATED_VERDICTS, read_table(self._spark, self._settings, CURATED_VERDICTS), "verdict"),
            )
        )
        return rows.join(said, list(KEY)).where(F.col("flags") != F.col("verdict")).count()


def _hours(rows: DataFrame) -> list[datetime]:
    """The hours in which rows were observed."""
    second = F.unix_seconds(F.date_trunc("hour", "observed_at"))
    return sorted(datetime.fromtimestamp(row[0], UTC) for row in rows.select(second).distinct().collect())


def _dates(rows: DataFrame) -> list[date]:
    return [row[0] for row in rows.select("observed_date").distinct().collect()]
