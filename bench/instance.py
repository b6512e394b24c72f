"""The bench's own Kafka, Cassandra and HDFS, what it loads them with, and how it empties them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from rich.progress import track

from weahouse.embedded.instance import start_servers, stop_servers
from weahouse.io.cassandra import connect, create_schema
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import ensure_topic
from weahouse.orchestration import driver
from weahouse.schemas.datasets import SERVING_TABLES
from weahouse.sources import simulator
from weahouse.sources.network import network
from weahouse.sources.producer import send_all

if TYPE_CHECKING:
    from weahouse.settings import Settings
    from weahouse.sources.records import Record

STATIONS = 500
# The first day of the load: a fixed one, so that every run of the bench measures the same records.
FIRST_S = 1_700_000_000
INTERVAL_S = 60
# Minutes of the network that are computed at once.
_CHUNK = 50


@contextmanager
def servers(settings: Settings) -> Iterator[None]:
    """The three servers with topic and tables, stopped afterwards with whatever runs on them."""
    start_servers(settings, print, only=("kafka", "cassandra", "namenode", "datanode"))
    try:
        ensure_topic(settings)
        create_schema(settings)
        yield
    finally:
        driver.stop(settings)
        stop_servers(settings)


def preload(settings: Settings, records: int) -> None:
    """Readings of 500 stations, one a minute, in order of time."""
    stations = network(seed=1, size=STATIONS)

    def load() -> Iterator[Record]:
        minutes = records // STATIONS
        for first in track(range(0, minutes, _CHUNK), description="preloading"):
            at = np.repeat(np.arange(first, min(first + _CHUNK, minutes)) * INTERVAL_S + FIRST_S, STATIONS)
            station = np.tile(np.arange(STATIONS), len(at) // STATIONS)
            readings = simulator.measure(stations, station, at, float(INTERVAL_S))
            yield from simulator.records(stations, station, at, readings)

    sender = send_all(settings, load(), None, lambda _: None)
    if sender.refusals:
        raise RuntimeError(f"the broker refused {len(sender.refusals)} records: {sender.refusals[0]}")


def forget(settings: Settings) -> None:
    """Empty every table and checkpoint: the same topic is read again from its beginning."""
    driver.stop(settings)
    Hdfs(settings).delete(settings.hdfs_root)
    session = connect(settings)
    for table in SERVING_TABLES:
        session.execute(f"TRUNCATE {table.name}")
    session.cluster.shutdown()
