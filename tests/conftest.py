"""In each process of a run one Spark session and, where they are needed, one set of servers, in a home of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests import instance, processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> processes.Scheduling:
    return processes.Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what needs servers; refuse a test for which one more process would start some."""
    items.sort(key=lambda item: processes.place_of(item.nodeid))
    for item in items:
        has_servers = processes.part_of(item.nodeid) in processes.WITH_SERVERS
        if "platform" in item.fixturenames and not has_servers:  # type: ignore[attr-defined]
            raise pytest.UsageError(f"{item.nodeid} needs servers: name its file in tests/processes.py")


@pytest.fixture(scope="session", autouse=True)
def clean_home() -> Iterator[None]:
    """An empty home at the start; what runs at the end is stopped, what was written stays to be looked at."""
    try:
        with instance.clean_home():
            yield
    except instance.HomeTakenError as error:
        pytest.exit(str(error), 2)


@pytest.fixture(scope="session")
def spark(clean_home: None) -> Iterator[SparkSession]:
    """The session of all tests, with the configuration of the platform's own applications."""
    with instance.spark_session() as session:
        yield session


@pytest.fixture(scope="session")
def platform(clean_home: None) -> Settings:
    """Real Kafka, Cassandra, HDFS and Postgres, with topic, tables and zones."""
    return instance.start_platform()
