"""Offsets of the observations topic through the Kafka provider's connection, as Dags and triggers ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.apache.kafka.hooks.client import KafkaAdminClientHook
from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from weahouse.settings import settings

if TYPE_CHECKING:
    from datetime import datetime

KAFKA_CONNECTION = "kafka_default"
_TIMEOUT_S = 5.0
# What a broker answers for a partition in which nothing was appended since.
_NONE_SINCE = -1


class TopicOffsets:
    """One admin client's view of the topic; every method gives offsets by partition, or raises KafkaException."""

    def __init__(self, connection: str = KAFKA_CONNECTION) -> None:
        self._admin = KafkaAdminClientHook(connection).get_conn
        self._topic = settings().observations_topic

    def first(self) -> dict[int, int]:
        """The first record that is kept."""
        return self._ask(OffsetSpec.earliest())

    def end(self) -> dict[int, int]:
        """The one that the next record gets."""
        return self._ask(OffsetSpec.latest())

    def since(self, moment: datetime) -> dict[int, int]:
        """The first record that was appended at or after a time, or the end where there is none."""
        # Asked for before: what is appended meanwhile then counts as since.
        end = self.end()
        found = self._ask(OffsetSpec.for_timestamp(int(moment.timestamp() * 1000)))
        return {partition: end[partition] if offset == _NONE_SINCE else offset for partition, offset in found.items()}

    def _ask(self, spec: Any) -> dict[int, int]:
        partitions = self._admin.list_topics(self._topic, timeout=_TIMEOUT_S).topics[self._topic].partitions
        asked = {TopicPartition(self._topic, partition): spec for partition in partitions}
        answers = self._admin.list_offsets(asked, request_timeout=_TIMEOUT_S)
        return {where.partition: future.result().offset for where, future in answers.items()}
