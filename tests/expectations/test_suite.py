"""Every expectation of every table is met by good rows, and fails by its name on bad ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F
from tests.rows import event, judged, records

from weahouse.batch.checks import check
from weahouse.batch.span import Span, span_of
from weahouse.batch.validation import others, rules_of, show
from weahouse.io.data_docs import site
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import (
    CURATED_GAPS,
    CURATED_INGEST_UNITS,
    CURATED_OBSERVATIONS,
    CURATED_QUARANTINE,
    DATASETS,
    OFFSETS_EXPIRED,
    RAW_OBSERVATIONS,
    TOPIC_RECREATED,
)
from weahouse.schemas.expectations import expectations_of
from weahouse.schemas.fields import EARLIEST_YEAR, MEASUREMENTS, MOST_MINUTES_AHEAD
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import to_spark
from weahouse.settings import ROOT, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.schemas.kinds import Dataset

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = "2024-05-01T12"
AN_HOUR = Span("ingested", NOON, NOON + timedelta(hours=1))
HELD = "expect_table_row_count_to_be_between()"
FRESH = "The newest reading is at most 2 hours older than the end of what is checked: a network reports each hour"
COMPLETE = "Each station has a reading in three quarters of the hours between its first and its last"
STEADY = "The network's daily mean is near that of the week before: within 10 °C, 20 hPa and 6 m/s"
FRESH_RAW = "The newest record was appended at most an hour before the end of what is checked"
READABLE = "At most a twentieth of the records cannot be read: more is a source that writes something else"
# What only days can tell, and tests of days show.
DAYS_RULES = {HELD, FRESH, COMPLETE, STEADY, FRESH_RAW, READABLE}


def failures(table: DataFrame, dataset: Dataset, home: Path, span: Span = AN_HOUR) -> list[str]:
    settings = Settings(home=home)
    expectations = expectations_of(dataset) + rules_of(settings, dataset, span)
    # Materialised, as a table is: planning parse and judge anew for each question would be most of the time.
    return check(table.coalesce(1).localCheckpoint(), dataset, expectations, span, settings).failures


def names(lines: list[str]) -> set[str]:
    """`kind(column)` of each, or the first sentence of a query's description."""
    told = set()
    for line in lines:
        kind, _, rest = line.removeprefix("FAILED ").partition(": ")
        told.add(rest.split(".")[0] if kind == "unexpected_rows_expectation()" else kind)
    return told


def table(spark: SparkSession, dataset: Dataset, *rows: dict[str, Any]) -> DataFrame:
    """Rows of a table; what is not given is missing, also where it must not be."""
    schema = to_spark(dataset)
    for field in schema:
        field.nullable = True
    return spark.createDataFrame([tuple(row.get(name) for name in dataset.columns) for row in rows], schema)


def curated(spark: SparkSession) -> DataFrame:
    """Two judged observations as Curated holds them, one with every kind of flag that level 1 gives."""
    events = [
        event(air_temperature_c=12.0, dew_point_c=7.0, wind_speed_mps=3.0, wind_from_direction_deg=270.0),
        event(observed_at="2024-05-01T11:00:00Z", air_temperature_c=-9999.0, dew_point_c=90.0, wind_gust_mps=80.0),
    ]
    day = F.to_date("observed_at")
    rows = judged(spark, *events).withColumns({"observed_date": day, "revision": F.lit(0)})
    return rows.select(*CURATED_OBSERVATIONS.columns)


def raw(spark: SparkSession) -> DataFrame:
    rows = records(spark, event(), b"no JSON").withColumn("ingest_hour", F.lit(HOUR))
    return rows.select(*RAW_OBSERVATIONS.columns)


def quarantine(spark: SparkSession) -> DataFrame:
    rows = raw(spark).where("offset = 1").withColumn("reason", F.lit("it is no JSON"))
    return rows.select(*CURATED_QUARANTINE.columns)


UNIT = {
    "ingest_hour": HOUR,
    "offsets": '{"0": [0, 2]}',
    "records": 2,
    "quarantined": 1,
    "readings": 1,
    "late": 0,
    "corrected": 0,
    "parity_compared": 1,
    "parity_violations": 0,
    "earliest_observed_at": NOON,
    "latest_observed_at": NOON,
    "touched_hours": [NOON],
    "rules_version": "r",
    "curated_version": 3,
    "curated_at": NOON + timedelta(hours=2),
}
GAP = {
    "topic": "weather",
    "topic_id": "t",
    "partition": 0,
    "from_offset": 3,
    "to_offset": 5,
    "cause": OFFSETS_EXPIRED,
    "noticed_at": NOON,
}
STATION = {"station_id": "a", "region": "us-ca", "registry": "isd", "latitude_deg": 34.0, "longitude_deg": -118.0}


def good(spark: SparkSession, dataset: Dataset) -> DataFrame:
    made = {
        RAW_OBSERVATIONS: raw,
        CURATED_OBSERVATIONS: curated,
        CURATED_QUARANTINE: quarantine,
        CURATED_GAPS: lambda spark: table(spark, CURATED_GAPS, GAP),
        CURATED_INGEST_UNITS: lambda spark: table(spark, CURATED_INGEST_UNITS, UNIT),
        GOLD_STATIONS: lambda spark: table(spark, GOLD_STATIONS, STATION),
    }
    return made[dataset](spark)


@pytest.fixture
def beside(spark: SparkSession) -> None:
    """What the rules of one table read of others: one hour of each layer."""
    show(raw(spark), RAW_OBSERVATIONS)
    show(quarantine(spark), CURATED_QUARANTINE)
    show(curated(spark).where("observed_at >= TIMESTAMP '2024-05-01T12:00:00Z'"), CURATED_OBSERVATIONS)


def written(**columns: Any) -> Any:
    """The rows with other values, cast to the columns' types."""
    return lambda rows: rows.withColumns(
        {name: F.lit(value).cast(rows.schema[name].dataType) for name, value in columns.items()}
    )


# By table: what is wrong with its rows, and which expectation says so.
BAD: dict[Dataset, list[tuple[Any, str]]] = {
    CURATED_OBSERVATIONS: [
        (lambda rows: rows, "expect_compound_columns_to_be_unique()"),
        (
            written(air_temperature_c=-9999, air_temperature_c_flag=1),
            "expect_column_values_to_be_between(air_temperature_c)",
        ),
        (written(wind_gust_mps=4, wind_gust_mps_flag=7), "expect_column_values_to_be_in_set(wind_gust_mps_flag)"),
        (written(dew_point_c=None, dew_point_c_flag=1), "expect_column_values_to_not_be_null(dew_point_c)"),
        (written(quality_level=0), "expect_column_values_to_be_in_set(quality_level)"),
        (written(payload_hash=None), "expect_column_values_to_not_be_null(payload_hash)"),
        (written(station_id="O'Hare"), "expect_column_values_to_match_regex(station_id)"),
        (
            written(precipitation_mm=999.9, precipitation_mm_flag=1),
            "expect_column_values_to_not_be_in_set(precipitation_mm)",
        ),
        (
            lambda rows: rows.withColumn("observed_at", F.expr("ingested_at + INTERVAL 11 MINUTES")),
            "No observation is more than 10 minutes ahead of its record, or from before 1900",
        ),
        (
            written(observed_date="2024-05-02"),
            "A row stands in the folder of the day on which it was observed",
        ),
        (
            written(late_by_s=17),
            "A late row says by how many seconds it is late; one on time says nothing",
        ),
    ],
    RAW_OBSERVATIONS: [
        (lambda rows: rows, "expect_compound_columns_to_be_unique()"),
        (written(topic=None), "expect_column_values_to_not_be_null(topic)"),
        (
            written(ingest_hour="2024-05-01T13"),
            "A record stands in the folder of the hour in which it was appended",
        ),
    ],
    CURATED_QUARANTINE: [
        (lambda rows: rows, "expect_compound_columns_to_be_unique()"),
        (written(reason=None), "expect_column_values_to_not_be_null(reason)"),
        (written(reason=""), "expect_column_value_lengths_to_be_between(reason)"),
        (
            written(value="other bytes"),
            "Every record that was set aside stands in Raw too, with the same bytes",
        ),
    ],
    CURATED_GAPS: [
        (lambda rows: rows, "expect_compound_columns_to_be_unique()"),
        (written(noticed_at=None), "expect_column_values_to_not_be_null(noticed_at)"),
        (written(cause="bad luck"), "expect_column_values_to_be_in_set(cause)"),
        (
            written(to_offset=3),
            "A gap is not empty; only that of a topic which is gone may have no end",
        ),
    ],
    CURATED_INGEST_UNITS: [
        (lambda rows: rows, "expect_column_values_to_be_unique(ingest_hour)"),
        (written(offsets=None), "expect_column_values_to_not_be_null(offsets)"),
        (written(parity_violations=1), "expect_column_values_to_be_between(parity_violations)"),
        (
            written(late=2),
            "The counts of an hour agree: a record is set aside, or tells of a reading, or repeats one",
        ),
        (
            written(latest_observed_at=None),
            "An hour with readings says when they were observed",
        ),
        (
            written(records=3),
            "Raw holds as many records of each closed hour as were curated",
        ),
        (
            written(quarantined=0),
            "The quarantine holds as many records of each closed hour as were found unreadable",
        ),
        (
            written(readings=0, late=0, parity_compared=0),
            "Curated holds no more readings of a closed hour than its records tell of; "
            "those that are missing were corrected later",
        ),
    ],
    GOLD_STATIONS: [
        (lambda rows: rows, "expect_column_values_to_be_unique(station_id)"),
        (written(region=None), "expect_column_values_to_not_be_null(region)"),
        (written(region="us/ca"), "expect_column_values_to_match_regex(region)"),
        (written(registry="hearsay"), "expect_column_values_to_be_in_set(registry)"),
        (written(latitude_deg=91), "expect_column_values_to_be_between(latitude_deg)"),
        (
            written(longitude_deg=None),
            "A place has both its coordinates, or none is known",
        ),
    ],
}


@pytest.mark.parametrize("dataset", BAD, ids=lambda dataset: dataset.name)
def test_each_fault_of_a_bad_table_is_found_by_its_expectation_and_no_other(
    spark: SparkSession, tmp_path: Path, beside: None, dataset: Dataset
) -> None:
    rows = good(spark, dataset)
    bad = rows
    for fault, _ in BAD[dataset]:
        bad = bad.unionByName(fault(rows))
    assert names(failures(bad, dataset, tmp_path)) == {name for _, name in BAD[dataset]}


@pytest.mark.parametrize("dataset", BAD, ids=lambda dataset: dataset.name)
def test_good_rows_meet_every_expectation_and_have_a_page(
    spark: SparkSession, tmp_path: Path, beside: None, dataset: Dataset
) -> None:
    committed = sorted((ROOT / "expectations").rglob("*"))
    assert failures(good(spark, dataset), dataset, tmp_path) == []
    assert len(list(site(Settings(home=tmp_path)).rglob("validations/**/*.html"))) == 1
    assert not list((tmp_path / "quality").glob("context-*"))
    assert sorted((ROOT / "expectations").rglob("*")) == committed


def test_a_table_of_other_columns_fails_and_does_not_crash(spark: SparkSession, tmp_path: Path, beside: None) -> None:
    rows = good(spark, GOLD_STATIONS).drop("region").withColumn("elevation_m", F.lit("high"))
    found = names(failures(rows, GOLD_STATIONS, tmp_path))
    assert "expect_table_column_count_to_equal()" in found
    assert {
        "expect_column_to_exist(region)",
        "expect_column_to_exist(station_name)",
        "expect_column_values_to_be_of_type(elevation_m)",
        "expect_column_values_to_not_be_null(region)",
    } <= found


DAYS = Span("observed", NOON - timedelta(days=8), NOON)


def week(spark: SparkSession) -> DataFrame:
    """Nine days of hourly readings of two stations until noon, in which it is always 12 °C."""
    hours = F.explode(F.sequence(*[F.lit(at) for at in (NOON - timedelta(days=9), NOON)], F.expr("INTERVAL 1 HOUR")))
    stations = F.explode(F.array(F.lit("a"), F.lit("b")))
    whole = curated(spark).where("air_temperature_c = 12").drop("observed_at", "observed_date", "station_id")
    rows = whole.withColumn("observed_at", hours).withColumn("station_id", stations)
    return rows.withColumns({"observed_date": F.to_date("observed_at"), "ingested_at": F.col("observed_at")}).select(
        *CURATED_OBSERVATIONS.columns
    )


def test_a_week_of_a_complete_and_steady_network_meets_every_expectation(spark: SparkSession, tmp_path: Path) -> None:
    assert failures(week(spark), CURATED_OBSERVATIONS, tmp_path, DAYS) == []


def test_a_stale_torn_and_jumping_network_fails_by_name(spark: SparkSession, tmp_path: Path) -> None:
    last = F.col("observed_date") == F.lit((NOON - timedelta(days=1)).date())
    jumping = week(spark).withColumn("air_temperature_c", F.when(last, 30.0).otherwise(12.0))
    torn = jumping.where("station_id = 'a' OR hour(observed_at) % 2 = 0")
    stale = torn.where(F.col("observed_at") < F.lit(NOON - timedelta(hours=2)))
    lines = failures(stale, CURATED_OBSERVATIONS, tmp_path, DAYS)
    assert names(lines) == {FRESH, COMPLETE, STEADY}
    # The log names what was found.
    assert any('"variable":"air_temperature_c"' in line for line in lines)
    assert any('"station_id":"b"' in line for line in lines)


@pytest.mark.parametrize("dataset", [CURATED_OBSERVATIONS, RAW_OBSERVATIONS], ids=lambda dataset: dataset.name)
def test_days_without_a_row_do_not_pass(spark: SparkSession, tmp_path: Path, dataset: Dataset) -> None:
    assert names(failures(good(spark, dataset).limit(0), dataset, tmp_path, DAYS)) == {HELD}


def test_days_of_stale_raw_and_much_quarantine_fail_by_name(spark: SparkSession, tmp_path: Path, beside: None) -> None:
    span = Span("ingested", NOON - timedelta(days=8), NOON + timedelta(hours=3))
    assert names(failures(raw(spark), RAW_OBSERVATIONS, tmp_path, span)) == {FRESH_RAW}
    assert names(failures(quarantine(spark), CURATED_QUARANTINE, tmp_path, span)) == {READABLE}


class TestCommittedRules:
    def test_every_suite_is_of_a_table(self) -> None:
        suites = {
            f"{file.parent.name}.{file.stem}" for file in (ROOT / "expectations" / "expectations").glob("*/*.json")
        }
        assert suites <= {dataset.name for dataset in DATASETS}

    def test_every_rule_of_every_table_is_shown_to_fail(self) -> None:
        shown = {name for faults in BAD.values() for _, name in faults} | DAYS_RULES
        for dataset in DATASETS:
            for rule in rules_of(Settings(), dataset, Span()):
                first_sentence = rule["description"].split(".")[0]
                assert {first_sentence, f"{rule['type']}({rule['kwargs'].get('column', '')})"} & shown

    def test_an_hour_is_not_asked_what_only_days_can_tell(self) -> None:
        of_an_hour = rules_of(Settings(), CURATED_OBSERVATIONS, AN_HOUR)
        of_days = rules_of(Settings(), CURATED_OBSERVATIONS, DAYS)
        assert 0 < len(of_an_hour) < len(of_days) == len(rules_of(Settings(), CURATED_OBSERVATIONS, Span()))

    def test_the_limits_are_those_of_the_dictionary(self) -> None:
        (rule,) = [r for r in rules_of(Settings(), CURATED_OBSERVATIONS, AN_HOUR) if "ahead" in r["description"]]
        query = rule["kwargs"]["unexpected_rows_query"]
        assert f"INTERVAL {MOST_MINUTES_AHEAD} MINUTES" in query
        assert f"'{EARLIEST_YEAR}-01-01" in query

    def test_every_number_for_missing_lies_beyond_the_limits_or_is_named_by_a_rule(self) -> None:
        named = {
            (rule["kwargs"]["column"], number)
            for rule in rules_of(Settings(), CURATED_OBSERVATIONS, AN_HOUR)
            if rule["type"] == "expect_column_values_to_not_be_in_set"
            for number in rule["kwargs"]["value_set"]
        }
        within = {
            (name, number)
            for name, field in MEASUREMENTS.items()
            for number in load_rules().defaults[f"missing.{name}"]
            if field.minimum <= number <= field.maximum
        }
        assert within == named

    def test_the_causes_are_those_of_the_rebuild(self) -> None:
        (rule,) = [r for r in rules_of(Settings(), CURATED_GAPS, Span()) if r["kwargs"].get("column") == "cause"]
        assert rule["kwargs"]["value_set"] == [TOPIC_RECREATED, OFFSETS_EXPIRED]

    def test_the_ledgers_rules_read_the_layers_that_it_tells_of(self) -> None:
        told = others(rules_of(Settings(), CURATED_INGEST_UNITS, Span()))
        assert told == [RAW_OBSERVATIONS, CURATED_OBSERVATIONS, CURATED_QUARANTINE]

    def test_a_rule_is_written_once_with_a_description(self) -> None:
        for file in (ROOT / "expectations" / "expectations").glob("*/*.json"):
            told = [rule["description"] for rule in json.loads(file.read_text())["expectations"]]
            assert len(told) == len(set(told))


def test_the_span_of_an_hour_bounds_each_layer_by_its_append_time() -> None:
    assert span_of(CURATED_OBSERVATIONS, ingest_hour=HOUR) == AN_HOUR
