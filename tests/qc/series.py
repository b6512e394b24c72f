"""Rows of curated.observations as levels 2 and 3 see them, each written as the members that matter."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T

from weahouse.qc.level1 import judge
from weahouse.qc.masks import TESTS
from weahouse.qc.rules import Rules, load_rules
from weahouse.qc.verdicts import verdicts
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_STATION_TRUST
from weahouse.schemas.fields import VARIABLES
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import to_spark
from weahouse.streaming.checkpointed import checkpointed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, Row, SparkSession

Reading = dict[str, Any]
START = datetime(2024, 5, 2, 12, tzinfo=UTC)
# Thresholds are published with one decimal; a value this far off a limit is on its other side and nothing else.
NUDGE = 1e-3
# Of mean earth radius, along a meridian.
DEGREES_PER_KM = 360 / (2 * 3.141592653589793 * 6371.009)


def moment(minute: float) -> datetime:
    """So many minutes after START, to the second."""
    return START + timedelta(seconds=round(minute * 60))


def reading(station: str, minute: float, region: str = "us-ca", **values: float | None) -> Reading:
    """A row of a station; values that are left out are missing."""
    return {"station_id": station, "minute": minute, "region": region} | values


class Cases:
    """Series that are judged together, each at a station of its own."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self._count = 0

    def add(self, series: Iterable[tuple[float, dict[str, float | None]]], **others: Any) -> str:
        """A series of (minute, values), with other columns that all its rows have; returns its station."""
        self._count += 1
        name = others.pop("station_id", f"s{self._count}")
        self.readings += [reading(name, minute, **values) | others for minute, values in series]
        return name


def context(spark: SparkSession, readings: Iterable[Reading], rules: Rules | None = None) -> DataFrame:
    """The readings as level 1 leaves them in curated.observations; `revision` 0 unless a reading has one."""
    whole = to_spark(CURATED_OBSERVATIONS)
    given = [name for name in whole.names if name in VARIABLES or name in _GIVEN]
    schema = T.StructType([whole[name] for name in given])
    rows = []
    for one in readings:
        at = moment(one["minute"])
        row = {"observed_at": at, "observed_date": at.date(), "ingested_at": at + timedelta(seconds=5)}
        row |= {"kafka_partition": 0, "kafka_offset": 7, "payload_hash": 0, "revision": 0} | one
        rows.append(tuple(row.get(name) for name in given))
    judged = judge(spark.createDataFrame(rows, schema), rules or load_rules())
    return judged.select(*[name for name in CURATED_OBSERVATIONS.columns if name in judged.columns]).localCheckpoint()


_GIVEN = {
    "station_id", "observed_at", "observed_date", "ingested_at", "kafka_partition", "kafka_offset", "payload_hash",
    "revision", "region",
}  # fmt: skip


def station(name: str, north_km: float = 0.0, *, elevation_m: float | None = 100.0, region: str = "us-ca") -> Reading:
    """A row of gold.stations, so far north of 40 N 100 W."""
    latitude = 40.0 + north_km * DEGREES_PER_KM
    place = {"latitude_deg": latitude, "longitude_deg": -100.0, "elevation_m": elevation_m}
    return {"station_id": name, "region": region, "registry": "isd"} | place


def stations_table(spark: SparkSession, rows: Iterable[Reading]) -> DataFrame:
    schema = to_spark(GOLD_STATIONS)
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)


def trust_table(spark: SparkSession, rows: Iterable[tuple[str, str, date, bool]]) -> DataFrame:
    """Rows of curated.station_trust as (station, variable, day, is_trusted)."""
    told = [(station, variable, day, 100, 0, trusted) for station, variable, day, trusted in rows]
    return spark.createDataFrame(told, to_spark(CURATED_STATION_TRUST))


def judged(
    spark: SparkSession,
    readings: Iterable[Reading],
    stations: Iterable[Reading] = (),
    trust: Iterable[tuple[str, str, date, bool]] = (),
    rules: Rules | None = None,
) -> dict[tuple[str, float], Row]:
    """The verdicts by station and minute."""
    rows = context(spark, readings, rules)
    tables = stations_table(spark, stations), trust_table(spark, trust)
    found = verdicts(rows, *tables, rules or load_rules(), checkpointed)
    return {(row["station_id"], _minute(row["observed_at"])): row for row in found.collect()}


def _minute(at: datetime) -> float:
    return (at.replace(tzinfo=UTC) - START).total_seconds() / 60


def named(mask: int) -> set[str]:
    """The tests of a mask."""
    return {test for bit, test in enumerate(TESTS) if mask >> bit & 1}
