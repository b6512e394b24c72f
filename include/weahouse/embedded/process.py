"""One detached process: started once, adopted by every later call, stopped with everything it started.

A process is known by its pid, its start time and the boot it belongs to, so a pid that the kernel has given to
somebody else is never taken for ours.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weahouse.settings import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LOG_TAIL_LINES = 15
# A server that logs in a loop must not fill the disk unnoticed; the previous log is kept once.
LOG_LIMIT_BYTES = 50 * 1024 * 1024
_POLL_S = 0.1


class EmbeddedError(Exception):
    """A service that cannot be started or stopped; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Service:
    """One process of an instance.

    `ports` are the loopback ports it listens on, the one it is known by first. `prepare` runs before a start, never
    for a running process. `ready` says whether it can be used (default: every port accepts); it is asked until it is
    true or `patience_s` have passed. `stop_signal` asks for a graceful end, which is waited for `grace_s` seconds.
    """

    name: str
    command: tuple[str, ...]
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    ready: Callable[[], bool] | None = None
    patience_s: float = 90.0
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 15.0


def pid_file(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.pid"


def log_file(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def running_pid(home: Path, name: str) -> int | None:
    """The pid of the service when the very process that was started is alive, else None."""
    recorded = _recorded(home, name)
    if recorded is None or recorded["identity"] is None or identity(recorded["pid"]) != recorded["identity"]:
        return None
    return int(recorded["pid"])


def identity(pid: int) -> str | None:
    """What makes this process unmistakable, or None when there is none (a zombie has ended)."""
    stat = _stat(pid)
    if stat is None or stat[0] == "Z":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {stat[19]}"


def record(home: Path, service: Service, pid: int) -> None:
    """Write the pid file of a process that was just started, with what is needed to stop it."""
    path = pid_file(home, service.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    facts = {"pid": pid, "identity": identity(pid), "stop_signal": service.stop_signal, "grace_s": service.grace_s}
    draft.write_text(json.dumps(facts))
    draft.replace(path)


def start(service: Service, home: Path) -> int:
    """Start the service, or adopt it when it runs already; returns its pid once it is ready.

    Raises EmbeddedError when a port belongs to somebody else, when the process dies, or when it is not ready in time.
    """
    pid = running_pid(home, service.name) or _spawn(service, home)
    _await_ready(service, home, pid)
    return pid


def stop(home: Path, name: str) -> bool:
    """End the service and whatever it started in its session; True when it ran."""
    recorded = _recorded(home, name)
    if recorded is None:
        return False
    pid = running_pid(home, name)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, recorded["stop_signal"])
        _await(lambda: running_pid(home, name) is None, recorded["grace_s"])
    _kill_leftovers(home, name)
    pid_file(home, name).unlink(missing_ok=True)
    return pid is not None


def session_members(leader: int) -> list[int]:
    """Living processes of a session; Airflow gives each task a process group of its own within its scheduler's."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _stat(int(entry.name))
            if stat is not None and stat[0] != "Z" and int(stat[3]) == leader:
                members.append(int(entry.name))
    return members


def _kill_leftovers(home: Path, name: str) -> None:
    """Kill what is left of the service's session: a leader that would not listen, or children that outlived theirs."""
    recorded = _recorded(home, name)
    if recorded is None:
        return

    def left() -> list[int]:
        return [pid for pid in session_members(recorded["pid"]) if _works_in(home, pid)]

    for pid in left():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not _await(lambda: not left(), 5.0):
        raise EmbeddedError(f"{name} survived SIGKILL; look at it with: ps -o pid,stat,cmd -p {left()}")


def _works_in(home: Path, pid: int) -> bool:
    """Whether a process stands in the home, as ours do; a session's number may have gone to a stranger since."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve().is_relative_to(home.resolve())
    except OSError:
        return False


def accepts(port: int) -> bool:
    """Whether something listens on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def log_tail(home: Path, name: str, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a service's log."""
    try:
        with log_file(home, name).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 64 * 1024))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _spawn(service: Service, home: Path) -> int:
    _kill_leftovers(home, service.name)
    for port in service.ports:
        if accepts(port):
            raise EmbeddedError(
                f"port {port} of {service.name} is taken by another process: stop that one, "
                f"or move this instance's ports with WEAHOUSE_PORT_OFFSET"
            )
    if service.prepare is not None:
        service.prepare()
    log_path = log_file(home, service.name)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    if log_path.exists() and log_path.stat().st_size > LOG_LIMIT_BYTES:
        log_path.replace(log_path.with_suffix(".log.1"))
    with log_path.open("ab") as log:
        try:
            process = subprocess.Popen(
                service.command,
                env={**os.environ, **service.environment},
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise EmbeddedError(f"{service.name} cannot be started: {service.command[0]}: {error.strerror}") from None
    record(home, service, process.pid)
    return process.pid


def _recorded(home: Path, name: str) -> dict[str, Any] | None:
    try:
        recorded: dict[str, Any] = json.loads(pid_file(home, name).read_text())
    except (OSError, ValueError):
        return None
    return recorded


def _await_ready(service: Service, home: Path, pid: int) -> None:
    ready = service.ready or (lambda: all(accepts(port) for port in service.ports))
    outcome: list[str] = []

    def settled() -> bool:
        # Ready is asked first: a process that ends after it was ready is the supervisor's business, not ours.
        if running_pid(home, service.name) != pid:
            outcome.append(f"ended while it was starting; its log {log_file(home, service.name)} ends with")
            return True
        return ready()

    if not _await(settled, service.patience_s):
        outcome.append(
            f"was not ready after {service.patience_s:.0f} s; its log {log_file(home, service.name)} ends with"
        )
    if outcome:
        raise EmbeddedError(f"{service.name} {outcome[0]}:\n{log_tail(home, service.name)}")


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command's name: state, parent, group, session, …, start time at 19."""
    try:
        # The name stands in brackets and may itself contain spaces and brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
