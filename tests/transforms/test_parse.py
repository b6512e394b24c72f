"""What can be read becomes typed columns; what cannot has a reason, in batch and in a stream alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession
from tests.modes import Runner
from tests.rows import LATENESS, NOON, event, reasons, records

from weahouse.transforms.parse import observations, parse

JSON = "value is not valid JSON"
OBJECT = "value is not a JSON object"
TYPE = "a member has another type than the contract gives it"
STATION = "station_id has characters or a length that are not allowed"
TIME = "observed_at is not an RFC 3339 time with a zone"
AHEAD = "observed_at is more than 10 minutes ahead of the broker's time"

UNREADABLE = [
    (None, "value is null"),
    (b"", "value is empty"),
    (b"  ", "value is empty"),
    (b"\xff\xfe{}", "value is not UTF-8"),
    (b"not json", JSON),
    (event()[:-1], JSON),
    (event() + b" and more", JSON),
    (event() + event(), JSON),
    (event() + b"," + event(), "value holds more than one JSON object"),
    (event(air_temperature_c="x").replace(b'"x"', b"NaN"), JSON),
    (event(air_temperature_c="x").replace(b'"x"', b"Infinity"), JSON),
    (b"[" + event() + b"]", OBJECT),
    (b"null", OBJECT),
    (b"17", OBJECT),
    (event(air_temperature_c="12.5"), TYPE),
    (event(air_temperature_c=True), TYPE),
    (event(air_temperature_c={"value": 1}), TYPE),
    (event(air_temperature_c="x").replace(b'"x"', b"1e400"), "air_temperature_c is not a finite number"),
    (event(station_id=...), "station_id is missing"),
    (event(station_id=None), "station_id is missing"),
    (event(station_id="../x"), STATION),
    (event(station_id="a'; DROP"), STATION),
    (event(station_id=""), STATION),
    (event(station_id="x" * 65), STATION),
    (event(station_id="x").replace(b'"x"', b'"\\ud800"'), STATION),
    (event(region=...), "region is missing"),
    (event(region="us ca"), "region has characters or a length that are not allowed"),
    (event(observed_at=...), "observed_at is missing"),
    (event(observed_at="2024-05-01T12:00:00"), TIME),
    (event(observed_at="2024-02-30T12:00:00Z"), TIME),
    (event(observed_at=1714564800), TIME),
    (event(observed_at="1899-12-31T23:59:59Z"), "observed_at is before 1900"),
    (event(observed_at="9999-12-31T23:59:59Z"), AHEAD),
    (event(observed_at="2024-05-01T12:11:01Z"), AHEAD),
]


def test_each_unreadable_record_has_its_reason(spark: SparkSession, mode: Runner):
    rows = records(spark, *[value for value, _ in UNREADABLE])
    assert reasons(mode(rows, parse)) == [reason for _, reason in UNREADABLE]


READABLE = [
    event(),
    event(observed_at="1970-01-01T00:00:00Z"),
    event(observed_at="2024-05-01T12:11:00Z"),
    event(observed_at="2024-05-01t14:00:00.999+02:00"),
    event(station_id="x" * 64),
    event(station_id="724940:23234"),
    event(air_temperature_c=None),
    event(note="an unknown member", more={"nested": [1, 2]}),
    event(note="x" * 900_000),
    event(note="\ud800"),
    event(station_id=17),
]


def test_what_the_contract_allows_is_read(spark: SparkSession, mode: Runner):
    assert reasons(mode(records(spark, *READABLE), parse)) == [None] * len(READABLE)


def test_times_are_cut_to_the_second_and_read_in_their_zone(spark: SparkSession):
    row = parse(records(spark, event(observed_at="2024-05-01T14:30:05.999+02:30"))).first()
    assert row["observed_at"].replace(tzinfo=UTC) == datetime(2024, 5, 1, 12, 0, 5, tzinfo=UTC)


def test_a_missing_and_a_null_measurement_are_the_same(spark: SparkSession):
    rows = parse(records(spark, event(), event(dew_point_c=None))).collect()
    assert rows[0]["payload_hash"] == rows[1]["payload_hash"]
    assert rows[0]["dew_point_c"] is None


@pytest.mark.parametrize(
    "other",
    [
        event(air_temperature_c=2.0),
        event(dew_point_c=1.0),
        event(air_temperature_c=1.0, region="us-or"),
        event(),
    ],
)
def test_readings_that_differ_have_different_payloads(spark: SparkSession, other: bytes):
    rows = parse(records(spark, event(air_temperature_c=1.0), other)).collect()
    assert rows[0]["payload_hash"] != rows[1]["payload_hash"]


def test_late_is_a_property_of_the_record(spark: SparkSession, mode: Runner):
    appended = NOON + LATENESS

    def read(rows):
        return observations(parse(rows), LATENESS)

    on_time = mode(records(spark, event(), appended_at=appended), read).first()
    late = mode(records(spark, event(), appended_at=appended + timedelta(seconds=1)), read).first()
    assert on_time["late_by_s"] is None
    assert late["late_by_s"] == LATENESS.total_seconds() + 1
