"""The file of real observations at full speed, in an instance without another source, with kills.

Its last five months before each change, the whole of it in `make test-long`: of a station that reports each hour every
reading has windows of its own, and the stream takes ten minutes for all, two kills among them.
"""

from __future__ import annotations

import csv
import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest
from pyspark.sql import functions as F
from tests import isd_sql
from tests.instance import TEST_SETTINGS
from tests.integration.conftest import Stream, eventually
from tests.windows import equal

from weahouse.batch.aggregation import aggregate
from weahouse.embedded.instance import start_servers, stop_servers
from weahouse.io.cassandra import create_schema
from weahouse.io.delta import read_table
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import ensure_topic
from weahouse.orchestration import driver
from weahouse.qc.level1 import judge
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, RAW_OBSERVATIONS, RECORD_COLUMNS
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES
from weahouse.settings import Settings
from weahouse.streaming.reconciliation import reconcile
from weahouse.streaming.registry import Registry
from weahouse.transforms.newest import newest_of_each_key
from weahouse.transforms.parity import compare
from weahouse.transforms.parse import observations, parse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.timeout(2400)


@dataclass(frozen=True)
class Part:
    """Lines of the file, and the readings of which most are repeated in it."""

    first_year: str
    lines: int
    readings: int

    def told(self) -> list[isd_sql.Line]:
        return [line for line in isd_sql.lines() if line[1] >= self.first_year]


PARTS = [
    pytest.param(Part("2014", 27_259, 19_471), marks=pytest.mark.slow, id="2014"),
    pytest.param(Part("2008", 395_453, 282_470), marks=pytest.mark.long, id="whole"),
]
# A kill is to strike within the load.
BATCHES = 5


@pytest.fixture(scope="module", params=PARTS)
def part(request: pytest.FixtureRequest) -> Part:
    return cast("Part", request.param)


@pytest.fixture(scope="module")
def alone(part: Part) -> Iterator[Stream]:
    """An instance of its own: other tests' readings would be in the counts."""
    settings = replace(
        TEST_SETTINGS,
        home=TEST_SETTINGS.home.with_name(TEST_SETTINGS.home.name + "-whole"),
        port_offset=TEST_SETTINGS.port_offset + 1000,
        # For ever, so that all of Cassandra can be compared.
        serving_retention_days=0,
        max_offsets_per_trigger=part.lines // BATCHES,
    )
    # A run that was broken off may have left its servers and its records.
    stop_servers(settings)
    shutil.rmtree(settings.home, ignore_errors=True)
    start_servers(settings, print, only=("kafka", "cassandra", "namenode", "datanode"))
    ensure_topic(settings)
    create_schema(settings)
    yield Stream(settings)
    driver.stop(settings)
    stop_servers(settings)


def ingest(settings: Settings, lines: Iterable[isd_sql.Line]) -> None:
    file = settings.home / "part.csv.gz"
    with gzip.open(file, "wt", newline="") as told:
        csv.writer(told).writerows(lines)
    command = [sys.executable, "-m", "weahouse.cli", "ingest", str(file), "--format", "isd-hourly", "--speed", "max"]
    subprocess.run(command, env=os.environ | settings.environment(), check=True)


def parity(spark: SparkSession, settings: Settings) -> dict[str, int]:
    """Curated beside what a batch makes of all lines at once: every value, flag and mask of each reading."""
    parsed = parse(read_table(spark, settings, RAW_OBSERVATIONS).select(*RECORD_COLUMNS))
    newest = newest_of_each_key(observations(parsed, settings.lateness))
    judged = judge(Registry(settings, Hdfs(settings)).with_region(newest), load_rules())
    compared = compare(judged, read_table(spark, settings, CURATED_OBSERVATIONS)).agg(
        F.count("*").alias("readings"), F.count_if("is_compared").alias("compared"), F.count("fault").alias("faults")
    )
    (row,) = compared.collect()
    return row.asDict()


def kill(stream: Stream) -> None:
    os.kill(driver.live_pid(stream.settings) or 0, signal.SIGKILL)
    eventually(lambda: driver.live_pid(stream.settings) is None, "the end of the killed driver")
    stream.start()


def test_every_line_is_accounted_for_whatever_kills_the_stream(spark: SparkSession, alone: Stream, part: Part):
    ingest(alone.settings, part.told())
    alone.start()
    eventually(lambda: alone.progress("archive").get("batch_id", -1) >= 0, "the first batch of the archive")
    kill(alone)
    eventually(lambda: alone.progress("observations").get("batch_id", -1) >= 0, "the first batch of observations")
    kill(alone)
    alone.settle()
    assert alone.lake("SELECT count(*) AS n FROM raw.observations") == [{"n": part.lines}]
    told = reconcile(spark, alone.settings, None, None)
    # How many windows that are depends on the windows alone; that none was looked at would prove nothing.
    assert told.pop("compared_panes") > part.readings
    assert told == {
        "offsets": part.lines,
        "curated": part.readings,
        "duplicate": part.lines - part.readings,
        "superseded": 0,
        "quarantined": 0,
        "unaccounted": 0,
        "doubled": 0,
        "compared_cassandra": part.readings,
        "differing_cassandra": 0,
        "differing_panes": 0,
        "compared_verdicts": 0,
        "differing_verdicts": 0,
        "examples": [],
    }
    assert parity(spark, alone.settings) == {"readings": part.readings, "compared": part.readings, "faults": 0}


def test_gold_of_every_day_is_what_plain_sql_says_of_the_file(spark: SparkSession, alone: Stream, part: Part):
    curated = read_table(spark, alone.settings, CURATED_OBSERVATIONS)
    hours = curated.select(F.unix_seconds(F.date_trunc("hour", "observed_at"))).distinct().collect()
    aggregate(spark, alone.settings, [datetime.fromtimestamp(hour, UTC) for (hour,) in hours])
    bad = isd_sql.bad_values(curated)
    # The archive has been through the quality control of NOAA: hardly one of more than a million values is bad.
    assert len(bad) < 100
    rows = read_table(spark, alone.settings, GOLD_DAILY_SUMMARIES).collect()
    told = {(row["station_id"], f"{row['observed_date']}"): row for row in rows}
    database = isd_sql.database(part.told(), bad)
    for variable in isd_sql.SUMMARISED:
        found = isd_sql.days(database, variable)
        assert found.keys() == told.keys()
        for day, (count, *numbers) in found.items():
            row = told[day]
            assert row[f"{variable}_count"] == count, (day, variable)
            expected = [value if value is None else equal(value) for value in numbers]
            assert [row[f"{variable}_{name}"] for name in ("min", "max", "mean")] == expected, (day, variable)
