"""From hours of Gold on HDFS to a forecast in Cassandra, with the jobs as Airflow runs them."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tests.batch.conftest import write_hours
from tests.integration.apart import Apart, apart
from tests.ml.world import DAYS, STATIONS, at, world

from weahouse.orchestration.spark_submit import spark_environment, spark_submit_command
from weahouse.settings import Settings

NOON = at(50 * 24 + 12)


def run(settings: Settings, app: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code of an application and the JSON object that it prints last."""
    command = spark_submit_command(settings, app, *arguments)
    done = subprocess.run(command, env=spark_environment(settings), capture_output=True, text=True, check=False)
    assert done.stdout.strip(), done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def trained(spark: SparkSession, platform: Settings) -> Apart:
    stream = apart(platform, "forecasts")
    write_hours(spark, stream.settings, world())
    days = ("--from", "2024-05-01", "--to", f"{at(24 * (DAYS + 1)):%Y-%m-%d}")
    assert run(stream.settings, "build_station_features.py", *days)[0] == 0
    code, told = run(stream.settings, "train_models.py", "--version", "v1")
    assert (code, told["refused"]) == (0, {})
    return stream


def served(stream: Apart, station: str) -> list[dict[str, Any]]:
    return stream.served("SELECT * FROM forecasts_by_station WHERE station_id = ?", station)


def infer(stream: Apart, hours_later: int = 0) -> dict[str, Any]:
    code, told = run(stream.settings, "infer_forecasts.py", f"{NOON + timedelta(hours=hours_later):%Y-%m-%dT%H:%MZ}")
    assert code == 0
    return told


def test_the_latest_forecasts_of_each_station_are_served_whatever_is_made_again(trained: Apart):
    assert infer(trained)["rows_served"] == len(STATIONS) * 5
    before = {station: served(trained, station) for station in STATIONS}
    for rows in before.values():
        assert {(row["predictand"], row["lead_time_h"]) for row in rows} == {
            *(("air_temperature_c", lead) for lead in (1, 3, 6, 24)),
            ("rain_within_3h", 3),
        }
        assert {row["issued_at"] for row in rows} == {NOON.replace(tzinfo=None)}
    infer(trained, hours_later=1)
    after = {station: served(trained, station) for station in STATIONS}
    # An hour that is made again late takes nothing back.
    infer(trained)
    assert {station: served(trained, station) for station in STATIONS} == after != before


def test_forecasts_are_verified_on_the_lake(trained: Apart):
    infer(trained)
    code, told = run(
        trained.settings, "verify_forecasts.py", "--from", "2024-06-20T12:00Z", "--to", "2024-06-21T12:00Z"
    )
    assert code == 0
    assert told["verified"] > 0
    held = trained.lake("SELECT count(*) AS n FROM gold.forecast_verification")
    assert held[0]["n"] == told["verified"]


def test_an_application_that_refuses_says_why_in_one_line(trained: Apart):
    code, told = run(trained.settings, "infer_forecasts.py", "2024-06-20T12:30Z")
    assert (code, set(told)) == (1, {"error"})
    assert "no full hour" in told["error"]
