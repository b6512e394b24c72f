"""Rows of `curated.observations`, written as short as they can be read, and a drawn day of them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.qc.masks import BAD, GOOD, MISSING, SUSPECT
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.schemas.render import to_spark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, SparkSession

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
Row = dict[str, Any]

_REST = {
    "station_id": "a",
    "region": "us-ca",
    "kafka_partition": 0,
    "kafka_offset": 0,
    "payload_hash": 0,
    "revision": 0,
    "late_by_s": None,
    "tests_applied": 0,
    "tests_failed": 0,
    "quality_level": 1,
    "rules_version": "none",
}


def observation(at: datetime, **members: Any) -> Row:
    """A row of station `a`; a value is good unless its flag is told."""
    values = {variable: members.get(variable) for variable in VARIABLES}
    flags = {flag_of(variable): MISSING if value is None else GOOD for variable, value in values.items()}
    times = {"observed_at": at, "observed_date": at.date(), "ingested_at": at + MINUTE}
    return _REST | times | values | flags | members


def curated(spark: SparkSession, rows: Iterable[Row]) -> DataFrame:
    """The rows in the table's own schema."""
    return spark.createDataFrame(list(rows), to_spark(CURATED_OBSERVATIONS))


def drawn_day(seed: int) -> list[Row]:
    """25 hours of one-minute reports up to noon: gaps, calms, wind around north, frost, suspect and bad values."""
    drawn = random.Random(seed)
    rows = []
    for minute in range(25 * 60 + 6):
        members: Row = {
            "air_temperature_c": drawn.gauss(-0.5, 4),
            "air_pressure_hpa": 1013.25 + drawn.gauss(0, 0.01),
            "air_pressure_at_sea_level_hpa": 1020.0 + minute / 300,
            "wind_speed_mps": max(0.0, drawn.gauss(3, 3)),
            "wind_from_direction_deg": drawn.gauss(0, 30) % 360,
            "wind_gust_mps": drawn.expovariate(0.1),
            "precipitation_mm": drawn.choice([0.0, 0.0, 0.1, 0.3]),
        }
        for variable in list(members):
            flag = drawn.choices([GOOD, SUSPECT, BAD, MISSING], [7, 1, 1, 1])[0]
            members |= {flag_of(variable): flag, variable: None if flag == MISSING else members[variable]}
        if drawn.random() < 0.9:
            rows.append(observation(NOON - 25 * HOUR + minute * MINUTE, **members))
    return rows
