"""Is each service of the instance of use right now? Asked by a round trip through it, not by its port.

Each check writes or asks something and wants it back; it returns the names that it found healthy, and any error it
raises means none. A service that hangs costs the limit and no more, because every check has a thread of its own.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import Any

from weahouse.embedded import airflow, postgres
from weahouse.embedded.process import running_pid
from weahouse.settings import Settings

TOPIC = "weahouse.health"
TABLE = "service_health"
# `weahouse status` has to answer within 3 s, of which Python's imports and the counts need one.
LIMIT_S = 1.8
# The driver beats every few seconds; a batch may keep it from beating, half a minute may not.
HEARTBEAT_LIMIT_S = 30.0
_HOUR_MS = 3_600_000
_DATA_SERVERS = ("kafka", "cassandra", "namenode", "datanode")
_WARM_UPS = 5

Check = Callable[[Settings], Iterable[str]]


def prepare(settings: Settings) -> None:
    """Create what the round trips go through where it is missing, a topic and a small table, and go through it once."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic

    short_lived = {"retention.ms": str(_HOUR_MS), "segment.ms": str(_HOUR_MS)}
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    created = admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1, config=short_lived)])[TOPIC]
    try:
        created.result()
    except KafkaException as error:
        if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
            raise
    _cql(settings, f"CREATE TABLE IF NOT EXISTS {_table(settings)} (asker text PRIMARY KEY, token_sent text)")
    # The first write through a cold DataNode takes longer than a check may.
    for _ in range(_WARM_UPS):
        if len(healthy(settings, _DATA_SERVERS)) == len(_DATA_SERVERS):
            return


def healthy(settings: Settings, names: Iterable[str]) -> set[str]:
    """Those of the named services whose round trip came back within the limit, all asked at once."""
    wanted = set(names)
    found: set[str] = set()

    def ask(check: Check) -> None:
        # A client's errors are many and all mean the same here: not healthy.
        with suppress(Exception):
            found.update(check(settings))

    # Daemons, because an executor would wait at exit for a client that hangs in a dead connection.
    threads = [Thread(target=ask, args=(check,), daemon=True) for names, check in CHECKS if wanted & set(names)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + LIMIT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return wanted & found


def _kafka(settings: Settings) -> Iterable[str]:
    from confluent_kafka import Consumer, Message, Producer, TopicPartition

    delivered: list[Message] = []
    token = uuid.uuid4().bytes
    # librdkafka writes every refused connection to stderr otherwise, into the user's terminal.
    quiet = {"bootstrap.servers": settings.kafka, "log_level": 0}
    producer = Producer({**quiet, "acks": "all", "linger.ms": 0})
    producer.produce(TOPIC, token, on_delivery=lambda error, message: None if error else delivered.append(message))
    producer.flush(LIMIT_S)
    (sent,) = delivered
    consumer = Consumer({**quiet, "group.id": TOPIC, "enable.auto.commit": False, "fetch.wait.max.ms": 20})
    try:
        consumer.assign([TopicPartition(TOPIC, 0, sent.offset() or 0)])
        received = consumer.poll(LIMIT_S)
        return ["kafka"] if received is not None and received.value() == token else []
    finally:
        consumer.close()


def _cassandra(settings: Settings) -> Iterable[str]:
    # A row of its own for each asker: two at once must not read each other's token.
    token, table = uuid.uuid4().hex, _table(settings)
    rows = _cql(
        settings,
        f"INSERT INTO {table} (asker, token_sent) VALUES ('{token}', '{token}') USING TTL 60",
        f"SELECT token_sent FROM {table} WHERE asker = '{token}'",
    )
    return ["cassandra"] if [row.token_sent for row in rows] == [token] else []


def _namenode(settings: Settings) -> Iterable[str]:
    _webhdfs(settings, "GET", "/", "GETFILESTATUS")
    return ["namenode"]


def _datanode(settings: Settings) -> Iterable[str]:
    token = uuid.uuid4().hex
    path = f"{settings.hdfs_root}/health/{token}"
    where = json.loads(_webhdfs(settings, "PUT", path, "CREATE&noredirect=true"))["Location"]
    _http("PUT", where, token.encode())
    try:
        return ["datanode"] if _webhdfs(settings, "GET", path, "OPEN") == token.encode() else []
    finally:
        _webhdfs(settings, "DELETE", path, "DELETE")


def _postgres(settings: Settings) -> Iterable[str]:
    import psycopg2

    connection = psycopg2.connect(**postgres.connect_arguments(settings), connect_timeout=int(LIMIT_S))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return ["postgres"] if cursor.fetchone() == (1,) else []
    finally:
        connection.close()


def _airflow(settings: Settings) -> Iterable[str]:
    components = airflow.health(settings, LIMIT_S)
    # Airflow believes in a dead component for half a minute; its pid knows better.
    return [
        name
        for name, component in airflow.COMPONENT_OF.items()
        if components.get(component) == "healthy" and running_pid(settings.home, name)
    ]


def _stream(settings: Settings) -> Iterable[str]:
    driver = json.loads(_webhdfs(settings, "GET", f"{settings.hdfs_root}/progress/driver.json", "OPEN"))
    heartbeat = datetime.fromisoformat(driver["heartbeat_at"])
    age = (datetime.now(UTC) - heartbeat).total_seconds()
    return ["stream"] if age < HEARTBEAT_LIMIT_S and running_pid(settings.home, "stream") else []


def _feed(settings: Settings) -> Iterable[str]:
    return ["feed"] if running_pid(settings.home, "feed") else []


CHECKS: tuple[tuple[tuple[str, ...], Check], ...] = (
    (("kafka",), _kafka),
    (("cassandra",), _cassandra),
    (("namenode",), _namenode),
    (("datanode",), _datanode),
    (("postgres",), _postgres),
    (tuple(airflow.COMPONENT_OF), _airflow),
    (("stream",), _stream),
    (("feed",), _feed),
)


def _table(settings: Settings) -> str:
    return f"{settings.cassandra_keyspace}.{TABLE}"


def _webhdfs(settings: Settings, method: str, path: str, operation: str) -> bytes:
    """The DataNode's own client closes a file at once; hdfs-native would sleep half a second for most of them."""
    user = os.environ.get("HADOOP_USER_NAME", "weahouse")
    return _http(method, f"{settings.webhdfs}/webhdfs/v1{path}?user.name={user}&op={operation}")


def _http(method: str, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, body, method=method)
    with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:
        return bytes(answer.read())


def _cql(settings: Settings, *statements: str) -> list[Any]:
    """Run the statements one after the other; the rows of the last.

    Through the C++ driver, whose import and connection take 0.1 s of CPU where the other takes 0.5 s.
    """
    import asyncio

    import acsylla

    async def run() -> list[Any]:
        cluster = acsylla.create_cluster(
            [host for host, _ in settings.cassandra],
            port=settings.cassandra[0][1],
            connect_timeout=LIMIT_S,
            request_timeout=LIMIT_S,
            num_threads_io=1,
            use_schema=False,
            log_level="CRITICAL",
        )
        session = await cluster.create_session()
        try:
            for statement in statements:
                result = await session.execute(acsylla.create_statement(statement))
            return list(result)
        finally:
            await session.close()

    return asyncio.run(run())
