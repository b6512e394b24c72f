"""Rows for tests, written as short as they can be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.schemas.render import to_spark
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NOON = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
LATENESS = timedelta(hours=6)


def event(**members: Any) -> bytes:
    """An event of station `a` at noon; keyword arguments replace or add members, `...` removes one."""
    whole = {"station_id": "a", "region": "us-ca", "observed_at": "2024-05-01T12:00:00Z"} | members
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def records(
    spark: SparkSession, *values: bytes | None, appended_at: datetime = NOON + timedelta(minutes=1)
) -> DataFrame:
    """Kafka records of partition 0 with offsets from 0, one millisecond apart."""
    rows = [
        (None, value, "weather.observations.v1", 0, offset, appended_at + timedelta(milliseconds=offset), None)
        for offset, value in enumerate(values)
    ]
    return spark.createDataFrame(rows, _record_schema())


def _record_schema() -> Any:
    whole = to_spark(RAW_OBSERVATIONS)
    return type(whole)([whole[name] for name in RECORD_COLUMNS])


@cache
def judged(spark: SparkSession, *values: bytes | None, **when: datetime) -> DataFrame:
    """The values as judged observations, judged once for all tests that name the same."""
    return judge(observations(parse(records(spark, *values, **when)), LATENESS), load_rules()).localCheckpoint()


def reasons(rows: DataFrame) -> list[str | None]:
    return [row["reason"] for row in rows.orderBy("offset").select(F.col("reason")).collect()]
