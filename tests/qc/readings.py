"""Observations as level 1 sees them, each written as the members that matter."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T

from weahouse.qc.level1 import judge
from weahouse.qc.masks import BAD, GOOD, SUSPECT
from weahouse.qc.rules import DEFAULT_RULES, Rules, load_rules
from weahouse.schemas.fields import VARIABLES, flag_of

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, Row, SparkSession
    from tests.modes import Runner

Reading = dict[str, Any]
# Limits are published with one decimal; a value this far off a limit is on its other side and nothing else.
STEP = 1e-6
_SCHEMA = T.StructType(
    [
        T.StructField("n", T.IntegerType()),
        T.StructField("station_id", T.StringType()),
        T.StructField("region", T.StringType()),
        T.StructField("observed_at", T.TimestampType()),
        T.StructField("latitude_deg", T.DoubleType()),
        *[T.StructField(variable, T.DoubleType()) for variable in VARIABLES],
    ]
)
_USUAL = {"station_id": "a", "region": "us-ca", "observed_at": datetime(2024, 5, 1, 12, tzinfo=UTC)}


def table(spark: SparkSession, readings: list[Reading]) -> DataFrame:
    """The readings in their order (`n`); what a reading leaves out is usual or missing."""
    rows = [_USUAL | {"n": n} | reading for n, reading in enumerate(readings)]
    return spark.createDataFrame([tuple(row.get(name) for name in _SCHEMA.names) for row in rows], _SCHEMA)


def judged(spark: SparkSession, mode: Runner, readings: list[Reading], rules: Rules | None = None) -> list[Row]:
    """The readings after level 1, in their order."""
    return mode(table(spark, readings), lambda rows: judge(rows, rules or load_rules())).orderBy("n").collect()


def flags(
    spark: SparkSession, mode: Runner, readings: list[Reading], rules: Rules | None = None
) -> list[tuple[int, ...]]:
    """The flags of the variables that each reading names, in its order."""
    rows = judged(spark, mode, readings, rules)
    named = [[name for name in reading if name in VARIABLES] for reading in readings]
    return [tuple(row[flag_of(name)] for name in names) for row, names in zip(rows, named, strict=True)]


def around(suspect: tuple[float, float], bad: tuple[float, float]) -> list[tuple[float, int]]:
    """Values at, just inside and just outside each limit, with the flags that they deserve."""
    told = []
    for side, outwards in ((0, -STEP), (1, STEP)):
        told += [(suspect[side], GOOD), (suspect[side] - outwards, GOOD)]
        if suspect[side] != bad[side]:
            told += [(suspect[side] + outwards, SUSPECT), (bad[side] - outwards, SUSPECT), (bad[side], SUSPECT)]
        told.append((bad[side] + outwards, BAD))
    return told


def rules_with(folder: Path, overrides: str) -> Rules:
    """The default rules with other overrides, given as the YAML that stands under `overrides:`."""
    head, found, _ = DEFAULT_RULES.read_text().partition("overrides:\n")
    assert found
    file = folder / "rules.yaml"
    file.write_text(f"{head}overrides:\n{overrides}")
    return load_rules(file)
