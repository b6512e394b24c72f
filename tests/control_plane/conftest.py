"""Airflow's four processes, started once for all tests of this folder: a start costs them half a minute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import running as running
from tests.integration.conftest import stream as stream
from weahouse.embedded import airflow
from weahouse.embedded.instance import start_all, stop_all
from weahouse.orchestration import rest
from weahouse.settings import Settings


@pytest.fixture(scope="package")
def started(platform: Settings) -> Iterator[Settings]:
    airflow.prepare(platform, print)
    start_all(platform, airflow.services(platform), print)
    yield platform
    stop_all(platform, airflow.COMPONENT_OF)


@pytest.fixture(scope="module")
def control_plane(started: Settings) -> Iterator[Settings]:
    """The platform with Airflow; every Dag is paused until a test wants it, and again when the module is over."""
    yield started
    rest.request(started, "PATCH", "dags?dag_id_pattern=%25", {"is_paused": True}, timeout=60.0)
