"""A second stream on the tests' servers, with its own topic, root and keyspace: for what would disturb the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.integration.conftest import Stream, eventually

from weahouse.io.cassandra import create_schema
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import begin_offsets, end_offsets, ensure_topic, topic_id
from weahouse.orchestration import driver
from weahouse.orchestration.status import stream_status

if TYPE_CHECKING:
    from weahouse.settings import Settings

PARTITIONS = 3
# Small enough that a load of some thousand records takes several batches, between which drivers are killed.
MOST_RECORDS_A_BATCH = 2000


@dataclass
class Apart(Stream):
    """A stream that a test may ruin."""

    @property
    def hdfs(self) -> Hdfs:
        return Hdfs(self.settings)

    def kill(self) -> None:
        pid = driver.live_pid(self.settings)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        self.await_end()

    def await_end(self) -> None:
        eventually(lambda: driver.live_pid(self.settings) is None, "the end of the driver", 180)

    def refusal(self) -> dict[str, Any]:
        """Start a driver, wait until it has ended by itself, and give what status says of it."""
        driver.start(self.settings)
        self.await_end()
        return stream_status(self.settings)

    def weahouse(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "weahouse.cli", *arguments]
        environment = {**os.environ, **self.settings.environment()}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def recreate_topic(self) -> None:
        before = topic_id(self.settings)
        name = self.settings.observations_topic
        client = admin(self.settings)
        client.delete_topics([name])[name].result()

        def is_new() -> bool:
            # The broker forgets a topic a moment after it has agreed to.
            with suppress(Exception):
                ensure_topic(self.settings)
                return topic_id(self.settings) != before
            return False

        eventually(is_new, "another topic of the same name", 60)

    def expire(self, keep: int = 0) -> None:
        """Let the topic forget all of its records but the last `keep` of each partition."""
        from confluent_kafka import TopicPartition

        begin, end = begin_offsets(self.settings), end_offsets(self.settings)
        name = self.settings.observations_topic
        before = [TopicPartition(name, p, max(begin[p], last - keep)) for p, last in end.items()]
        client = admin(self.settings)
        for future in client.delete_records(before).values():
            future.result()

    def gaps(self) -> list[dict[str, Any]]:
        return self.lake("SELECT * FROM curated.gaps ORDER BY noticed_at, partition, from_offset")


def apart(platform: Settings, name: str, **changes: Any) -> Apart:
    """A stream of its own on the platform's servers; not started yet."""
    settings = replace(
        platform,
        home=platform.home / name,
        observations_topic=name,
        hdfs_root=f"/{name}",
        cassandra_keyspace=name,
        **{"topic_partitions": PARTITIONS, "max_offsets_per_trigger": MOST_RECORDS_A_BATCH} | changes,
    )
    ensure_topic(settings)
    create_schema(settings)
    Hdfs(settings).mkdirs(settings.hdfs_root)
    return Apart(settings)


def admin(settings: Settings) -> Any:
    """An admin client; hold it until its answers have come."""
    from confluent_kafka.admin import AdminClient

    return AdminClient({"bootstrap.servers": settings.kafka, "log_level": 2})
