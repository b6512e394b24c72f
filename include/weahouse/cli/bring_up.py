"""The steps of `weahouse up`, from an empty folder to the first observation, each of which finds done what is done."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from weahouse.cli.errors import UserError
from weahouse.cli.state import remember_feed, remembered_feed
from weahouse.embedded.instance import FEED, Report
from weahouse.embedded.process import EmbeddedError, Service, running_pid, start, stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from weahouse.settings import Settings

# A minute is usual. On cores that are busy with other work a first, cold batch has taken five.
FIRST_OBSERVATION_S = 600.0
SUPERVISOR = "stream_supervision"
# What may stand in a home before its instance does: a bench's results, passwords made for a first start.
_BESIDE = {"bench", "secrets"}


@dataclass(frozen=True)
class Step:
    """One line of progress: `run` gets a reporter for what happens inside it."""

    title: str
    run: Callable[[Settings, Report], None]


def steps(feed: str) -> list[Step]:
    """What `up` does, in order."""
    return [
        Step("Kafka, Cassandra, HDFS and Postgres", _servers),
        Step("Topic, keyspace, tables and zones", _schema),
        Step("Station registry", _registry),
        Step("Archive of Spark's classes", _classes),
        Step("Airflow", _airflow),
        Step("Supervision of the stream", _supervision),
        Step(f"Feed: {feed}", lambda settings, report: _feed(settings, report, feed)),
        Step("First observation" if feed != "none" else "Stream", lambda s, report: _flowing(s, report, feed)),
        # Last: their applications of Spark would take the cores from the stream's first batch.
        Step("Scheduled Dags", _schedules),
    ]


def check_home(settings: Settings) -> None:
    """Refuse a folder that holds somebody's other things: `clean` deletes the whole of it."""
    home = settings.home
    strangers = {entry.name for entry in home.iterdir()} - _BESIDE if home.exists() else set()
    if strangers and not (home / "run").is_dir():
        raise UserError(f"WEAHOUSE_HOME={home} holds other things: name a folder that is empty or does not exist yet")


def _servers(settings: Settings, report: Report) -> None:
    from weahouse.embedded.instance import start_servers

    start_servers(settings, report)


def prepare_stores(settings: Settings, report: Report) -> None:
    """Topic, keyspace, tables, zones and station registry on servers that run, wherever they run."""
    _schema(settings, report)
    _registry(settings, report)


def _schema(settings: Settings, report: Report) -> None:
    from weahouse.embedded import health
    from weahouse.io.cassandra import create_schema
    from weahouse.io.hdfs import Hdfs
    from weahouse.io.kafka import ensure_topic
    from weahouse.schemas.topics import ALERTS_TOPIC, CLOCK_TOPIC

    if ensure_topic(settings):
        report(f"created topic {settings.observations_topic} with {settings.topic_partitions} partitions")
    for topic in (ALERTS_TOPIC, CLOCK_TOPIC):
        ensure_topic(settings, topic)
    create_schema(settings)
    hdfs = Hdfs(settings)
    for zone in ("raw", "curated", "gold", "checkpoints", "models", "progress"):
        hdfs.mkdirs(f"{settings.hdfs_root}/{zone}")
    health.prepare(settings)


def _registry(settings: Settings, report: Report) -> None:
    from weahouse.cli.feeds import import_default_stations
    from weahouse.io.lake import open_table
    from weahouse.schemas.gold import GOLD_STATIONS

    if open_table(settings, GOLD_STATIONS) is None:
        report(f"registered {import_default_stations(settings):,} stations")


def _classes(settings: Settings, report: Report) -> None:
    from weahouse.orchestration.class_archive import ensure

    ensure(settings, report)


def _airflow(settings: Settings, report: Report) -> None:
    from weahouse.embedded import airflow
    from weahouse.embedded.instance import start_all

    airflow.prepare(settings, report)
    start_all(settings, airflow.services(settings), report)


def _supervision(settings: Settings, report: Report) -> None:
    from weahouse.orchestration.driver import STOPPED, desired
    from weahouse.orchestration.rest import unpause

    unpause(settings, SUPERVISOR)
    if desired(settings) == STOPPED:
        report("the stream was stopped and stays so: `weahouse stream start` starts it")


def _feed(settings: Settings, report: Report, feed: str) -> None:
    if feed != remembered_feed(settings) or feed == "none":
        stop(settings.home, FEED)
    remember_feed(settings, feed)
    if feed == "none" or running_pid(settings.home, FEED):
        return
    command = (str(Path(sys.executable).with_name("weahouse")), "feed", "run", "--feed", feed)
    pid = start(Service(FEED, command, environment=settings.environment(), ready=lambda: True), settings.home)
    report(f"{FEED} is up, pid {pid}")


def _flowing(settings: Settings, report: Report, feed: str) -> None:
    """Wait until the stream runs and, when something is fed, until the first observation can be read."""
    from weahouse.orchestration.driver import STOPPED, desired
    from weahouse.orchestration.status import stream_status

    if desired(settings) == STOPPED:
        return
    deadline = time.monotonic() + FIRST_OBSERVATION_S
    told = ""
    while True:
        state = stream_status(settings)["state"]
        if state != told:
            report(f"the stream is {state}")
            told = state
        if state == "running" and (feed == "none" or _has_observation(settings)):
            return
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"the stream is {state} and no observation was readable after {FIRST_OBSERVATION_S:.0f} s: "
                f"see `weahouse logs stream`, `weahouse logs feed` and the task log of {SUPERVISOR}"
            )
        time.sleep(0.5)


def _schedules(settings: Settings, report: Report) -> None:
    from weahouse.orchestration.hand_runs import DAG_IDS
    from weahouse.orchestration.schedules import switch_on

    if switched := switch_on(settings, DAG_IDS):
        report(f"switched on {', '.join(switched)}")


def _has_observation(settings: Settings) -> bool:
    from weahouse.io.cassandra import rows
    from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION

    return any(True for _ in rows(settings, f"SELECT station_id FROM {OBSERVATIONS_BY_STATION.name} LIMIT 1"))
