"""Every host, port, topic and path of an instance, read once from the environment.

An *instance* is one home folder plus one port offset: two of them run side by side from one checkout.
Durations are given as a number and a unit (`90s`, `15m`, `6h`, `2d`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"

# The servers' own well-known ports. All of them plus the tests' offset (20,000) stay below 32,768, where Linux
# begins to hand out ports to outgoing connections and a server could find its own taken.
PORTS = {
    "kafka": 9092,
    "kafka_controller": 9093,
    "cassandra": 9042,
    "cassandra_storage": 7000,
    "namenode": 8020,
    "namenode_http": 9870,
    "datanode": 9866,
    "datanode_ipc": 9867,
    "datanode_http": 9864,
    # Not 5432: Debian's postgresql package may have a cluster of its own there.
    "postgres": 5433,
    "airflow": 8080,
}

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class SettingsError(ValueError):
    """A variable of the environment that cannot be read; the message names it and says what to write."""


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `6h` or `2d` as a timedelta; raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, such as 90s, 15m, 6h or 2d")
    return timedelta(seconds=float(match[1]) * _UNIT_SECONDS[match[2]])


@dataclass(frozen=True)
class Settings:
    """One instance. Fields that are None in the environment's eyes take the local server's address."""

    home: Path = ROOT / ".weahouse"
    cache: Path = ROOT / ".cache"
    port_offset: int = 0

    kafka_bootstrap_servers: str = ""
    cassandra_contact_points: str = ""
    hdfs_url: str = ""
    webhdfs_url: str = ""
    airflow_url: str = ""

    observations_topic: str = "weather.observations.v1"
    topic_partitions: int = 12
    topic_retention: timedelta = timedelta(days=14)
    cassandra_keyspace: str = "weahouse"
    cassandra_replication_factor: int = 1
    hdfs_root: str = "/weahouse"

    # What raises an alert; a file of one's own is checked with `weahouse alerts rules` and tried with `backtest`.
    alert_rules: Path = ROOT / "include" / "weahouse" / "alerts" / "rules.yaml"
    # More slots than cores: a task that waits for HDFS or Cassandra would otherwise hold up the other query's batch.
    spark_master: str = "local[4]"
    # A record is late when it was appended more than this after it was observed; late records are merged like others.
    lateness: timedelta = timedelta(hours=6)
    # How long an exact repeat is removed before it reaches the tables; later repeats are no-ops of the merge. Each
    # batch looks through all records of two horizons for those to forget: ten minutes of a backlog are millions.
    repeat_horizon: timedelta = timedelta(minutes=1)
    # A query's batch starts at its pace while at least the least number of records waits, else when the delay is over:
    # a trickle of readings neither keeps a core busy nor fills folders with small files; a backlog waits for nobody.
    archive_trigger: timedelta = timedelta(seconds=5)
    archive_least_records: int = 100_000
    archive_delay: timedelta = timedelta(seconds=30)
    observations_trigger: timedelta = timedelta(seconds=2)
    observations_least_records: int = 1_000
    observations_delay: timedelta = timedelta(seconds=8)
    max_offsets_per_trigger: int = 250_000
    # 0 keeps observations and summaries in Cassandra for ever.
    serving_retention_days: int = 90

    @property
    def checkout(self) -> Path:
        """Where `dags/`, `spark_apps/` and `deploy/` stand."""
        return ROOT

    def port(self, name: str) -> int:
        """The port of a local server, moved by this instance's offset."""
        return PORTS[name] + self.port_offset

    @property
    def kafka(self) -> str:
        """Bootstrap servers, `host:port[,host:port]`."""
        return self.kafka_bootstrap_servers or f"{HOST}:{self.port('kafka')}"

    @property
    def cassandra(self) -> list[tuple[str, int]]:
        """Contact points as (host, port)."""
        points = self.cassandra_contact_points or f"{HOST}:{self.port('cassandra')}"
        return [(host, int(port)) for host, _, port in (point.strip().partition(":") for point in points.split(","))]

    @property
    def hdfs(self) -> str:
        """`hdfs://host:port`, without a path."""
        return (self.hdfs_url or f"hdfs://{HOST}:{self.port('namenode')}").rstrip("/")

    @property
    def webhdfs(self) -> str:
        """`http://host:port` of the NameNode."""
        return (self.webhdfs_url or f"http://{HOST}:{self.port('namenode_http')}").rstrip("/")

    @property
    def airflow(self) -> str:
        """`http://host:port` of Airflow's api-server."""
        return (self.airflow_url or f"http://{HOST}:{self.port('airflow')}").rstrip("/")

    def environment(self) -> dict[str, str]:
        """The variables from which `from_environment` reads this very instance again, for child processes."""
        return {_variable(f.name): _write(getattr(self, f.name)) for f in fields(self)}


def _variable(field: str) -> str:
    return f"WEAHOUSE_{field.upper()}"


def _write(value: object) -> str:
    return f"{value.total_seconds():.15g}s" if isinstance(value, timedelta) else str(value)


def _read(text: str, default: object) -> object:
    if isinstance(default, timedelta):
        return duration(text)
    if isinstance(default, Path):
        return Path(text).expanduser().resolve()
    if isinstance(default, int):
        return int(text)
    return text


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the `WEAHOUSE_*` variables; raises SettingsError for a value that cannot be read."""
    values: dict[str, object] = {}
    for field in fields(Settings):
        text = environment.get(_variable(field.name), "").strip()
        if not text:
            continue
        try:
            values[field.name] = _read(text, field.default)
        except ValueError as error:
            raise SettingsError(f"{_variable(field.name)}={text!r} cannot be read: {error}") from None
    read = Settings(**values)  # type: ignore[arg-type]
    _check(read)
    return read


def _check(read: Settings) -> None:
    if not 0 <= read.port_offset <= 22_000:
        raise SettingsError(f"WEAHOUSE_PORT_OFFSET={read.port_offset} must lie in 0..22000, so that ports stay valid")
    for name in ("topic_partitions", "cassandra_replication_factor", "max_offsets_per_trigger"):
        if getattr(read, name) < 1:
            raise SettingsError(f"{_variable(name)}={getattr(read, name)} must be at least 1")
    if read.serving_retention_days < 0:
        raise SettingsError("WEAHOUSE_SERVING_RETENTION_DAYS must be 0 (keep for ever) or a number of days")


@cache
def settings() -> Settings:
    """This process's settings."""
    return from_environment()
