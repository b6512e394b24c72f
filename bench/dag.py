"""From the REST trigger of a Dag to the first job of its Spark application, and what the time goes into.

Airflow's processes get an appender of Spark's own log, by which the application tells when it does what; nothing else
differs from how the platform runs.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from bench.instance import forget
from bench.results import Sample
from bench.unit import HOUR, STATIONS, fill
from weahouse.batch.curation import curate
from weahouse.embedded import airflow
from weahouse.embedded.instance import start_all, start_servers, stop_all
from weahouse.orchestration import dag_runs, rest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.context import Bench
    from weahouse.settings import Settings

NAME = "dag.trigger_to_work"
_DAG, _TASK, _CONF = "gold_aggregation", "aggregate_gold", {"ingest_hours": [HOUR]}
_READINGS = 10 * STATIONS
_ENDED_WITHIN_S = 300.0
# Epoch milliseconds, milliseconds since the JVM was started, the class, the message.
_PATTERN = "%d{UNIX_MILLIS} %r %c{1} %m%n"
_LINE = re.compile(r"(\d{13}) (\d+) (\S+) (.*)")
# What tells of a moment: the class and how its message begins.
_TOLD_BY = {
    "context": ("SparkContext", "Running Spark version"),
    "session": ("SharedState", "Warehouse path is"),
    # A job, or a stage whose rows are placed before the rest is planned.
    "job": ("DAGScheduler", "Got "),
}
_CLASSES = (
    "org.apache.spark.SparkContext",
    "org.apache.spark.sql.internal.SharedState",
    "org.apache.spark.scheduler.DAGScheduler",
)


class Moments(NamedTuple):
    """Of an application, in epoch seconds: its JVM begins, Spark begins, the session is there, the first job begins."""

    jvm: float
    context: float
    session: float
    job: float


def measure(bench: Bench) -> None:
    """Curate a small unit, start Airflow, and trigger the Dag as often as there are runs."""
    settings = bench.at(hdfs_root="/dag")
    forget(settings)
    bench.step("dag: curating a small unit")
    fill(bench.spark, settings, _READINGS)
    curate(bench.spark, settings, HOUR)
    log = settings.home / "logs" / "dag_spark.log"
    parts: defaultdict[str, list[float]] = defaultdict(list)
    with _control_plane(settings, log):
        rest.unpause(settings, _DAG)
        for run in range(bench.sizes.runs):
            bench.step(f"dag, run {run + 1}")
            told = _triggered(settings, log)
            bench.add(NAME, Sample(sum(told.values())))
            for name, seconds in told.items():
                parts[name].append(seconds)
    bench.extra[NAME] = {"parts_s": {name: round(median(seconds), 3) for name, seconds in parts.items()}}
    forget(settings)


@contextmanager
def _control_plane(settings: Settings, log: Path) -> Iterator[None]:
    """Airflow's processes; the applications of its tasks tell their moments in `log`."""
    config = settings.home / "conf" / "log4j2-of-bench.properties"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(log_config(log))
    start_servers(settings, print, only=("postgres",))
    airflow.prepare(settings, print)
    option = {"JAVA_TOOL_OPTIONS": f"-Dlog4j2.configurationFile=file:{config}"}
    services = [replace(each, environment={**each.environment, **option}) for each in airflow.services(settings)]
    try:
        start_all(settings, services, print)
        yield
    finally:
        stop_all(settings, (*airflow.COMPONENT_OF, "postgres"))


def log_config(log: Path) -> str:
    """Spark's log on stderr from WARN, as ever, and what tells of a moment in a file."""
    lines = [
        "rootLogger.level = warn",
        "rootLogger.appenderRef.stderr.ref = stderr",
        "appender.stderr.type = Console",
        "appender.stderr.name = stderr",
        "appender.stderr.target = SYSTEM_ERR",
        "appender.stderr.layout.type = PatternLayout",
        "appender.stderr.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex",
        "appender.told.type = File",
        "appender.told.name = told",
        f"appender.told.fileName = {log}",
        "appender.told.layout.type = PatternLayout",
        f"appender.told.layout.pattern = {_PATTERN}",
    ]
    for number, name in enumerate(_CLASSES):
        lines += [f"logger.c{number}.name = {name}", f"logger.c{number}.level = info"]
        lines += [f"logger.c{number}.additivity = false", f"logger.c{number}.appenderRef.told.ref = told"]
    return "\n".join(lines) + "\n"


def moments(log: str) -> Moments:
    """When an application did what, by its own log; raises RuntimeError where it does not tell."""
    found: dict[str, float] = {}
    for line in log.splitlines():
        if told := _LINE.fullmatch(line):
            at_s, since_jvm_s = (int(number) / 1000 for number in told.groups()[:2])
            for name, (class_, begin) in _TOLD_BY.items():
                if told[3] == class_ and told[4].startswith(begin):
                    found.setdefault("jvm", at_s - since_jvm_s)
                    found.setdefault(name, at_s)
    if found.keys() != set(Moments._fields):
        raise RuntimeError(f"the application told only of {sorted(found)}: see its task's log")
    return Moments(**found)


def parts_of(triggered_s: float, task_s: float, told: Moments) -> dict[str, float]:
    """What the time from a trigger to the first job went into, in seconds."""
    return {
        "Airflow: the run is scheduled, `choose_units` runs, `aggregate_gold` starts": task_s - triggered_s,
        "the task: its process, spark-submit's script and the JVM that renders the command": told.jvm - task_s,
        "the JVM and Python until Spark's context begins": told.context - told.jvm,
        "Spark's context, until the session has a catalog": told.session - told.context,
        "reading the ledger and Delta's logs, the first plan": told.job - told.session,
    }


def _triggered(settings: Settings, log: Path) -> dict[str, float]:
    """Trigger the Dag, wait for its end, and tell what went on until the first job."""
    seen = log.stat().st_size if log.exists() else 0
    began = time.time()
    run = dag_runs.trigger(settings, _DAG, _CONF, "make bench")
    *_, last = dag_runs.looks(settings, run, time.monotonic() + _ENDED_WITHIN_S)
    if last.state != dag_runs.SUCCESS:
        raise RuntimeError(f"the run is {last.state}: see its tasks' logs in {settings.home}/airflow/logs")
    task = rest.request(settings, "GET", f"{run.path}/taskInstances/{_TASK}", timeout=60.0)
    with log.open() as told:
        told.seek(seen)
        text = told.read()
    return parts_of(began, datetime.fromisoformat(task["start_date"]).timestamp(), moments(text))
