"""A threshold is a station's if it has its own, else its region's, else the default."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import SparkSession
from tests.modes import Runner, as_batch
from tests.qc.readings import STEP, around, flags, rules_with

from weahouse.qc.limits import Range
from weahouse.qc.masks import BAD, GOOD, MISSING, SUSPECT
from weahouse.qc.rules import DEFAULT_RULES, load_rules

WINTER = datetime(2024, 1, 15, tzinfo=UTC)

PEAK = """\
  regions:
    us-co:
      range:
        air_temperature_c: {suspect: [-40, 38], bad: [-50, 45]}
        air_pressure_hpa: {suspect: [600, 880]}
      reporting_interval_min: 5
      humidity_tolerance_pct: 8
  stations:
    "724640:93058":
      range:
        air_temperature_c: {suspect: [-35, 42], bad: [-45, 48]}
      missing: {wind_speed_mps: [77.7]}
      reporting_interval_min: 1
      heaviest_rain_mm_per_min: 10
"""
IN_COLORADO = {"region": "us-co"}
PUEBLO = IN_COLORADO | {"station_id": "724640:93058"}


def test_overridden_limits_are_sharp_and_hold_nowhere_else(spark: SparkSession, mode: Runner, tmp_path: Path):
    rules = rules_with(tmp_path, PEAK)
    limits = [
        (IN_COLORADO, "air_temperature_c", ((-40.0, 38.0), (-50.0, 45.0))),
        (PUEBLO, "air_temperature_c", ((-35.0, 42.0), (-45.0, 48.0))),
        ({"region": "us-ca"}, "air_temperature_c", ((-51.1, 54.4), (-80.0, 60.0))),
        # The pair that an override leaves out is the default's; what a station leaves out is its region's.
        (IN_COLORADO, "air_pressure_hpa", ((600.0, 880.0), (500.0, 1100.0))),
        (PUEBLO, "air_pressure_hpa", ((600.0, 880.0), (500.0, 1100.0))),
    ]
    cases = [(where, variable, value, flag) for where, variable, pairs in limits for value, flag in around(*pairs)]
    told = flags(spark, mode, [where | {variable: value} for where, variable, value, _ in cases], rules)
    assert [(case, flag) for case, (flag,) in zip(cases, told, strict=True) if flag != case[3]] == []


def test_an_overridden_temperature_is_judged_alike_in_every_season_and_latitude(spark: SparkSession, tmp_path: Path):
    cold = {"air_temperature_c": -37.0, "latitude_deg": 38.3, "observed_at": WINTER}
    readings = [cold, cold | IN_COLORADO, cold | PUEBLO]
    assert flags(spark, as_batch, readings, rules_with(tmp_path, PEAK)) == [(SUSPECT,), (GOOD,), (SUSPECT,)]


def test_an_override_may_bring_zones_of_its_own(spark: SparkSession, tmp_path: Path):
    winter, summer = "{suspect: [-9, 30], bad: [-20, 60]}", "{suspect: [0, 30], bad: [-9, 60]}"
    zone = f"{{up_to_latitude_deg: 90, winter: {winter}, summer: {summer}}}"
    rules = rules_with(
        tmp_path, f"  regions:\n    us-fl:\n      range:\n        air_temperature_c: {{zones: [{zone}]}}\n"
    )
    mild = {"region": "us-fl", "latitude_deg": 27.0, "air_temperature_c": -5.0}
    readings = [mild | {"observed_at": WINTER}, mild, mild | {"latitude_deg": None}]
    assert flags(spark, as_batch, readings, rules) == [(GOOD,), (SUSPECT,), (GOOD,)]


def test_rain_is_suspect_above_forty_millimetres_a_minute_of_the_interval(
    spark: SparkSession, mode: Runner, tmp_path: Path
):
    elsewhere = {"region": "us-ca"}
    # 5 minutes of 40 mm; a station with an interval and a rate of its own; the range alone where nothing is known.
    limits = [(IN_COLORADO, 200.0), (PUEBLO, 10.0), (elsewhere, 1117.6)]
    readings = [where | {"precipitation_mm": limit + step} for where, limit in limits for step in (-STEP, 0.0, STEP)]
    told = flags(spark, mode, readings, rules_with(tmp_path, PEAK))
    assert told == [(GOOD,), (GOOD,), (SUSPECT,)] * 2 + [(GOOD,), (GOOD,), (BAD,)]


def test_a_number_that_means_missing_at_one_station_is_a_value_elsewhere(spark: SparkSession, tmp_path: Path):
    readings = [PUEBLO | {"wind_speed_mps": 77.7}, IN_COLORADO | {"wind_speed_mps": 77.7}]
    readings.append(PUEBLO | {"wind_speed_mps": -9999.0})
    assert flags(spark, as_batch, readings, rules_with(tmp_path, PEAK)) == [(MISSING,), (BAD,), (MISSING,)]


def test_a_variable_may_have_no_number_that_means_missing(spark: SparkSession, tmp_path: Path):
    file = tmp_path / "none.yaml"
    text = DEFAULT_RULES.read_text()
    listed = next(line for line in text.splitlines() if line.startswith("  dew_point_c: [-9999.9"))
    file.write_text(text.replace(listed, "  dew_point_c: []"))
    readings = [{"dew_point_c": -9999.0}, {"dew_point_c": 7.0}]
    assert flags(spark, as_batch, readings, load_rules(file)) == [(BAD,), (GOOD,)]


def test_the_tolerance_of_humidity_can_be_overridden(spark: SparkSession, tmp_path: Path):
    # 20 and 10 degrees imply 52.55 percent.
    reading = {"relative_humidity_pct": 60.0, "air_temperature_c": 20.0, "dew_point_c": 10.0}
    told = flags(spark, as_batch, [reading, reading | IN_COLORADO, reading | PUEBLO], rules_with(tmp_path, PEAK))
    assert told == [(SUSPECT,) * 3, (GOOD,) * 3, (GOOD,) * 3]


def test_the_limits_that_are_told_are_those_that_judge(tmp_path: Path):
    rules = rules_with(tmp_path, PEAK)
    assert rules.range_of("air_temperature_c", 1, 38.3, "724640:93058", "us-co") == Range((-35, 42), (-45, 48))
    assert rules.range_of("air_temperature_c", 1, 38.3, "x", "us-co") == Range((-40, 38), (-50, 45))
    assert rules.range_of("air_temperature_c", 1, 38.3, "x", "us-ca") == Range((-30, 50), (-40, 55))
    assert rules.range_of("precipitation_mm", 1, None, "x", "us-co") == Range((0, 200), (0, 1117.6))
    assert rules.of("reporting_interval_min", "724640:93058", "us-co") == (1.0, "station")
    assert rules.of("humidity_tolerance_pct", "724640:93058", "us-co") == (8.0, "region")
    assert rules.of("missing.dew_point_c", "724640:93058", "us-co")[1] == "default"


def test_stations_with_one_threshold_are_one_case(tmp_path: Path):
    many = "".join(f"    s{n}: {{reporting_interval_min: {1 + n % 2}}}\n" for n in range(500))
    rules = rules_with(tmp_path, f"  stations:\n{many}")
    assert [len(owners) for _, owners, _ in rules.overrides("reporting_interval_min")] == [250, 250]
    assert load_rules().overrides("reporting_interval_min") == []
