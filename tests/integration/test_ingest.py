"""Files, faults and the feed against a real broker; each test on a topic of its own."""

from __future__ import annotations

import dataclasses
import json
import time
import uuid
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from weahouse.io import kafka
from weahouse.sources import feed
from weahouse.sources.ingest import Selection, ingest_file
from weahouse.sources.records import Record, render
from weahouse.sources.simulation import Simulation
from weahouse.sources.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from weahouse.settings import Settings


@pytest.fixture
def own(platform: Settings, tmp_path: Path) -> Iterator[Settings]:
    """The platform with a topic and a home of the test's own."""
    settings = dataclasses.replace(platform, observations_topic=f"test.{uuid.uuid4().hex}", home=tmp_path)
    yield settings
    deleted = AdminClient({"bootstrap.servers": settings.kafka}).delete_topics([settings.observations_topic])
    for future in deleted.values():
        future.exception()


def silent(what: str, done: int, total: int | None) -> None:
    """Report nothing."""


def consume(settings: Settings) -> list[Message]:
    """Every record of the topic, by partition and offset."""
    ends = kafka.end_offsets(settings)
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": uuid.uuid4().hex})
    consumer.assign([TopicPartition(settings.observations_topic, partition, 0) for partition in ends])
    messages: list[Message] = []
    deadline = time.monotonic() + 30
    while len(messages) < sum(ends.values()) and time.monotonic() < deadline:
        messages += consumer.consume(1000, timeout=1)
    consumer.close()
    assert len(messages) == sum(ends.values())
    return messages


def test_the_topic_is_created_as_specified_once(own: Settings) -> None:
    assert kafka.ensure_topic(own) is True
    assert kafka.ensure_topic(own) is False
    assert kafka.end_offsets(own) == dict.fromkeys(range(12), 0) == kafka.begin_offsets(own)
    assert kafka.topic_id(own) == kafka.topic_id(own)


def test_a_topic_that_differs_is_refused_with_each_difference(own: Settings) -> None:
    kafka.ensure_topic(own)
    other = dataclasses.replace(own, topic_partitions=24, topic_retention=timedelta(days=1))
    with pytest.raises(kafka.TopicMismatchError) as caught:
        kafka.ensure_topic(other)
    assert "it has 12 partitions, not 24" in str(caught.value)
    assert "retention.ms is 1209600000, not 86400000" in str(caught.value)


def test_a_topic_that_is_not_there_is_named(own: Settings) -> None:
    with pytest.raises(kafka.KafkaError, match=own.observations_topic):
        kafka.end_offsets(own)


def test_a_file_reaches_the_topic_whole_in_order_of_time_and_keyed_by_station(own: Settings) -> None:
    selection = Selection(last=timedelta(days=2))
    account = ingest_file(own, feed.ISD_HOURLY, "isd-hourly", selection, None, silent)
    # Two days of five stations, two of them twice; of these San Francisco lacks the last hour.
    assert account.read == 395_453
    assert account.selected == account.sent == 7 * 48 - 2
    assert account.refusals == []
    messages = consume(own)
    assert len(messages) == account.sent
    by_partition: dict[int, list[str]] = {}
    for message in messages:
        event = json.loads(message.value())
        assert message.key() == event["station_id"].encode()
        by_partition.setdefault(message.partition(), []).append(event["observed_at"])
    assert all(times == sorted(times) for times in by_partition.values())
    assert len({json.loads(message.value())["station_id"] for message in messages}) == 5


def test_a_key_lands_where_javas_clients_put_it(own: Settings, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(b'{"station_id": "21"}\n{"station_id": "foobar"}\n')
    ingest_file(own, file, "ndjson", Selection(), None, silent)
    # Kafka's own test of its murmur2 has these hashes; twelve partitions take the positive ones modulo 12.
    hashes = {b"21": -973932308, b"foobar": -790332482}
    assert {message.key(): message.partition() for message in consume(own)} == {
        key: (value & 0x7FFFFFFF) % 12 for key, value in hashes.items()
    }


def test_bad_lines_go_out_verbatim_and_only_the_oversized_one_is_refused_and_named(
    own: Settings, tmp_path: Path
) -> None:
    lines = [
        b'{"station_id":"a-1","region":"us-ca","observed_at":"2026-01-01T00:00:00Z"}',
        b'{"station_id":"a-1"',
        b"[1, 2]",
        b"\xff\xfe",
        b'{"station_id":"a-1","note":"' + b"x" * 900_000 + b'"}',
        b'{"station_id":"a-10mb","note":"' + b"x" * 10_000_000 + b'"}',
        b'{"station_id":"a-1","observed_at":"9999-01-01T00:00:00Z"}',
    ]
    file = tmp_path / "bad.ndjson"
    file.write_bytes(b"\n".join([*lines, b"", b""]))
    account = ingest_file(own, file, "ndjson", Selection(), None, silent)
    assert (account.read, account.unreadable, account.sent, account.keyless) == (7, {"empty line": 1}, 6, 3)
    (refusal,) = account.refusals
    assert refusal.station_id == "a-10mb"
    assert refusal.size > 10_000_000
    assert "Message size too large" in refusal.reason
    assert Counter(message.value() for message in consume(own)) == Counter(lines[:5] + lines[6:])


def test_a_factor_paces_the_records_by_their_own_time(own: Settings, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b"".join(b'{"station_id":"a","observed_at":"2026-01-01T00:0%d:00Z"}\n' % minute for minute in range(5))
    )
    began = time.monotonic()
    account = ingest_file(own, file, "ndjson", Selection(), 240.0, silent)
    assert account.sent == 5
    # Four minutes at 240 times real time are a second; a busy machine may add to it.
    assert 0.95 < time.monotonic() - began < 60


def test_a_faulty_simulation_accounts_for_every_record_and_tells_every_fault(own: Settings, tmp_path: Path) -> None:
    truth = tmp_path / "truth.ndjson"
    simulation = Simulation(200, 200.0, 5, "all", 0.2, truth)
    account = simulation.run(own, 3.0, lambda: False, silent)
    assert account.due >= 600
    assert account.sent + len(account.refusals) == account.due
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    assert Counter(fault["kind"] for fault in told) == account.faults
    messages = consume(own)
    assert len(messages) == account.sent
    assert sum(message.key() is None for message in messages) == account.faults["null-key"]


def small_timeline(now: float) -> Timeline:
    """A station that has reported every ten minutes for the last three years."""
    end = int(now) // 600 * 600
    times = range(end - 3 * 366 * 86_400, end, 600)
    return Timeline(Record(at, b"a", render("a", "us-ca", at, {})) for at in times)


def test_the_feed_sends_its_backlog_stops_when_asked_and_sends_nothing_twice(own: Settings) -> None:
    kafka.ensure_topic(own)
    now = time.time()
    timeline = small_timeline(now)

    def run_until(stopped: Callable[[feed.RealSource], bool]) -> int:
        source = feed.RealSource(timeline, feed.position_path(own), kafka.topic_id(own), now)
        return feed.run(own, [source], lambda: stopped(source))

    # After one look, so that the backlog of 4,320 records is cut; then when all is sent; then with nothing to send, but
    # for a reading that has come due meanwhile.
    looks = iter((False,))
    assert run_until(lambda _source: next(looks, True)) == 2000
    run_until(lambda source: source.position.sent_until + 600 > now)
    looks = iter((False, False))
    assert run_until(lambda _source: next(looks, True)) <= 1
    messages = consume(own)
    values = Counter(message.value() for message in messages)
    assert max(values.values()) == 1
    assert len(values) in (4320, 4321)


def test_the_network_fills_an_empty_topic_with_its_last_hours_and_any_other_from_now_on(own: Settings) -> None:
    now = time.time()
    network = feed.sources_of(own, "simulated", now)
    looks = iter((False, False, False))
    feed.run(own, network, lambda: next(looks, True))
    told = Counter(message.key() for message in consume(own))
    assert len(told) == feed.FEED_STATIONS
    assert min(told.values()) >= feed.NETWORK_BACKLOG_S / 60
    [source] = feed.sources_of(own, "simulated", now)
    assert list(source.due(now)) == []
