"""`weahouse explain` as far as it needs no server: what is asked, which records are meant, what became of them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.rows import NOON, event, records
from typer.testing import CliRunner

from weahouse.cli import app
from weahouse.cli.errors import UserError
from weahouse.cli.explain import check_station, observed_time
from weahouse.cli.explaining.lake import hours_between, keyed_by_station_and_time
from weahouse.cli.explaining.records import explain, in_order, observed_at, tells_of
from weahouse.cli.explaining.serving import differing, pane_of, role_of
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, KEY
from weahouse.schemas.fields import VARIABLES
from weahouse.schemas.render import to_spark
from weahouse.settings import Settings
from weahouse.transforms.dispositions import dispose
from weahouse.transforms.newest import VERSION
from weahouse.transforms.parse import parse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

APPENDED = NOON + timedelta(minutes=1)


def row(offset: int, value: bytes | None, key: bytes | None = None, **more: Any) -> dict[str, Any]:
    at = APPENDED + timedelta(milliseconds=offset)
    return {"topic": "t", "partition": 0, "offset": offset, "timestamp": at, "key": key, "value": value, **more}


def held(offset: int, **values: Any) -> dict[str, Any]:
    """The row of Curated that the record at an offset made."""
    at = APPENDED + timedelta(milliseconds=offset)
    nothing = dict.fromkeys(VARIABLES)
    return {"ingested_at": at, "kafka_partition": 0, "kafka_offset": offset, **nothing, **values}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("noon", "'noon' is not a time: write it like 2024-05-01T12:00:00Z"),
        ("2024-05-01T12:00:00", "has no zone: write 2024-05-01T12:00:00Z if it is UTC"),
        ("2024-05-01", "has no zone"),
    ],
)
def test_a_time_that_could_mean_several_is_refused(text: str, told: str):
    with pytest.raises(UserError, match=told):
        observed_time(text)


def test_a_time_is_understood_in_its_zone_and_to_the_second():
    assert observed_time("2024-05-01T06:00:00.7-06:00") == NOON


def test_what_no_station_can_be_called_is_refused():
    with pytest.raises(UserError, match=r"\"a' OR 'a\" is no station id"):
        check_station("a' OR 'a")


def test_a_lake_that_does_not_answer_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("weahouse.cli.explain.settings", lambda: Settings(hdfs_url="hdfs://127.0.0.1:1"))
    done = CliRunner().invoke(app, ["explain", "a", "2024-05-01T12:00:00Z"])
    assert isinstance(done.exception, UserError)
    assert "HDFS at hdfs://127.0.0.1:1 does not answer" in str(done.exception)


def test_the_help_teaches_with_an_example():
    help_text = CliRunner().invoke(app, ["explain", "--help"]).stdout
    assert "weahouse explain 724940:23234" in help_text


@pytest.mark.parametrize(
    ("value", "key", "tells"),
    [
        (event(), None, True),
        (event(observed_at="2024-05-01T14:00:00.9+02:00"), None, True),
        (event(observed_at="2024-05-01T12:00:01Z"), None, False),
        (event(station_id="ab"), None, False),
        (event(observed_at="2024-05-01T12:00:00"), None, False),
        (b'{"station_id": "a", "observed_at": "2024-05-01T12:00:00Z", "air_te', None, True),
        (b'observed_at=2024-05-01T12:00:00 \xff', b"a", True),
        (b"2024-05-01T12:00:00", b"b", False),
        (None, b"a", False),
        (b"[]", b"a", False),
    ],
)  # fmt: skip
def test_a_record_is_of_a_station_and_time_as_far_as_it_can_be_read(
    value: bytes | None, key: bytes | None, tells: bool
):
    assert tells_of(row(0, value, key), "a", NOON) is tells


def test_a_time_of_any_other_type_is_no_time():
    assert [observed_at({"observed_at": odd}) for odd in (None, 5, ["2024-05-01T12:00:00Z"])] == [None] * 3


def test_records_stand_in_the_order_of_their_append_each_once():
    rows = [row(2, b"c"), row(1, b"b"), row(2, b"c")]
    assert [each["offset"] for each in in_order(rows)] == [1, 2]


def test_each_record_has_its_end_and_why():
    values = [event(air_temperature_c=1.0), event(air_temperature_c=2.0), event(air_temperature_c=2), event(region="~")]
    rows = [row(offset, value) for offset, value in enumerate(values)]
    quarantine = [rows[3] | {"reason": "region has characters"}]
    told = explain(rows, quarantine, held(1, air_temperature_c=2.0))
    assert [(each.row["offset"], each.disposition) for each in told] == [
        (0, "superseded"), (1, "curated"), (2, "duplicate"), (3, "quarantined"),
    ]  # fmt: skip
    assert told[0].why == "corrected by 0/1, which was appended later"
    assert told[3].why == "region has characters"


def test_what_the_stream_has_not_reached_is_unaccounted():
    assert [each.disposition for each in explain([row(0, event())], [], None)] == ["unaccounted"]
    newer = explain([row(0, event()), row(1, event(dew_point_c=3.0))], [], held(0))
    assert [each.disposition for each in newer] == ["curated", "unaccounted"]


def test_where_raw_lacks_the_record_that_won_values_tell_a_repeat():
    told = explain([row(0, event(dew_point_c=3.0)), row(1, event(dew_point_c=4.0))], [], held(2, dew_point_c=4.0))
    assert [each.disposition for each in told] == ["superseded", "duplicate"]


@pytest.mark.parametrize("seed", range(3))
def test_dispositions_are_those_that_spark_proves(spark: SparkSession, seed: int):
    drawn = random.Random(seed)
    choices = [
        event(air_temperature_c=1.0), event(air_temperature_c=1), event(air_temperature_c=2.0), event(region="us-x"),
        event(air_temperature_c="1"), event(region="us x"), event(dew_point_c=-0.0), event(dew_point_c=0.0),
    ]  # fmt: skip
    parsed = parse(records(spark, *drawn.choices(choices, k=12), appended_at=APPENDED)).persist()
    rows = [each.asDict() | {"timestamp": each["timestamp"].replace(tzinfo=UTC)} for each in parsed.collect()]
    readable = [each for each in rows if each["reason"] is None]
    # Either record of a repeat may be the one that Curated holds, as long as it is the newest content.
    newest = max(readable, key=lambda each: each["offset"])
    winner = drawn.choice([each for each in readable if each["payload_hash"] == newest["payload_hash"]])
    curated = {
        **{name: winner[name] for name in (*KEY, "payload_hash", *VARIABLES)},
        **held(winner["offset"]),
    }
    shape = to_spark(CURATED_OBSERVATIONS)
    columns = [shape[name] for name in (*KEY, "payload_hash", *VERSION)]
    table = spark.createDataFrame([tuple(curated[field.name] for field in columns)], type(shape)(columns))
    proven = dispose(parsed, table, parsed.where("reason IS NOT NULL"))
    wanted = {each["offset"]: each["disposition"] for each in proven.collect()}
    told = explain(rows, [each for each in rows if each["reason"] is not None], curated)
    parsed.unpersist()
    assert {each.row["offset"]: each.disposition for each in told} == wanted


def test_hours_of_a_span_are_those_that_it_touches():
    begin = datetime(2024, 5, 1, 22, 50, tzinfo=UTC)
    assert hours_between(begin, begin + timedelta(hours=1, minutes=20)) == [
        "2024-05-01T22", "2024-05-01T23", "2024-05-02T00",
    ]  # fmt: skip
    assert hours_between(begin, begin - timedelta(days=1)) == ["2024-05-01T22"]


def test_only_tables_of_stations_and_times_are_asked_for_a_row():
    names = {dataset.name for dataset in keyed_by_station_and_time()}
    assert not names & {"gold.stations", "curated.gaps", "curated.ingest_units", "curated.observations"}


def test_a_pane_is_the_ten_minutes_that_hold_a_time():
    assert pane_of(NOON + timedelta(minutes=19, seconds=59)) == NOON + timedelta(minutes=10)


def test_a_served_row_differs_where_it_says_something_else():
    columns = dict.fromkeys(("station_id", "observed_at", "region", "ingested_at", *VARIABLES))
    curated = columns | {"observed_at": NOON, "dew_point_c": 1.0}
    served = columns | {"observed_at": NOON.replace(tzinfo=None), "dew_point_c": 2.0}
    assert differing(curated, served) == ["dew_point_c"]
    assert differing(curated, served | {"dew_point_c": 1.0}) == []


@pytest.mark.parametrize(
    ("begun", "peak", "ended", "role"),
    [
        (0, 0, None, "began with it, has its peak there"),
        (-5, -3, None, "lasted while it was observed"),
        (-5, -3, 0, "ended with it"),
        (-5, -3, -1, None),
        (1, 1, None, None),
    ],
)
def test_an_alert_names_a_reading_by_the_part_that_it_played(
    begun: int, peak: int, ended: int | None, role: str | None
):
    times = {"event_at": begun, "peak_at": peak, "cleared_at": ended}
    alert = {name: None if hours is None else NOON + timedelta(hours=hours) for name, hours in times.items()}
    assert role_of(alert, NOON) == role
