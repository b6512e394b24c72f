"""The Kafka edge: the observations topic, its offsets, and the configuration of every producer of ours.

confluent-kafka is imported inside the functions: Airflow and the command line import this module for its names.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from weahouse.schemas.topics import CLOCK_TOPIC, OBSERVATIONS_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient

    from weahouse.schemas.kinds import Topic
    from weahouse.settings import Settings

# The broker answers in milliseconds; ten seconds is a broker that is still starting or not there at all.
TIMEOUT_S = 10.0

# A batch's header is 61 bytes and a record's own at most 21; a record beside them must still fit the broker's limit.
BATCH_OVERHEAD_BYTES = 512

_UNREACHABLE = ("_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN", "_RESOLVE")
# What a broker answers about a topic that was created a moment ago, or right after its own start; and the client itself
# where it has just lost the broker that led the partitions.
_UNSETTLED = (
    "NOT_LEADER_FOR_PARTITION",
    "LEADER_NOT_AVAILABLE",
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "_NOENT",
)

T = TypeVar("T")


class KafkaError(RuntimeError):
    """Kafka could not be reached or refused; the message names the server and the reason."""


class TopicMismatchError(RuntimeError):
    """The topic exists with another configuration than the specification; the message names each difference."""


def topic_config(settings: Settings, topic: Topic = OBSERVATIONS_TOPIC) -> dict[str, str]:
    """The topic's configuration as the broker writes it, retention in milliseconds."""
    retention = {"retention.ms": str(int(settings.topic_retention.total_seconds() * 1000))}
    return retention | dict(topic.config)


def ensure_topic(settings: Settings, topic: Topic = OBSERVATIONS_TOPIC) -> bool:
    """Create a topic, or check the one that is there; True when it was created.

    Raises TopicMismatchError when an existing topic differs from the specification. Nothing is altered: fewer or
    more partitions would move keys and break the order per station, and a retention is somebody's decision.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import NewTopic

    name, config = _name(settings, topic), topic_config(settings, topic)
    admin = _admin(settings)
    new = NewTopic(name, num_partitions=_partition_count(settings, topic), replication_factor=1, config=config)
    try:
        reach(settings, lambda: admin.create_topics([new], request_timeout=TIMEOUT_S)[name].result())
    except KafkaException as error:
        if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
            raise KafkaError(f"Kafka at {settings.kafka} refused the topic {name}: {error.args[0].str()}") from None
        check_topic(settings, topic)
        return False
    _await_leaders(settings, topic)
    return True


def _await_leaders(settings: Settings, topic: Topic) -> None:
    """Wait until a topic that was just made is known to the broker and its partitions have leaders."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            end_offsets(settings, topic)
        except KafkaError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def check_topic(settings: Settings, topic: Topic = OBSERVATIONS_TOPIC) -> None:
    """Raise TopicMismatchError unless the topic has the specified partitions and configuration."""
    from confluent_kafka.admin import ConfigResource, ResourceType

    name, wanted_partitions = _name(settings, topic), _partition_count(settings, topic)
    admin = _admin(settings)
    resource = ConfigResource(ResourceType.TOPIC, name)
    found = reach(settings, lambda: admin.describe_configs([resource], request_timeout=TIMEOUT_S)[resource].result())
    differences = [
        f"{key} is {found[key].value}, not {wanted}"
        for key, wanted in topic_config(settings, topic).items()
        if found[key].value != wanted
    ]
    partitions = len(_partitions(admin, settings, name))
    if partitions != wanted_partitions:
        differences.insert(0, f"it has {partitions} partitions, not {wanted_partitions}")
    if differences:
        raise TopicMismatchError(
            f"topic {name} at {settings.kafka} is not as specified: {'; '.join(differences)}"
            " (set WEAHOUSE_TOPIC_* to what it has, or use another WEAHOUSE_OBSERVATIONS_TOPIC)"
        )


def topic_id(settings: Settings) -> str:
    """The broker's id of the topic: another one means that it was deleted and created again."""
    from confluent_kafka import TopicCollection

    name = settings.observations_topic
    admin = _admin(settings)
    topics = TopicCollection([name])
    return str(
        reach(settings, lambda: admin.describe_topics(topics, request_timeout=TIMEOUT_S)[name].result()).topic_id
    )


def end_offsets(settings: Settings, topic: Topic = OBSERVATIONS_TOPIC) -> dict[int, int]:
    """The offset that the next record of each partition will get, by partition."""
    from confluent_kafka.admin import OffsetSpec

    return _offsets(settings, OffsetSpec.latest(), topic)


def begin_offsets(settings: Settings) -> dict[int, int]:
    """The offset of the oldest record that each partition still holds, by partition."""
    from confluent_kafka.admin import OffsetSpec

    return _offsets(settings, OffsetSpec.earliest(), OBSERVATIONS_TOPIC)


def newest_append(settings: Settings) -> datetime | None:
    """When the newest record of the observations topic was appended; None where it holds none."""
    from confluent_kafka.admin import OffsetSpec

    times_ms = [found.timestamp for found in _listed(settings, OffsetSpec.max_timestamp(), OBSERVATIONS_TOPIC).values()]
    # A partition that holds nothing has the time -1.
    return datetime.fromtimestamp(max(times_ms) / 1000, UTC) if max(times_ms, default=-1) >= 0 else None


def broker_time(producer: Producer, seconds: float = TIMEOUT_S) -> datetime:
    """The broker's time, told by the record that it appends to the clock's topic for it. Raises KafkaError."""
    told: list[Any] = []
    producer.produce(CLOCK_TOPIC.name, b"", on_delivery=lambda error, message: told.append(error or message))
    producer.flush(seconds)
    if not told or not hasattr(told[0], "timestamp"):
        raise KafkaError(f"Kafka does not tell its time: {told[0].str() if told else 'no answer'}")
    return datetime.fromtimestamp(told[0].timestamp()[1] / 1000, UTC)


def producer_config(settings: Settings) -> dict[str, str | int | bool]:
    """What every producer of ours is made of: nothing lost, nothing doubled by a retry, order kept per key."""
    return {
        "bootstrap.servers": settings.kafka,
        "acks": "all",
        "enable.idempotence": True,
        # Java's hash: librdkafka's own would put a key on another partition than every other client does.
        "partitioner": "murmur2_random",
        "compression.type": "zstd",
        # Long enough for batches of hundreds at full speed, short beside the stream's trigger of seconds.
        "linger.ms": 20,
        "queue.buffering.max.messages": 200_000,
        "queue.buffering.max.kbytes": 128 * 1024,
        # The topic's limit, told to the client too: the broker measures the compressed batch, so a 10 MB record of one
        # letter would pass there, and a refused batch would take the good records in it along.
        "message.max.bytes": int(dict(OBSERVATIONS_TOPIC.config)["max.message.bytes"]) - BATCH_OVERHEAD_BYTES,
    }


def producer(settings: Settings, **overrides: object) -> Producer:
    """A producer; a record that cannot be delivered within librdkafka's five minutes is reported as refused."""
    from confluent_kafka import Producer

    return Producer({**producer_config(settings), **overrides})


def _admin(settings: Settings) -> AdminClient:
    from confluent_kafka.admin import AdminClient

    _knock(settings)
    # librdkafka logs every refused connection to stderr; the error that we raise says it once.
    return AdminClient({"bootstrap.servers": settings.kafka, "log_level": 2})


def _knock(settings: Settings) -> None:
    """Raise KafkaError at once when nobody listens: librdkafka would try for the whole timeout."""
    for server in settings.kafka.split(","):
        host, _, port = server.strip().rpartition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
            return
    raise KafkaError(f"Kafka at {settings.kafka} does not answer: nobody takes a connection there")


def _name(settings: Settings, topic: Topic) -> str:
    return settings.observations_topic if topic is OBSERVATIONS_TOPIC else topic.name


def _partition_count(settings: Settings, topic: Topic) -> int:
    return topic.partitions or settings.topic_partitions


def _partitions(admin: AdminClient, settings: Settings, name: str) -> list[int]:
    found = reach(settings, lambda: admin.list_topics(name, timeout=TIMEOUT_S)).topics[name]
    if found.error is not None:
        raise KafkaError(f"Kafka at {settings.kafka} has no topic {name}: {found.error.str()}")
    return sorted(found.partitions)


def _offsets(settings: Settings, spec: Any, topic: Topic) -> dict[int, int]:
    return {partition: found.offset for partition, found in _listed(settings, spec, topic).items()}


def _listed(settings: Settings, spec: Any, topic: Topic) -> dict[int, Any]:
    """By partition the record that is asked for, with its `offset` and `timestamp`."""
    from confluent_kafka import TopicPartition

    name = _name(settings, topic)
    # By one client: it has just heard who leads the partitions, which another would ask again.
    admin = _admin(settings)
    wanted = {TopicPartition(name, partition): spec for partition in _partitions(admin, settings, name)}

    def ask() -> dict[int, Any]:
        futures = admin.list_offsets(wanted, request_timeout=TIMEOUT_S)
        return {where.partition: future.result() for where, future in futures.items()}

    return reach(settings, ask)


def reach(settings: Settings, call: Callable[[], T]) -> T:
    """The call's result; KafkaError when the broker could not be reached, KafkaException for any other refusal."""
    from confluent_kafka import KafkaException

    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return call()
        except KafkaException as error:
            reason = error.args[0]
            is_unsettled = reason.name() in _UNSETTLED
            if reason.name() in _UNREACHABLE or (is_unsettled and time.monotonic() > deadline):
                raise KafkaError(f"Kafka at {settings.kafka} does not answer: {reason.str()}") from None
            if not is_unsettled:
                raise
            time.sleep(0.1)
