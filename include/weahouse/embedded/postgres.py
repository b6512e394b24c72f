"""Airflow's database: Debian's Postgres, with a cluster of its own in the home."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
from pathlib import Path

from weahouse.embedded.process import EmbeddedError, Service
from weahouse.embedded.secrets import secret
from weahouse.settings import HOST, Settings

ROLE = "airflow"
DATABASE = "airflow"
# Postgres refuses to run as root; Debian's package brings this user along.
SYSTEM_USER = "postgres"

_SERVER_SETTINGS = {
    "listen_addresses": HOST,
    # The default folder of the socket belongs to Debian's own cluster, and the loopback port is enough.
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
}
# Orphaned workers of a killed scheduler hold its row locks, and every active run would hang for ever.
_IDLE_LIMIT = "20s"


def service(settings: Settings) -> Service:
    """The server of the instance's own cluster."""
    command = [str(_program("postgres")), "-D", str(_data(settings)), "-p", str(settings.port("postgres"))]
    for name, value in _SERVER_SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    return Service(
        "postgres",
        (*_as_owner(settings.home), *command),
        ports=(settings.port("postgres"),),
        prepare=lambda: _create_cluster(settings),
        ready=lambda: _answers(settings),
        # The fast shutdown: TERM would wait for every client to leave.
        stop_signal=signal.SIGINT,
    )


def connect_arguments(settings: Settings) -> dict[str, str | int]:
    """Keyword arguments of `psycopg2.connect`."""
    return {
        "host": HOST,
        "port": settings.port("postgres"),
        "user": ROLE,
        "dbname": DATABASE,
        "password": secret(settings, "postgres"),
    }


def _data(settings: Settings) -> Path:
    return settings.home / "postgres"


def _program(name: str) -> Path:
    """A program of the newest Postgres that Debian has installed; it is not on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parents[1].name))
    if not found:
        raise EmbeddedError("Postgres is missing: install the packages of packages.txt (make setup does)")
    return found[-1]


def _as_owner(home: Path) -> tuple[str, ...]:
    """What to put in front of a command so that it does not run as root; nothing when we are not root."""
    if os.geteuid() != 0:
        return ()
    prefix = ("setpriv", f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--init-groups")
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in (home, *home.parents) if folder.exists()):
        return prefix
    # A checkout under /root (0700) cannot be entered by another user: this one capability lets it pass.
    return (*prefix, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def _create_cluster(settings: Settings) -> None:
    """Make the cluster, its password and Airflow's database aside, and move the whole into place."""
    data = _data(settings)
    if data.exists():
        return
    filling = data.with_name(".postgres.filling")
    shutil.rmtree(filling, ignore_errors=True)
    filling.mkdir(mode=0o700)
    if os.geteuid() == 0:
        owner = pwd.getpwnam(SYSTEM_USER)
        os.chown(filling, owner.pw_uid, owner.pw_gid)
    # No one may come in without a password; it is set below, through a pipe and not as an argument.
    authentication = ("--auth-local=reject", "--auth-host=scram-sha-256")
    _run(settings, "initdb", "-D", str(filling), "-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8", *authentication)
    statements = (
        f"ALTER ROLE {ROLE} PASSWORD '{secret(settings, 'postgres')}';\n"
        f"CREATE DATABASE {DATABASE};\n"
        f"ALTER DATABASE {DATABASE} SET idle_in_transaction_session_timeout='{_IDLE_LIMIT}';\n"
    )
    _run(settings, "postgres", "--single", "-D", str(filling), "postgres", statements=statements)
    filling.rename(data)


def _run(settings: Settings, program: str, *arguments: str, statements: str = "") -> None:
    command = (*_as_owner(settings.home), str(_program(program)), *arguments)
    run = subprocess.run(command, input=statements, capture_output=True, text=True, check=False, cwd="/")
    # The single-user server answers a failed statement with a line and goes on.
    if run.returncode or "ERROR:" in run.stderr:
        tail = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
        raise EmbeddedError(f"Airflow's database could not be created in {_data(settings)}:\n{tail}")


def _answers(settings: Settings) -> bool:
    import psycopg2

    try:
        psycopg2.connect(**connect_arguments(settings), connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True
