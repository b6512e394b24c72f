from __future__ import annotations

from datetime import timedelta

import confluent_kafka
import pytest

from weahouse.io.kafka import KafkaError, end_offsets, ensure_topic, producer_config, reach, topic_config
from weahouse.settings import Settings


def test_the_topic_is_dated_by_the_broker_and_keeps_records_as_long_as_the_settings_say() -> None:
    assert topic_config(Settings(topic_retention=timedelta(hours=1))) == {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "1048576",
        "cleanup.policy": "delete",
        "retention.ms": "3600000",
    }


def test_a_producer_loses_nothing_doubles_nothing_and_places_keys_as_java_does() -> None:
    config = producer_config(Settings())
    assert config["acks"] == "all"
    assert config["enable.idempotence"] is True
    assert config["partitioner"] == "murmur2_random"
    assert 1_000_000 < int(config["message.max.bytes"]) < 1_048_576


@pytest.mark.parametrize("call", [ensure_topic, end_offsets])
def test_a_broker_that_is_not_there_is_named(call) -> None:
    # Port 9 is discard: nobody listens there.
    with pytest.raises(KafkaError, match=r"Kafka at 127\.0\.0\.1:9 does not answer"):
        call(Settings(kafka_bootstrap_servers="127.0.0.1:9"))


def test_a_client_that_has_lost_the_leaders_for_a_moment_asks_again() -> None:
    lost = confluent_kafka.KafkaError(confluent_kafka.KafkaError._NOENT, "No leaders found")
    refusals = [confluent_kafka.KafkaException(lost)]

    def call() -> str:
        if refusals:
            raise refusals.pop()
        return "told"

    assert reach(Settings(), call) == "told"
