"""Airflow's four processes, their environment, and the connections of the providers, rendered from settings."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import subprocess
import sys
import urllib.request
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from weahouse.embedded.postgres import DATABASE, ROLE
from weahouse.embedded.process import EmbeddedError, Service
from weahouse.embedded.secrets import secret, secret_file
from weahouse.settings import HOST, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from weahouse.embedded.jars import Report

# One slot: an application of Spark uses the cores that the stream leaves, and two at once only make each other slow.
SPARK_POOL = "spark"
# What brings an empty database to the state that the Dags need; each command finds done what is done.
SETUP_COMMANDS = (
    ("db", "migrate"),
    ("pools", "set", SPARK_POOL, "1", "Applications of Spark, one at a time"),
)
USERS = {"admin": "admin", "viewer": "viewer"}
PASSWORDS = "airflow-passwords.json"

# The name in Airflow's health report, by service; the api-server answers for the database that it needs.
COMPONENT_OF = {
    "airflow-api-server": "metadatabase",
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}
_TUNING = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
    "CORE__PARALLELISM": "4",
    # Below this rate, sensors that reschedule themselves fail at random with "state mismatch".
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    "WORKERS__MAX_FAILED_HEARTBEATS": "20",
    # Together they outlast a restart of the api-server; with the defaults short tasks in flight fail.
    "WORKERS__EXECUTION_API_RETRIES": "12",
    "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
    # With the default of 300 a new file stays unseen for five minutes.
    "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    # A changed file is parsed at once whatever stands here; each look at all that did not change costs 3 s of CPU.
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "API__HOST": HOST,
    "API__WORKERS": "1",
    "USAGE_DATA_COLLECTION__ENABLED": "False",
}


def airflow_environment(settings: Settings) -> dict[str, str]:
    """The variables of every component and of every command of Airflow; they name secrets, they hold none."""
    port = settings.port("airflow")
    address = {
        "CORE__DAGS_FOLDER": str(settings.checkout / "dags"),
        "CORE__PLUGINS_FOLDER": str(settings.checkout / "plugins"),
        "CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(secret_file(settings, PASSWORDS)),
        "API__PORT": str(port),
        "API__BASE_URL": f"http://{HOST}:{port}",
    }
    of_secrets = {
        "CORE__FERNET_KEY_CMD": "airflow-fernet-key",
        "API__SECRET_KEY_CMD": "airflow-secret-key",
        # One key for all: the components sign and check each other's tokens.
        "API_AUTH__JWT_SECRET_CMD": "airflow-jwt-secret",
        "DATABASE__SQL_ALCHEMY_CONN_CMD": "airflow-database-url",
    }
    commands = {name: f"cat {shlex.quote(str(secret_file(settings, file)))}" for name, file in of_secrets.items()}
    return {
        **settings.environment(),
        **{f"AIRFLOW__{name}": value for name, value in {**_TUNING, **address, **commands}.items()},
        **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections(settings).items()},
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        "HADOOP_USER_NAME": os.environ.get("HADOOP_USER_NAME", "weahouse"),
        # Tasks find this environment's own commands, spark-submit among them.
        "PATH": f"{_commands()}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "TZ": "UTC",
    }


def connections(settings: Settings) -> dict[str, dict[str, object]]:
    """The providers' default connections, in the form of Airflow's JSON variables."""
    points = settings.cassandra
    webhdfs = urlsplit(settings.webhdfs)
    return {
        "kafka_default": {
            "conn_type": "kafka",
            "extra": {
                "bootstrap.servers": settings.kafka,
                "group.id": "weahouse.stream_supervision",
            },
        },
        "cassandra_default": {
            "conn_type": "cassandra",
            "host": ",".join(host for host, _ in points),
            "port": points[0][1],
            "schema": settings.cassandra_keyspace,
        },
        "webhdfs_default": {
            "conn_type": "webhdfs",
            "host": webhdfs.hostname,
            "port": webhdfs.port,
            "login": os.environ.get("HADOOP_USER_NAME", "weahouse"),
        },
        "spark_default": {
            "conn_type": "spark",
            "host": settings.spark_master,
            "extra": {"deploy-mode": "client", "spark-binary": "spark-submit"},
        },
    }


def services(settings: Settings) -> list[Service]:
    """The four processes; `prepare` must have run."""
    environment = airflow_environment(settings)
    airflow = str(_commands() / "airflow")

    def component(name: str, *arguments: str, ports: tuple[int, ...] = ()) -> Service:
        return Service(
            name,
            (airflow, *arguments),
            ports=ports,
            environment=environment,
            ready=_is_healthy(settings, COMPONENT_OF[name]),
            patience_s=150.0,
            # The scheduler waits for running tasks without limit; what a task started detached is not in its group.
            grace_s=15.0,
        )

    # The servers of the task logs bind every address of the machine, and the files are here anyway.
    return [
        component("airflow-api-server", "api-server", ports=(settings.port("airflow"),)),
        component("airflow-scheduler", "scheduler", "--skip-serve-logs"),
        component("airflow-dag-processor", "dag-processor"),
        component("airflow-triggerer", "triggerer", "--skip-serve-logs"),
    ]


def prepare(settings: Settings, report: Report) -> None:
    """Write the secrets and bring the database to what this version needs; skipped where that was done before."""
    home = settings.home / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    write_secrets(settings)
    remember_first_hour(settings)
    done = home / ".migrated"
    with (home / ".migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = f"{version('apache-airflow')} {SETUP_COMMANDS}"
        if done.exists() and done.read_text() == wanted:
            return
        report(f"creating Airflow's tables for {version('apache-airflow')}")
        for command in SETUP_COMMANDS:
            _run(settings, *command)
        done.write_text(wanted)


def _run(settings: Settings, *command: str) -> None:
    """Run a command of Airflow to its end."""
    run = subprocess.run(
        (str(_commands() / "airflow"), *command),
        env={**os.environ, **airflow_environment(settings)},
        cwd=settings.home / "airflow",
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if run.returncode:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
        raise EmbeddedError(f"`airflow {' '.join(command)}` failed:\n{tail}")


def health(settings: Settings, timeout: float = 2.0) -> dict[str, str]:
    """Airflow's own report: `healthy` or another word by component; empty when the api-server does not answer."""
    with suppress(OSError, ValueError):
        url = f"{settings.airflow}/api/v2/monitor/health"
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return {name: component["status"] or "" for name, component in json.load(answer).items()}
    return {}


def first_hour(settings: Settings) -> datetime:
    """The beginning of the hour in which the instance was prepared: before it there is nothing to catch up with.

    Where it was not prepared yet, as in tests of the Dags alone, that is the present hour.
    """
    told = _first_hour_file(settings)
    if told.exists():
        return datetime.fromisoformat(told.read_text())
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def remember_first_hour(settings: Settings) -> None:
    """Write down when the instance was prepared first."""
    told = _first_hour_file(settings)
    if not told.exists():
        hour = first_hour(settings)
        told.parent.mkdir(parents=True, exist_ok=True)
        told.write_text(hour.isoformat())


def _first_hour_file(settings: Settings) -> Path:
    return settings.home / "airflow" / "first-hour"


def write_secrets(settings: Settings) -> None:
    """Generate what is missing of the keys, the passwords and the database's address, each a 0600 file."""
    for name in ("airflow-jwt-secret", "airflow-secret-key"):
        secret(settings, name)
    if not secret_file(settings, "airflow-fernet-key").exists():
        _write_private(
            secret_file(settings, "airflow-fernet-key"),
            urlsafe_b64encode(os.urandom(32)).decode(),
        )
    if not secret_file(settings, PASSWORDS).exists():
        passwords = {user: token_urlsafe(12) for user in USERS}
        _write_private(secret_file(settings, PASSWORDS), json.dumps(passwords))
    # Written each time: the instance's ports may have been moved.
    login = f"{ROLE}:{secret(settings, 'postgres')}@{HOST}:{settings.port('postgres')}"
    _write_private(
        secret_file(settings, "airflow-database-url"),
        f"postgresql+psycopg2://{login}/{DATABASE}",
    )


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _is_healthy(settings: Settings, component: str) -> Callable[[], bool]:
    return lambda: health(settings).get(component) == "healthy"


def _commands() -> Path:
    """Where this environment's commands are."""
    return Path(sys.executable).parent
