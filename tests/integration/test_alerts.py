"""Alerts of the running stream: found, told once, changed by what comes later, and noted by people."""

from __future__ import annotations

import json
import os
import signal
from array import array
from datetime import UTC, datetime, timedelta
from math import inf
from operator import itemgetter
from typing import Any

import jsonschema
import pytest
from tests.integration.conftest import Stream, eventually
from tests.rows import event
from typer.testing import CliRunner

from weahouse.alerts.rules import load_alert_rules
from weahouse.alerts.watch import Touched, Watch
from weahouse.cli import app
from weahouse.io.alerts import acknowledge, alerts_of, count_active, panes_of, partitions_of
from weahouse.orchestration import driver
from weahouse.schemas.render import alert_to_json_schema
from weahouse.schemas.topics import ALERTS_TOPIC

NOW = datetime.now(UTC).replace(microsecond=0)
BEGUN = NOW - timedelta(minutes=30)
HOUR = timedelta(hours=1)
NO_VALUES = array("d", (inf, -inf, 0.0))
LONG_AGO = datetime(2010, 1, 7, 12, tzinfo=UTC)


def reading(station: str, at: datetime, wind_mps: float, region: str = "us-or") -> tuple[str, bytes]:
    event_ = event(station_id=station, region=region, observed_at=at.isoformat(), wind_speed_mps=wind_mps)
    return station, event_


def later(minutes: int) -> datetime:
    return BEGUN + timedelta(minutes=minutes)


WAVES = [
    [
        reading("blow", later(0), 18.0),
        reading("fixed", later(0), 18.0),
        # Suspect: nobody has measured a mean wind of 62 m/s at a station of this network.
        reading("doubted", later(0), 62.0),
        reading("noted", later(0), 18.0),
        reading("calm", later(0), 3.0),
        *[reading("old", LONG_AGO + timedelta(minutes=minute), wind) for minute, wind in ((0, 18.0), (60, 3.0))],
        reading("mute", later(20), 3.0, region="silent-land"),
        # Loaded, not live: its newest record was far from on time.
        reading("former", LONG_AGO, 3.0, region="silent-land"),
    ],
    [
        reading("blow", later(10), 16.0),
        reading("blow", later(20), 4.0),
        reading("fixed", later(0), 4.0),
        reading("noted", later(10), 25.0),
    ],
]


def stored(stream: Stream, station: str) -> dict[str, dict[str, Any]]:
    """The alerts of a station by rule."""
    rows = alerts_of(stream.settings, partitions_of(stream.settings))
    return {row["rule"]: row for row in rows if row["station_id"] == station}


def published(stream: Stream) -> list[dict[str, Any]]:
    """Every message of the alerts topic; of a station they are in order."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": stream.settings.kafka, "group.id": "tests", "enable.auto.commit": False})
    try:
        places = [TopicPartition(ALERTS_TOPIC.name, number, 0) for number in range(ALERTS_TOPIC.partitions or 0)]
        count = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
        consumer.assign(places)
        messages = [consumer.poll(20) for _ in range(count)]
    finally:
        consumer.close()
    for message in messages:
        assert message is not None
        assert message.error() is None
        assert message.key().decode() == json.loads(message.value())["station_id"]
    return [json.loads(message.value()) for message in messages]


def told_of_values(stream: Stream) -> list[dict[str, Any]]:
    """What was published of all rules but silence, station by station: they lie in several partitions."""
    rows = [row for row in published(stream) if row["rule"] != "station_silent"]
    return sorted(rows, key=itemgetter("station_id"))


def told(stream: Stream, station: str) -> list[tuple[str, str]]:
    return [(row["rule"], row["alert_state"]) for row in published(stream) if row["station_id"] == station]


@pytest.fixture(scope="module")
def stream(running: Stream) -> Stream:
    """The stream after the first wave, an acknowledgement, and the second."""
    running.start()
    running.send(*WAVES[0])
    running.settle()
    acknowledge(running.settings, stored(running, "noted")["gale"]["alert_id"], "kim", "boats are in", NOW)
    running.send(*WAVES[1])
    running.settle()
    return running


def test_a_gale_is_raised_with_its_delay_and_cleared(stream: Stream):
    alert = stored(stream, "blow")["gale"]
    assert (alert["alert_state"], alert["is_active"]) == ("cleared", False)
    assert (alert["event_at"], alert["cleared_at"], alert["peak_value"]) == (later(0), later(20), 18.0)
    delay_s = (alert["raised_at"] - later(0)).total_seconds()
    assert alert["detection_delay_s"] == delay_s
    # Sent some time after this module was read, and found before this line.
    assert 1800 <= delay_s < 1800 + (datetime.now(UTC) - NOW).total_seconds()
    assert told(stream, "blow") == [("gale", "raised"), ("gale", "cleared")]


def test_a_corrected_gale_is_withdrawn(stream: Stream):
    assert stored(stream, "fixed")["gale"]["alert_state"] == "withdrawn"
    assert told(stream, "fixed") == [("gale", "raised"), ("gale", "withdrawn")]


def test_a_suspect_value_and_a_calm_raise_nothing(stream: Stream):
    assert stored(stream, "doubted") == stored(stream, "calm") == {}


def test_an_old_gale_is_stored_and_told_to_nobody(stream: Stream):
    assert stored(stream, "old")["gale"]["alert_state"] == "historical"
    assert told(stream, "old") == []


def test_an_acknowledgement_is_published_and_survives_what_comes_after(stream: Stream):
    alert = stored(stream, "noted")["gale"]
    assert (alert["alert_state"], alert["peak_value"]) == ("updated", 25.0)
    assert (alert["acknowledged_by"], alert["acknowledgement_note"]) == ("kim", "boats are in")
    assert told(stream, "noted") == [
        ("gale", "raised"),
        ("gale", "acknowledged"),
        ("gale", "updated"),
        ("storm", "raised"),
    ]
    last = [row for row in published(stream) if (row["station_id"], row["rule"]) == ("noted", "gale")][-1]
    assert last["acknowledged_by"] == "kim"


def test_every_message_is_as_the_contract_says(stream: Stream):
    messages = published(stream)
    assert len(messages) >= 8
    for message in messages:
        jsonschema.validate(message, alert_to_json_schema())
    told_revisions = [(row["alert_id"], row["alert_revision"], row["alert_state"]) for row in messages]
    assert len(set(told_revisions)) == len(told_revisions)


def test_a_station_that_falls_silent_is_told_and_one_that_was_never_live_is_not(stream: Stream):
    eventually(lambda: stored(stream, "mute"), "the silence of a station", seconds=60)
    alert = stored(stream, "mute")["station_silent"]
    assert (alert["alert_state"], alert["is_active"]) == ("raised", True)
    assert stored(stream, "former") == {}
    stream.send(reading("mute", datetime.now(UTC), 3.0, region="silent-land"))
    eventually(lambda: ("station_silent", "cleared") in told(stream, "mute"), "the end of the silence", seconds=60)


def test_the_command_lists_what_is_on_and_tries_rules_on_what_was(stream: Stream):
    listed = command("--active", "--region", "us-or", "--json")
    noted = next(row for row in listed if (row["station_id"], row["rule"]) == ("noted", "gale"))
    assert (noted["alert_state"], noted["acknowledged_by"]) == ("acknowledged", "kim")
    tried = command("backtest", "--from", "2010-01-01", "--to", "2010-02-01", "--station", "old", "--json")
    assert [(row["rule"], row["event_at"], row["cleared_at"]) for row in tried] == [
        ("gale", "2010-01-07T12:00:00Z", "2010-01-07T13:00:00Z")
    ]


def command(*arguments: str) -> list[dict[str, Any]]:
    """What `weahouse alerts` writes as JSON."""
    done = CliRunner().invoke(app, ["alerts", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return list(json.loads(done.stdout))


def test_what_a_new_driver_recalls_of_a_station_are_the_extremes_of_its_panes(stream: Stream):
    watch, newest = Watch(load_alert_rules(stream.settings.alert_rules)), later(20)
    begin = watch.looks_back_to(newest)
    spans = [("blow", day, begin) for day in sorted({begin.date(), newest.date()})]
    watch.recall("blow", newest, panes_of(stream.settings, ["wind_speed_mps"], spans))
    nothing = Touched("blow", "us-or", begin + HOUR, newest, newest, NOW, NOW, NO_VALUES)
    assert watch.near(nothing) == {"gale"}


def kill(stream: Stream) -> None:
    os.kill(driver.live_pid(stream.settings) or 0, signal.SIGKILL)
    eventually(lambda: driver.live_pid(stream.settings) is None, "the end of the killed driver")


def test_another_driver_hears_a_silent_network_and_a_replay_tells_nothing_new(stream: Stream):
    before = told_of_values(stream)
    stream.send(reading("hushed", datetime.now(UTC), 3.0, region="silent-land"))
    stream.settle()
    kill(stream)
    stream.start()
    # Not one record comes, and so no batch.
    eventually(lambda: stored(stream, "hushed"), "the silence of a station", seconds=60)
    stream.send(*WAVES[0][:1], *WAVES[1])
    stream.settle()
    assert told_of_values(stream) == before
    assert stored(stream, "noted")["gale"]["is_active"]
    assert count_active(stream.settings) >= 2
