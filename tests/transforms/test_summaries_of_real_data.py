"""A station's real year, judged and summarised, against plain SQL over the file's distinct lines."""

from __future__ import annotations

import csv
import gzip
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tests.rows import LATENESS, records
from tests.windows import equal

from weahouse.qc.level1 import BAD, judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.fields import VARIABLES, flag_of
from weahouse.settings import ROOT
from weahouse.sources import isd
from weahouse.sources.records import Record
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parse import observations, parse
from weahouse.transforms.summaries import daily

FILE = ROOT / "data" / "isd-hourly-us5-2008-2014.csv.gz"
# New York La Guardia: its lines are in the file twice, and it has frost, calms and holes.
STATION, YEAR = "725030:14732", "2010"
COLUMNS = ("station", "year", "month", "day", "hour", "t", "dew", "p", "d", "v", "sky", "rain_1h", "rain_6h")
# What the source writes for missing is told in docs/sources.md.
SQL = """
WITH reports AS (SELECT DISTINCT * FROM lines),
told AS (
    SELECT
        year || '-' || month || '-' || day AS day,
        year || '-' || month || '-' || day || 'T' || hour AS at,
        CASE WHEN NOT (t = 0 AND (dew = 999.9 OR dew > 0)) THEN t END AS air_temperature_c,
        CASE WHEN dew <> 999.9 THEN dew END AS dew_point_c,
        CASE WHEN p <> 0 THEN p END AS air_pressure_at_sea_level_hpa,
        CASE WHEN v <> 0 OR (d = 0 AND NOT (t = 0 AND dew = 999.9)) THEN v END AS wind_speed_mps,
        CASE WHEN rain_1h < 0 THEN 0 ELSE rain_1h * 10 END AS precipitation_mm
    FROM reports
)
SELECT day, count(value), min(value), max(value), avg(value)
FROM (SELECT day, at, {variable} AS value FROM told)
WHERE at NOT IN (SELECT at FROM bad WHERE variable = '{variable}')
GROUP BY day
"""


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    with gzip.open(FILE, "rt") as file:
        return [row for row in csv.reader(file) if row[:2] == [STATION, YEAR]]


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
def bad(judged: DataFrame) -> list[tuple[str, str]]:
    """Hour and variable of each value that is flagged bad."""
    rows = judged.select("observed_at", *[flag_of(variable) for variable in VARIABLES]).collect()
    return [
        (f"{row['observed_at']:%Y-%m-%dT%H}", variable)
        for row in rows
        for variable in VARIABLES
        if row[flag_of(variable)] == BAD
    ]


@pytest.fixture(scope="module")
def database(lines: list[list[str]], bad: list[tuple[str, str]]) -> sqlite3.Connection:
    found = sqlite3.connect(":memory:")
    columns = [f"{name} TEXT" for name in COLUMNS[:5]] + [f"{name} REAL" for name in COLUMNS[5:]]
    found.execute(f"CREATE TABLE lines ({', '.join(columns)})")
    found.executemany(f"INSERT INTO lines VALUES ({', '.join('?' * len(COLUMNS))})", lines)
    found.execute("CREATE TABLE bad (at TEXT, variable TEXT)")
    found.executemany("INSERT INTO bad VALUES (?, ?)", bad)
    return found


def test_the_year_has_each_report_twice_and_few_bad_values(lines, bad, database):
    [(distinct,)] = database.execute("SELECT count(*) FROM (SELECT DISTINCT * FROM lines)")
    assert (len(lines), distinct) == (17_510, 8_755)
    assert len(bad) < 10


@pytest.mark.parametrize(
    "variable",
    ["air_temperature_c", "dew_point_c", "air_pressure_at_sea_level_hpa", "wind_speed_mps", "precipitation_mm"],
)
def test_a_days_high_low_and_mean_are_those_of_plain_sql(variable: str, told: dict[date, Any], database):
    found = database.execute(SQL.format(variable=variable)).fetchall()
    assert len(found) == len(told) == 365
    for day, count, low, high, mean in found:
        row = told[date.fromisoformat(day)]
        assert row[f"{variable}_count"] == count, day
        expected = [value if value is None else equal(value) for value in (low, high, mean)]
        assert [row[f"{variable}_{name}"] for name in ("min", "max", "mean")] == expected, day
