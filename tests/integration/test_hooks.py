"""The providers' hooks as our tasks and pages use them, each against its real server."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.integration.apart import Apart, apart
from tests.rows import event

from weahouse.embedded.airflow import connections
from weahouse.io.hdfs import Hdfs
from weahouse.orchestration.assets import lake_files
from weahouse.orchestration.ingest_hours import HOUR, hour_of
from weahouse.orchestration.lake_files import CountFilesOperator
from weahouse.orchestration.model_cards import CardsUnreachableError, read_card
from weahouse.orchestration.operators import PlanUnitOperator
from weahouse.orchestration.proofs import CountServedOperator
from weahouse.orchestration.sensors import TableSensor
from weahouse.orchestration.topic_offsets import TopicOffsets
from weahouse.schemas.datasets import RAW_OBSERVATIONS
from weahouse.schemas.render import path
from weahouse.settings import Settings, settings

CELLS = {
    "observations_by_station": "(station_id, day, observed_at) VALUES ('a', '2024-05-01', '2024-05-01 12:00:00+0000')",
    "summaries_by_station": "(station_id, day, window_start) VALUES ('a', '2024-05-01', '2024-05-01 12:00:00+0000')",
}


def connect(patch: pytest.MonkeyPatch, instance: Settings) -> None:
    """What Airflow's processes find in their environment."""
    for name, value in connections(instance).items():
        patch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(value))


@pytest.fixture(scope="module")
def stream(platform: Settings) -> Iterator[Apart]:
    """An empty topic, keyspace and lake, as the settings and the connections of this process name them."""
    stream = apart(platform, "hooks")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stream.settings.environment().items():
            patch.setenv(name, value)
        connect(patch, stream.settings)
        settings.cache_clear()
        yield stream
    settings.cache_clear()


def test_kafka_tells_of_a_plan_how_far_the_topic_reaches(stream: Apart):
    before = datetime.now(UTC)
    stream.send(*[event(station_id=station) for station in "abc"])
    offsets = TopicOffsets()
    assert sum(offsets.end().values()) - sum(offsets.first().values()) == 3
    assert offsets.since(before) == offsets.first()
    assert offsets.since(datetime.now(UTC)) == offsets.end()


def test_kafka_tells_of_a_plan_where_the_unit_of_an_open_hour_ends(stream: Apart):
    now = datetime.now(UTC)
    context = {"dag_run": SimpleNamespace(conf={}), "dag": SimpleNamespace(params={})}
    over, is_open = (
        PlanUnitOperator(task_id="plan", ingest_hour=hour_of(at)).execute(context) for at in (now - 2 * HOUR, now)
    )
    end = {str(partition): offset for partition, offset in TopicOffsets().end().items()}
    assert (is_open["end"], is_open["until"]) == (end, end)
    assert (over["end"], over["until"]) == (over["begin"], {})


def test_cassandra_tells_before_a_proof_whether_it_serves_anything(stream: Apart):
    count = CountServedOperator(task_id="count")
    with pytest.raises(AirflowFailException, match="nothing of observations_by_station and summaries_by_station"):
        count.execute({})
    for table, cell in CELLS.items():
        stream.served(f"INSERT INTO {table} {cell}")
    assert count.execute({}) == dict.fromkeys(CELLS, 1)


def test_hdfs_tells_whether_a_table_is_there_and_how_many_files_it_has(stream: Apart):
    folder, hdfs = path(RAW_OBSERVATIONS, stream.settings.hdfs_root), Hdfs(stream.settings)
    awaited = TableSensor(task_id="wait", dataset=RAW_OBSERVATIONS)
    assert (awaited.poke({}), CountFilesOperator(task_id="count").execute({})) == (False, {})
    for file in ("_delta_log/00000000000000000000.json", "ingest_hour=2024-05-01T13/a", "ingest_hour=2024-05-01T13/b"):
        hdfs.write_json(f"{folder}/{file}", {})
    assert awaited.poke({})

    before = {RAW_OBSERVATIONS.name: {"data_files": 2, "log_files": 1, "bytes": 6}}
    assert CountFilesOperator(task_id="count", only=RAW_OBSERVATIONS.name).execute({}) == before
    assert CountFilesOperator(task_id="count", only="curated.observations").execute({}) == {}
    hdfs.delete(f"{folder}/ingest_hour=2024-05-01T13/a")
    told = {"before": before, "compact": {"partitions": 1}}
    events: Any = defaultdict(SimpleNamespace)
    after = CountFilesOperator(task_id="after", before="before", compaction="compact", outlets=[lake_files()])
    found = after.execute({"ti": SimpleNamespace(xcom_pull=lambda task_ids: told[task_ids]), "outlet_events": events})
    assert found[RAW_OBSERVATIONS.name]["data_files"] == 1
    assert events[lake_files()].extra == {"before": before, "after": found, "compaction": {"partitions": 1}}


def test_pages_say_so_where_hdfs_does_not_answer(stream: Apart, monkeypatch: pytest.MonkeyPatch):
    assert read_card("learned", "v1") is None
    # Where nobody listens.
    value = {"conn_type": "webhdfs", "host": "127.0.0.1", "port": 1, "login": "weahouse"}
    monkeypatch.setenv("AIRFLOW_CONN_WEBHDFS_DEFAULT", json.dumps(value))
    with pytest.raises(CardsUnreachableError, match="HDFS does not answer"):
        read_card("learned", "v1")
