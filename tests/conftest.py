"""One set of servers for the whole run and one Spark session in each of its processes, in homes and on ports of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from weahouse.settings import Settings


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one process whatever needs the servers, in its order, and each other file as a whole in any."""
    for item in items:
        needs_servers = "platform" in item.fixturenames  # type: ignore[attr-defined]
        item.add_marker(pytest.mark.xdist_group("servers" if needs_servers else item.nodeid.partition("::")[0]))


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
