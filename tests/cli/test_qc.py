"""`weahouse qc` without any server: what a file holds, and which limits hold where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tests.rows import event
from typer.testing import CliRunner

from weahouse.cli import app
from weahouse.cli.errors import UserError
from weahouse.cli.judging import judge_records, records_table
from weahouse.cli.qc import check
from weahouse.cli.qc import rules as show_rules
from weahouse.qc.rules import DEFAULT_RULES, load_rules
from weahouse.settings import ROOT
from weahouse.sources.stations import Station

NOON = 1714564800.0
SURFRAD_DAY = ROOT / "tests/data/surfrad-alamosa-2016-01-01.dat.gz"
CHICAGO = "725300:94846"


def told(*arguments: str) -> dict:
    answer = CliRunner().invoke(app, ["qc", "rules", *arguments, "--json"])
    assert answer.exit_code == 0, answer.exception
    return json.loads(answer.stdout)


def judged(spark: SparkSession, folder: Path, *values: bytes, latitude: float | None = None) -> dict:
    station = Station(station_id="a", region="us-or", latitude_deg=latitude)  # type: ignore[typeddict-item]
    records = records_table(spark, folder / "records", [(NOON, value) for value in values])
    return judge_records(records, [station], load_rules())


def test_flags_and_tests_of_a_file_are_counted(spark: SparkSession, tmp_path: Path):
    sound = event(air_temperature_c=12.0, dew_point_c=7.0)
    wrong = event(observed_at="2024-05-01T11:00:00Z", air_temperature_c=61.0, dew_point_c=-9999.0)
    odd = event(observed_at="2024-05-01T10:00:00Z", air_temperature_c=12.0, dew_point_c=12.5)
    found = judged(spark, tmp_path, sound, wrong, odd, b"no json", b"no json either")
    assert found["observations"] == 3
    assert found["unreadable"] == {"value is not valid JSON": 2}
    flags = {"good": 1, "not_evaluated": 0, "suspect": 1, "bad": 1, "missing": 0}
    assert found["variables"]["air_temperature_c"] == flags
    assert found["variables"]["dew_point_c"] == flags | {"bad": 0, "missing": 1}
    assert found["tests"]["range:air_temperature_c"] == {"applied": 3, "failed": 1}
    assert found["tests"]["dew_point_above_temperature"] == {"applied": 2, "failed": 1}
    assert found["examples"] == [
        {"test": "range:air_temperature_c", "station_id": "a", "observed_at": "2024-05-01T11:00:00Z",
         "air_temperature_c": 61.0},
        {"test": "dew_point_above_temperature", "station_id": "a", "observed_at": "2024-05-01T10:00:00Z",
         "air_temperature_c": 12.0, "dew_point_c": 12.5},
    ]  # fmt: skip


@pytest.mark.parametrize(("latitude", "suspects"), [(60.0, 1), (40.0, 0), (None, 0)])
def test_a_file_is_judged_with_the_latitudes_of_its_stations(spark: SparkSession, tmp_path: Path, latitude, suspects):
    found = judged(spark, tmp_path, event(air_temperature_c=45.0), latitude=latitude)
    assert found["variables"]["air_temperature_c"]["suspect"] == suspects


def test_check_needs_no_server_and_prints_json_only():
    command = [sys.executable, "-m", "weahouse.cli", "qc", "check", str(SURFRAD_DAY), "--format", "surfrad"]
    done = subprocess.run([*command, "--json", "--limit", "50"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["observations"] == 50
    assert found["variables"]["air_temperature_c"]["good"] == 50
    assert found["rules_version"] == load_rules().version


def test_a_file_that_is_not_there_is_named_before_spark_starts(tmp_path: Path):
    with pytest.raises(UserError, match=r"nowhere\.csv does not exist"):
        check(tmp_path / "nowhere.csv", format="isd-hourly")


def test_the_limits_of_a_listed_station_follow_its_latitude_and_the_season():
    winter, summer = (told(CHICAGO, "--at", day) for day in ("2014-01-06", "2014-07-06"))
    assert (winter["region"], winter["latitude_deg"]) == ("us-il", 41.983)
    assert winter["variables"]["air_temperature_c"]["suspect_outside"] == [-30, 50]
    assert winter["variables"]["air_temperature_c"]["bad_outside"] == [-40, 55]
    assert winter["variables"]["air_temperature_c"]["from"] == "default, winter"
    assert summer["variables"]["air_temperature_c"]["suspect_outside"] == [-20, 50]


def test_a_place_may_be_given_instead_of_a_station():
    south = told("--latitude", "-60", "--region", "aq", "--at", "2014-01-06")
    assert south["variables"]["air_temperature_c"]["suspect_outside"] == [-30, 40]
    nowhere = told("elsewhere")
    assert (nowhere["is_listed"], nowhere["variables"]["air_temperature_c"]["from"]) == (False, "default")
    assert nowhere["variables"]["air_temperature_c"]["suspect_outside"] == [-51.1, 54.4]


def test_limits_tell_whose_they_are(tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    entry = "{us-il: {reporting_interval_min: 5, range: {air_temperature_c: {suspect: [-35, 42]}}}}"
    mine.write_text(DEFAULT_RULES.read_text().replace("  regions: {}", f"  regions: {entry}"))
    found = told(CHICAGO, "--rules", str(mine), "--at", "2014-01-06")
    assert found["reporting_interval_min"] == {"value": 5, "from": "region"}
    assert found["variables"]["precipitation_mm"]["suspect_outside"] == [0, 200]
    assert found["variables"]["air_temperature_c"]["suspect_outside"] == [-35, 42]
    assert found["variables"]["air_temperature_c"]["from"] == "region"


def test_the_limits_of_levels_2_and_3_tell_whose_they_are(tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    regions = "{us-il: {buddy: {air_temperature_c: {radius_km: 40}}, shared_radius_km: 80}}"
    stations = f"{{'{CHICAGO}': {{step: {{air_temperature_c: {{suspect: [[60, 6]]}}}}}}}}"
    text = DEFAULT_RULES.read_text().replace("  regions: {}", f"  regions: {regions}")
    mine.write_text(text.replace("  stations: {}", f"  stations: {stations}"))
    found = told(CHICAGO, "--rules", str(mine))
    assert found["step"]["air_temperature_c"] == {
        "suspect": [[60, 6]],
        "bad": [[60, 19.4], [90, 19.4]],
        "from": "station",
    }
    assert (found["buddy"]["air_temperature_c"]["radius_km"], found["buddy"]["air_temperature_c"]["from"]) == (
        40,
        "region",
    )
    assert found["shared_radius_km"] == {"value": 80, "from": "region"}
    assert found["persistence"]["air_temperature_c"] == {"value": 0.1, "from": "default"}
    assert found["spike"]["dew_point_c"] == {"sigmas": 4, "least_sigma": 1, "from": "default"}


def test_the_table_tells_limits_and_time():
    answer = CliRunner().invoke(app, ["qc", "rules"])
    assert answer.exit_code == 0
    for words in (
        "air_temperature_c",
        "-51.1 .. 54.4",
        "10 minutes ahead",
        "give a station or --latitude",
        "1: 3, 60: 4",
        "spike",
    ):
        assert words in answer.stdout


def test_rules_that_cannot_be_meant_end_in_one_sentence(tmp_path: Path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(DEFAULT_RULES.read_text().replace("[-67.8, 32.2]", "[32.2, -67.8]"))
    with pytest.raises(UserError, match=r"wrong\.yaml: range\.dew_point_c\.suspect must be \[low, high\]"):
        show_rules(rules=wrong)


def test_a_name_that_cannot_be_a_station_is_refused():
    with pytest.raises(UserError, match="'a b' is no station id"):
        show_rules("a b")
