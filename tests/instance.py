"""The tests' instance: a home and ports of its own, servers and one Spark session; also for suites without pytest.

Import this before anything of Airflow or Spark: both read their environment once.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from weahouse.settings import ROOT, Settings, from_environment, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

# Two runs at once need two homes and two offsets; so do the processes of one run, which have names like gw1.
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
HOME = Path(os.environ.get("WEAHOUSE_TEST_HOME", ROOT / ".weahouse-test")).resolve() / _PROCESS
PORT_OFFSET = str(int(os.environ.get("WEAHOUSE_TEST_PORT_OFFSET", "20000")) + 500 * int(_PROCESS[2:] or 0))

# An instance that the person at the keyboard has configured must not leak into the tests; where these run must reach
# the run's processes.
_LEAKING = ("WEAHOUSE_", "AIRFLOW_", "SPARK_", "PYSPARK_")
for _name in [name for name in os.environ if name.startswith(_LEAKING) and not name.startswith("WEAHOUSE_TEST_")]:
    del os.environ[_name]
TEST_SETTINGS = from_environment(
    {
        "WEAHOUSE_HOME": str(HOME),
        "WEAHOUSE_PORT_OFFSET": PORT_OFFSET,
        "WEAHOUSE_SERVING_RETENTION_DAYS": "0",
        # Tests wait for batches; nothing they check depends on the pace.
        "WEAHOUSE_OBSERVATIONS_TRIGGER": "1s",
        "WEAHOUSE_OBSERVATIONS_LEAST_RECORDS": "1",
        "WEAHOUSE_ARCHIVE_TRIGGER": "2s",
        "WEAHOUSE_ARCHIVE_LEAST_RECORDS": "1",
        "WEAHOUSE_ALERT_RULES": str(ROOT / "tests" / "data" / "alert_rules.yaml"),
    }
)
os.environ.update(TEST_SETTINGS.environment())
os.environ["TZ"] = "UTC"
time.tzset()


class HomeTakenError(RuntimeError):
    """Another run uses the home; says what to do."""


@contextmanager
def clean_home() -> Iterator[None]:
    """An empty home at the start; what runs at the end is stopped, what was written stays to be looked at."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    lock = HOME.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HomeTakenError(
            f"another test run uses {HOME}: wait, or set WEAHOUSE_TEST_HOME and WEAHOUSE_TEST_PORT_OFFSET"
        ) from None
    _stop_everything()
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    settings.cache_clear()
    try:
        yield
    finally:
        _stop_everything()
        lock.close()


def _stop_everything() -> None:
    """Stop whatever a pid file of the tests' home names, also of an earlier run; Airflow goes before the stream."""
    from weahouse.embedded.instance import SERVICES, STREAM
    from weahouse.embedded.process import stop

    # Streams apart have homes of their own below this one.
    for stream in HOME.glob(f"**/run/{STREAM}.pid"):
        stop(stream.parents[1], STREAM)
    for name in (*[name for name in reversed(SERVICES) if name.startswith("airflow")], STREAM, *SERVICES):
        stop(HOME, name)


@contextmanager
def spark_session() -> Iterator[SparkSession]:
    """A session with the configuration of the platform's own applications."""
    from bench.session import local_session

    from weahouse.embedded.jars import resolve
    from weahouse.orchestration import class_archive
    from weahouse.orchestration.spark_submit import spark_conf

    resolve(TEST_SETTINGS, print)
    class_archive.ensure(TEST_SETTINGS, print)
    options = "spark.driver.extraJavaOptions"
    session = local_session(
        TEST_SETTINGS,
        "tests",
        "local[2]",
        **{
            # The catalog makes this folder with the first table: without a scheme on HDFS, which not every test starts.
            "spark.sql.warehouse.dir": f"file:{HOME}/spark/warehouse",
            # The default of 1 GB is full after half of the tests: what they checkpoint goes when the JVM collects it.
            "spark.driver.memory": "2g",
            # It lives long enough for the JVM's second compiler, which the Makefile denies to all others: after four
            # minutes the same plans take three quarters of the CPU.
            options: f"{spark_conf(TEST_SETTINGS, 'tests')[options]} -XX:TieredStopAtLevel=4",
        },
    )
    try:
        yield session
    finally:
        session.stop()


def start_platform() -> Settings:
    """Real Kafka, Cassandra, HDFS and Postgres, with topic, tables and zones."""
    from weahouse.embedded.instance import start_servers
    from weahouse.io.cassandra import create_schema
    from weahouse.io.hdfs import Hdfs
    from weahouse.io.kafka import ensure_topic

    start_servers(TEST_SETTINGS, print)
    ensure_topic(TEST_SETTINGS)
    create_schema(TEST_SETTINGS)
    Hdfs(TEST_SETTINGS).mkdirs(TEST_SETTINGS.hdfs_root)
    return TEST_SETTINGS
