from __future__ import annotations

import json
from importlib import util
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F
from tests.rows import event, judged

from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.schemas.fields import MEASUREMENTS, VARIABLES, flag_of
from weahouse.settings import ROOT, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

NAME = CURATED_OBSERVATIONS.name
SUITE = json.loads((ROOT / "expectations/expectations/curated/observations.json").read_text())


def kwargs_of(kind: str) -> dict[str, Any]:
    """The arguments of the suite's expectations of one kind, by column."""
    return {e["kwargs"]["column"]: e["kwargs"] for e in SUITE["expectations"] if e["type"] == kind}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def failures(table: DataFrame, home: Path) -> list[str]:
    spec = util.spec_from_file_location("validate_dataset", ROOT / "spark_apps/validate_dataset.py")
    assert spec is not None
    assert spec.loader is not None
    app = util.module_from_spec(spec)
    spec.loader.exec_module(app)
    # Materialised, as a table is: planning parse and judge anew for each question would be most of the time.
    told: list[str] = app.failures(table.coalesce(1).localCheckpoint(), NAME, Settings(home=home))
    return told


def curated(spark: SparkSession) -> DataFrame:
    """Two judged observations, one with every kind of flag that level 1 gives."""
    events = [
        event(air_temperature_c=12.0, dew_point_c=7.0, wind_speed_mps=3.0, wind_from_direction_deg=270.0),
        event(observed_at="2024-05-01T11:00:00Z", air_temperature_c=-9999.0, dew_point_c=90.0, wind_gust_mps=80.0),
    ]
    return judged(spark, *events)


def test_the_limits_are_those_of_the_dictionary() -> None:
    limits = kwargs_of("expect_column_values_to_be_between")
    told = {variable: (limits[variable]["min_value"], limits[variable]["max_value"]) for variable in VARIABLES}
    assert told == {name: (field.minimum, field.maximum) for name, field in MEASUREMENTS.items()}


def test_the_numbers_for_missing_are_those_of_the_rules() -> None:
    told = {name: tuple(e["value_set"]) for name, e in kwargs_of("expect_column_values_to_not_be_in_set").items()}
    assert told == {name: load_rules().defaults[f"missing.{name}"] for name in VARIABLES}


def test_every_variable_has_its_four_rules() -> None:
    assert set(kwargs_of("expect_column_values_to_not_be_null")) == set(VARIABLES)
    assert set(kwargs_of("expect_column_values_to_be_in_set")) == {*map(flag_of, VARIABLES), "quality_level"}


def test_judged_observations_meet_every_expectation(spark: SparkSession, home: Path) -> None:
    committed = sorted((ROOT / "expectations").rglob("*"))
    assert failures(curated(spark), home) == []
    assert (home / "quality/uncommitted/data_docs/local_site/index.html").exists()
    assert sorted((ROOT / "expectations").rglob("*")) == committed


def test_each_fault_of_a_bad_table_is_found_by_the_name_of_its_expectation(spark: SparkSession, home: Path) -> None:
    good = curated(spark)
    minus = F.lit(-9999.0)
    faults = [
        good,  # A second time, so that no key is unique.
        good.withColumns({"air_temperature_c": minus, "air_temperature_c_flag": F.lit(1).cast("tinyint")}),
        good.withColumns({"wind_gust_mps": F.lit(4.0), "wind_gust_mps_flag": F.lit(7).cast("tinyint")}),
        good.withColumns({"dew_point_c": F.lit(None).cast("double"), "dew_point_c_flag": F.lit(1).cast("tinyint")}),
        good.withColumn("quality_level", F.lit(0).cast("tinyint")),
        good.withColumn("observed_at", F.col("ingested_at") + F.expr("INTERVAL 11 MINUTES")),
        good.withColumn("late_by_s", F.lit(0).cast("bigint")),
    ]
    bad = good
    for fault in faults:
        bad = bad.unionByName(fault)

    found = {line.split(":")[0].removeprefix("FAILED ") for line in failures(bad, home)}

    assert found == {
        "expect_compound_columns_to_be_unique()",
        "expect_column_values_to_not_be_in_set(air_temperature_c)",
        "expect_column_values_to_be_between(air_temperature_c)",
        "expect_column_values_to_be_in_set(wind_gust_mps_flag)",
        "expect_column_values_to_not_be_null(dew_point_c)",
        "expect_column_values_to_be_in_set(quality_level)",
        "unexpected_rows_expectation()",
        "expect_column_values_to_be_between(late_by_s)",
    }


def test_an_empty_table_does_not_pass(spark: SparkSession, home: Path) -> None:
    assert any("The table holds observations." in line for line in failures(curated(spark).limit(0), home))
