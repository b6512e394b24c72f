"""The bench's own Kafka, Cassandra and HDFS, and how their tables are emptied again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from weahouse.embedded.instance import start_servers, stop_servers
from weahouse.io.cassandra import connect, create_schema
from weahouse.io.hdfs import Hdfs
from weahouse.orchestration import class_archive, driver
from weahouse.schemas.serving_tables import SERVING_TABLES

if TYPE_CHECKING:
    from weahouse.settings import Settings


@contextmanager
def servers(settings: Settings) -> Iterator[None]:
    """The three servers with the serving tables, stopped afterwards with whatever runs on them."""
    try:
        start_servers(settings, print, only=("kafka", "cassandra", "namenode", "datanode"))
        create_schema(settings)
        class_archive.ensure(settings, print)
        yield
    finally:
        driver.stop(settings, keep_desired=True)
        stop_servers(settings)


def forget(settings: Settings) -> None:
    """Empty every table and checkpoint under the instance's root: its topic is read again from its beginning."""
    driver.stop(settings, keep_desired=True)
    Hdfs(settings).delete(settings.hdfs_root)
    session = connect(settings)
    for table in SERVING_TABLES:
        session.execute(f"TRUNCATE {table.name}")
    session.cluster.shutdown()


def cpu_seconds(process: psutil.Process) -> float:
    """CPU seconds of a process and its descendants, those that have ended included."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
