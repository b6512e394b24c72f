"""The reads of the live view and of the lake, on what the running stream has written."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.rows import event
from tests.windows import check_span

from weahouse.io import lake
from weahouse.io.stations import stations, upsert_stations
from weahouse.orchestration.spark_submit import spark_environment, spark_submit_command
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.serving.errors import NotServedError
from weahouse.serving.history import features, history, rolling, statistics, summaries
from weahouse.serving.latest import latest, regions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from tests.integration.conftest import Stream

    from weahouse.settings import Settings

STATION, REGION = "reads:1", "us-reads"
# Across a midnight, so that a span touches two partitions.
FIRST = datetime(2024, 3, 1, 22, tzinfo=UTC)
HOURS = 4
ROLLED, UNTIL = "reads:rolled", datetime(2024, 3, 6, 12, 5, tzinfo=UTC)
TIMES = [UNTIL - timedelta(minutes=7 * n) for n in range(220)]
random.Random(4).shuffle(TIMES)


def readings(seed: int, times: list[datetime]) -> list[tuple[str, bytes]]:
    drawn = random.Random(seed)
    return [reading(drawn, at) for at in times]


def reading(drawn: random.Random, at: datetime) -> tuple[str, bytes]:
    members = {
        # Some beyond what can be, and some beyond what is likely.
        "air_temperature_c": drawn.choice([-3.0, 70.0, 55.0]) + drawn.random(),
        "air_pressure_hpa": 1013.25 + drawn.gauss(0, 0.01),
        "wind_speed_mps": drawn.choice([0.0, 2.0, 9.0]),
        "wind_from_direction_deg": drawn.choice([350.0, 10.0, 90.0, ...]),
        "wind_gust_mps": drawn.uniform(9.0, 20.0),
        "precipitation_mm": drawn.choice([0.0, 0.3, ...]),
    }
    return ROLLED, event(station_id=ROLLED, region="us-rolled", observed_at=at.isoformat(), **members)


@pytest.fixture(scope="module")
def told(running: Stream) -> Settings:
    """Four hourly readings of one station, the second with a missing value, the third with a suspect one.

    And half of another's day and night, out of order.
    """
    running.start()
    for hour in range(HOURS):
        members = {"air_temperature_c": 10.0 + hour, "dew_point_c": 14.0 if hour == 2 else 5.0, "wind_speed_mps": 3.0}
        if hour == 1:
            del members["wind_speed_mps"]
        at = (FIRST + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")
        running.send((STATION, event(station_id=STATION, region=REGION, observed_at=at, **members)))
    running.send(*readings(1, TIMES[:110]))
    running.settle()
    return running.settings


def command(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from weahouse.cli import main; main()", *arguments],
        env=os.environ | settings.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def rows_of(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    ran = command(settings, *arguments)
    assert ran.returncode == 0, ran.stderr
    rows: list[dict[str, Any]] = json.loads(ran.stdout)
    return rows


def test_latest_tells_the_newest_value_of_each_variable(told: Settings):
    assert REGION in regions(told)
    (station,) = latest(told, REGION)
    assert (station["station_id"], station["region"]) == (STATION, REGION)
    assert station["observed_at"] == FIRST + timedelta(hours=HOURS - 1)
    assert station["variables"]["air_temperature_c"] | {"observed_at": None} == {
        "value": 13.0,
        "flag": 1,
        "observed_at": None,
    }
    assert station in latest(told)


def test_a_region_that_never_reported_is_answered_with_those_that_did(told: Settings):
    with pytest.raises(NotServedError, match=REGION):
        latest(told, "nowhere")


def test_history_tells_a_span_across_days_oldest_first(told: Settings):
    rows = list(history(told, STATION, FIRST, FIRST + timedelta(hours=HOURS)))
    assert [row["observed_at"] for row in rows] == [FIRST + timedelta(hours=hour) for hour in range(HOURS)]
    assert [row["wind_speed_mps"] for row in rows] == [3.0, None, 3.0, 3.0]
    assert [row["dew_point_c_flag"] for row in rows] == [1, 1, 3, 1]


def test_the_end_of_a_span_is_outside_of_it(told: Settings):
    assert len(list(history(told, STATION, FIRST, FIRST + timedelta(hours=3)))) == 3


def test_an_unknown_station_is_not_an_empty_answer(told: Settings):
    with pytest.raises(NotServedError, match="'nobody' is not known"):
        list(history(told, "nobody", FIRST, FIRST + timedelta(hours=1)))


def test_a_known_station_without_readings_in_the_span_is_an_empty_answer(told: Settings):
    assert list(history(told, STATION, FIRST - timedelta(days=9), FIRST - timedelta(days=8))) == []


def test_panes_merge_to_the_statistics_of_the_span(told: Settings):
    found = statistics(told, STATION, FIRST, FIRST + timedelta(hours=HOURS)).variables
    temperature = found["air_temperature_c"]
    assert (temperature.count, temperature.mean, temperature.minimum, temperature.maximum) == (4, 11.5, 10.0, 13.0)
    assert temperature.stddev == pytest.approx(1.2909944)
    assert found["dew_point_c"].suspect_count == 1


def test_a_rolling_hour_ends_with_the_pane_that_still_fills(told: Settings):
    last = FIRST + timedelta(hours=HOURS - 1)
    assert rolling(told, STATION, 1, last).variables["air_temperature_c"].count == 1
    assert rolling(told, STATION, 1, last + timedelta(minutes=59)).variables["air_temperature_c"].count == 1
    assert rolling(told, STATION, 1, last + timedelta(minutes=60)).variables == {}


@pytest.fixture(scope="module")
def rolled(told: Settings, running: Stream) -> Settings:
    """Then the rest of the other station's readings, which are between and before the first, and corrections."""
    running.send(*readings(2, TIMES[110:] + TIMES[:110:3]))
    running.settle()
    return told


def test_rolling_features_equal_the_same_computed_from_curated(rolled: Settings):
    sql = f"SELECT * FROM curated.observations WHERE station_id = '{ROLLED}'"
    rows = lake.query(rolled, sql).to_pylist()
    assert sum(row["revision"] for row in rows) == 37
    found = features(rolled, ROLLED, UNTIL)
    compared = [check_span(span, rows) for span in found.hours.values()]
    assert compared[2] > compared[1] > compared[0] > 20
    assert found.hours[24].variables["air_temperature_c"].suspect_count > 0
    assert found.pressure_tendency is not None


def test_panes_of_several_days_come_in_the_order_of_time(rolled: Settings):
    start, end = UNTIL - timedelta(days=3), UNTIL + timedelta(days=1)
    rows = list(summaries(rolled, ROLLED, start, end))
    assert rows == sorted(rows, key=lambda row: (row["window_start"], row["variable"]))
    assert len({row["window_start"].date() for row in rows}) == 2
    rain = list(summaries(rolled, ROLLED, start, end, ["precipitation_mm"]))
    assert rain == [row for row in rows if row["variable"] == "precipitation_mm"]


def test_the_commands_for_panes_and_rolling_features_agree(rolled: Settings):
    asked = ["summaries", ROLLED, "--from", "2024-03-06", "--to", "2024-03-07", "--variable", "wind_speed_mps"]
    rows = rows_of(rolled, *asked, "--json")
    lines = list(csv.DictReader(io.StringIO(command(rolled, *asked, "--csv").stdout)))
    assert [line["eastward_sum"] for line in lines] == [str(row["eastward_sum"]) for row in rows]
    assert "wind_speed_mps" in command(rolled, *asked).stdout
    asked = ["rolling", ROLLED, "--at", UNTIL.isoformat()]
    told: Any = rows_of(rolled, *asked, "--json")
    assert told["hours"]["1"]["end"] == "2024-03-06T12:10:00Z"
    last_pane = max(row["window_start"] for row in rows)
    assert told["pressure_tendency"]["window_start"] == last_pane
    shown = command(rolled, *asked).stdout
    assert "resultant" in shown
    assert "in the three hours to 12:00" in shown


def test_a_forked_process_reads_through_a_session_of_its_own(rolled: Settings):
    before = rolling(rolled, ROLLED, 24, UNTIL)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(rolling, (rolled, ROLLED, 24, UNTIL)) == before
    assert rolling(rolled, ROLLED, 24, UNTIL) == before


def test_the_commands_write_json_and_csv_that_agree(told: Settings):
    span = ["--from", "2024-03-01", "--to", "2024-03-03"]
    rows = rows_of(told, "history", STATION, *span, "--json")
    assert rows[0]["observed_at"] == "2024-03-01T22:00:00Z"
    lines = list(csv.DictReader(io.StringIO(command(told, "history", STATION, *span, "--csv").stdout)))
    assert [line["air_temperature_c"] for line in lines] == [str(row["air_temperature_c"]) for row in rows]
    assert lines[1]["wind_speed_mps"] == ""
    assert [row["station_id"] for row in rows_of(told, "latest", "--region", REGION, "--json")] == [STATION]


def test_the_table_shows_flags_units_and_statistics(told: Settings):
    shown = command(told, "history", STATION, "--from", "2024-03-01", "--to", "2024-03-03").stdout
    assert "14.0?" in shown
    assert "°C" in shown
    assert "mean" in shown
    assert "? suspect" in shown


def test_an_error_is_one_sentence_and_an_exit_code(told: Settings):
    ran = command(told, "history", "nobody", "--last", "1h", "--json")
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "station 'nobody' is not known" in ran.stderr


def test_the_lake_answers_by_the_names_of_its_tables(told: Settings):
    sql = f"SELECT count(*) AS n, max(observed_at) AS newest FROM curated.observations WHERE station_id = '{STATION}'"
    assert rows_of(told, "lake", sql, "--json") == [{"n": HOURS, "newest": "2024-03-02T01:00:00Z"}]


def test_counts_from_the_log_are_those_of_the_rows(told: Settings):
    def one(sql: str) -> int:
        return int(lake.query(told, sql).column(0)[0].as_py())

    assert lake.counts(told) == {
        "raw": one("SELECT count(*) FROM raw.observations"),
        "curated": one("SELECT count(station_id) FROM curated.observations"),
        "quarantined": one("SELECT count(*) FROM curated.quarantine"),
        "late": one("SELECT count(late_by_s) FROM curated.observations"),
    }


def test_a_station_that_moves_leaves_its_old_region(running: Stream):
    place = {"station_id": "moved:1", "registry": "isd", "latitude_deg": 1.5}
    assert upsert_stations(running.settings, [place | {"region": "us-old"}]) == 1
    assert upsert_stations(running.settings, [place | {"region": "us-new"}]) == 1
    assert upsert_stations(running.settings, [place | {"region": "us-new"}]) == 0
    rows = running.served(
        "SELECT region, latitude_deg FROM stations_by_region WHERE station_id = ? ALLOW FILTERING", "moved:1"
    )
    assert rows == [{"region": "us-new", "latitude_deg": 1.5}]


def test_an_observed_station_never_replaces_one_of_a_list(platform: Settings):
    upsert_stations(platform, [{"station_id": "listed:1", "region": "us-ca", "registry": "isd"}])
    upsert_stations(platform, [{"station_id": "listed:1", "region": "us-nv", "registry": "observed"}])
    assert stations(platform)["listed:1"]["region"] == "us-ca"


def test_spark_reads_the_registry_that_was_written_without_it(platform: Settings, spark: SparkSession):
    upsert_stations(platform, [{"station_id": "spark:1", "region": "us-ca", "registry": "isd", "elevation_m": 3.0}])
    table = spark.read.format("delta").load(lake.table_uri(platform, GOLD_STATIONS))
    assert table.where("station_id = 'spark:1'").select("region", "elevation_m").first() == ("us-ca", 3.0)


def test_the_real_table_meets_its_expectations(told: Settings):
    # Less than a day: what only whole days can tell is not asked of rows of 2024.
    span = ("--from", "2024-03-01T03:00", "--to", "2024-03-02T02:00")
    ran = subprocess.run(
        spark_submit_command(
            told, "validate_dataset.py", "--dataset", CURATED_OBSERVATIONS.name, *span, master="local[1]"
        ),
        env=os.environ | spark_environment(told),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    answer = json.loads(ran.stdout.splitlines()[-1])
    assert answer["failed"] == 0 < answer["rows"]
