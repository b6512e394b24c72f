"""A station's real year, judged and summarised, against plain SQL over the file's distinct lines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tests import isd_sql
from tests.rows import LATENESS, records
from tests.windows import equal

from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.sources import isd
from weahouse.sources.records import Record
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parse import observations, parse
from weahouse.transforms.summaries import daily

# New York La Guardia: its lines are in the file twice, and it has frost, calms and holes.
STATION, YEAR = "725030:14732", "2010"


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    return [line for line in isd_sql.lines() if line[:2] == [STATION, YEAR]]


@pytest.fixture(scope="module")
def judged(
    spark: SparkSession, lines: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DataFrame]:
    """The year as Curated has it."""
    part = Path(tmp_path_factory.mktemp("isd")) / "year.csv"
    part.write_text("".join(f"{','.join(line)}\n" for line in lines))
    sent = [record.value for record in isd.read(part) if isinstance(record, Record)]
    newest = newest_of_each_key(observations(parse(records(spark, *sent)), LATENESS))
    rows = judge(newest, load_rules()).withColumn("revision", F.lit(0)).persist()
    yield rows
    rows.unpersist()


@pytest.fixture(scope="module")
def told(judged: DataFrame) -> dict[date, Any]:
    return {row["observed_date"]: row for row in daily(judged).collect()}


@pytest.fixture(scope="module")
def bad(judged: DataFrame) -> list[isd_sql.Bad]:
    return isd_sql.bad_values(judged)


@pytest.fixture(scope="module")
def database(lines: list[list[str]], bad: list[isd_sql.Bad]) -> sqlite3.Connection:
    return isd_sql.database(lines, bad)


def test_the_year_has_each_report_twice_and_few_bad_values(lines, bad, database):
    [(distinct,)] = database.execute("SELECT count(*) FROM (SELECT DISTINCT * FROM lines)")
    assert (len(lines), distinct) == (17_510, 8_755)
    assert len(bad) < 10


@pytest.mark.parametrize("variable", isd_sql.SUMMARISED)
def test_a_days_high_low_and_mean_are_those_of_plain_sql(variable: str, told: dict[date, Any], database):
    found = isd_sql.days(database, variable)
    assert len(found) == len(told) == 365
    for (_, day), (count, *numbers) in found.items():
        row = told[date.fromisoformat(day)]
        assert row[f"{variable}_count"] == count, day
        expected = [value if value is None else equal(value) for value in numbers]
        assert [row[f"{variable}_{name}"] for name in ("min", "max", "mean")] == expected, day
