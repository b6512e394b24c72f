"""Airflow's four processes, started once for all tests of this folder: a start costs them half a minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from tests.control_plane.dag_runs import DagRun
from tests.integration.conftest import Stream
from tests.integration.conftest import running as running
from tests.integration.conftest import stream as stream
from tests.rows import event
from weahouse.embedded import airflow
from weahouse.embedded.instance import start_all, stop_all
from weahouse.orchestration import rest
from weahouse.orchestration.ingest_hours import hour_of
from weahouse.settings import Settings

CURATION, GOLD = "observation_curation", "gold_aggregation"


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


class ByHand(NamedTuple):
    """The hour that was curated, and when its readings began to be sent."""

    hour: str
    since: datetime


@pytest.fixture(scope="package")
def curated_by_hand(started: Settings, running: Stream) -> ByHand:
    """The open hour, curated while Gold waits for it; a run costs two applications of Spark."""
    running.start()
    for dag_id in (CURATION, GOLD):
        rest.unpause(started, dag_id)
    since = datetime.now(UTC)
    hour = hour_of(since)
    of_gold = event(station_id="for-gold", observed_at="2024-05-01T12:10:00Z", air_temperature_c=4.0)
    running.send(event(station_id="curated-by-hand", air_temperature_c=4.0), of_gold, b"no JSON")
    DagRun.trigger(started, CURATION, {"ingest_hour": hour}).await_state("success")
    return ByHand(hour, since)
