from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from weahouse.embedded import health
from weahouse.embedded.instance import SERVICES, service_states, start_all, start_servers
from weahouse.embedded.postgres import connect_arguments
from weahouse.embedded.postgres import service as postgres_service
from weahouse.embedded.process import running_pid, stop
from weahouse.embedded.servers import PORTS_OF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.settings import Settings


@pytest.fixture(scope="module")
def servers(platform: Settings) -> Settings:
    health.prepare(platform)
    return platform


@pytest.fixture
def other_instance(platform: Settings, tmp_path: Path) -> Iterator[Settings]:
    # pytest's folder is closed (0700) to everyone else, as a checkout under /root is to Postgres's user.
    other = replace(platform, home=tmp_path / "home", port_offset=platform.port_offset + 100)
    other.home.mkdir()
    yield other
    stop(other.home, "postgres")


def status_of(settings: Settings) -> tuple[int, dict[str, object]]:
    command = (str(Path(sys.executable).with_name("weahouse")), "status", "--json")
    run = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
    return run.returncode, json.loads(run.stdout)


def test_every_server_answers_its_round_trip(servers: Settings) -> None:
    states = service_states(servers, PORTS_OF)
    assert [name for name, state in states.items() if not state["healthy"]] == []
    assert {name: state["pid"] for name, state in states.items()} == {
        name: running_pid(servers.home, name) for name in PORTS_OF
    }


def test_starting_again_adopts_what_runs_within_seconds(servers: Settings) -> None:
    before = {name: running_pid(servers.home, name) for name in PORTS_OF}
    begun = time.monotonic()
    start_servers(servers, print)
    assert {name: running_pid(servers.home, name) for name in PORTS_OF} == before
    assert time.monotonic() - begun < 5


def test_status_is_json_and_tells_what_is_down_by_its_exit_code(servers: Settings) -> None:
    code, document = status_of(servers)
    assert code == 3
    services = document["services"]
    assert isinstance(services, dict)
    assert set(services) <= set(SERVICES)
    assert services["kafka"]["healthy"]
    assert not services["airflow-scheduler"]["healthy"]
    assert set(document) == {"services", "stream", "counts"}


def test_status_of_an_instance_that_does_not_run_is_json_with_nulls(other_instance: Settings) -> None:
    code, document = status_of(other_instance)
    assert code == 3
    assert document["counts"] == dict.fromkeys(("kafka", "raw", "curated", "quarantined", "late", "alerts_active"))


def test_postgres_runs_in_a_folder_that_its_user_may_not_enter(other_instance: Settings) -> None:
    start_all(other_instance, [postgres_service(other_instance)], print)
    with psycopg2.connect(**connect_arguments(other_instance)) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("20s",)
    connection.close()


def test_postgres_keeps_its_data_and_refuses_a_wrong_password(other_instance: Settings) -> None:
    server = postgres_service(other_instance)
    start_all(other_instance, [server], print)
    with psycopg2.connect(**connect_arguments(other_instance)) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    connection.close()
    stop(other_instance.home, "postgres")
    start_all(other_instance, [server], print)
    with psycopg2.connect(**connect_arguments(other_instance)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM kept")
        assert cursor.fetchone() == (42,)
    connection.close()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(**(connect_arguments(other_instance) | {"password": "guess"}))
