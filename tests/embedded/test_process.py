from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from weahouse.embedded.process import (
    EmbeddedError,
    Service,
    log_file,
    pid_file,
    running_pid,
    session_members,
    start,
    stop,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = (sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
)
WITH_CHILD = (
    sys.executable,
    "-c",
    f"import subprocess, time; subprocess.Popen({SLEEP!r}, process_group=0);"
    " print('begun', flush=True); time.sleep(600)",
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for file in (tmp_path / "run").glob("*.pid"):
        stop(tmp_path, file.stem)


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def has_said(home: Path, name: str, word: str) -> bool:
    return word in log_file(home, name).read_text()


def sleeper(home: Path, name: str = "sleeper", command: tuple[str, ...] = SLEEP, word: str = "begun") -> Service:
    return Service(name, command, ready=lambda: has_said(home, name, word), grace_s=1.0)


def test_a_started_service_leads_a_session_of_its_own_and_logs_to_its_file(home: Path) -> None:
    pid = start(sleeper(home), home)
    assert running_pid(home, "sleeper") == pid
    assert os.getsid(pid) == pid
    assert has_said(home, "sleeper", "begun")


def test_a_running_service_is_adopted_and_not_started_twice(home: Path) -> None:
    service = sleeper(home)
    assert start(service, home) == start(service, home)


def test_stopping_takes_the_children_along_whatever_their_group(home: Path) -> None:
    pid = start(sleeper(home, command=WITH_CHILD), home)
    assert len(session_members(pid)) == 2
    assert stop(home, "sleeper")
    assert session_members(pid) == []
    assert not pid_file(home, "sleeper").exists()


def test_children_that_outlived_their_leader_are_ended_too(home: Path) -> None:
    pid = start(sleeper(home, command=WITH_CHILD), home)
    os.kill(pid, signal.SIGKILL)
    while running_pid(home, "sleeper"):
        time.sleep(0.01)
    assert len(session_members(pid)) == 1
    assert not stop(home, "sleeper")
    assert session_members(pid) == []


def test_a_service_that_ignores_term_is_killed_after_its_grace(home: Path) -> None:
    pid = start(sleeper(home, command=DEAF, word="deaf"), home)
    begun = time.monotonic()
    assert stop(home, "sleeper")
    assert running_pid(home, "sleeper") is None
    assert session_members(pid) == []
    assert time.monotonic() - begun >= 1.0


def test_the_signal_to_stop_with_is_remembered_with_the_process(home: Path) -> None:
    script = (
        "import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: (print('told', flush=True), sys.exit()));"
        "print('begun', flush=True); time.sleep(600)"
    )
    service = Service(
        "polite",
        (sys.executable, "-c", script),
        ready=lambda: has_said(home, "polite", "begun"),
        stop_signal=signal.SIGINT,
    )
    start(service, home)
    stop(home, "polite")
    assert has_said(home, "polite", "told")


def test_stopping_what_does_not_run_is_no_error(home: Path) -> None:
    assert not stop(home, "nobody")


def test_a_pid_that_belongs_to_somebody_else_by_now_is_not_taken_for_ours(home: Path) -> None:
    start(sleeper(home), home)
    file = pid_file(home, "sleeper")
    recorded = json.loads(file.read_text())
    stop(home, "sleeper")
    # Our own process has the pid now, and it did not start when the recorded one did.
    file.write_text(json.dumps(recorded | {"pid": os.getpid()}))
    assert running_pid(home, "sleeper") is None
    assert not stop(home, "sleeper")


def test_a_service_that_died_is_started_again(home: Path) -> None:
    service = sleeper(home)
    first = start(service, home)
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while running_pid(home, "sleeper") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert start(service, home) != first


def test_a_taken_port_is_named_with_its_service_and_the_way_out(home: Path, port: int) -> None:
    with closing(socket.socket()) as somebody:
        somebody.bind(("127.0.0.1", port))
        somebody.listen()
        with pytest.raises(EmbeddedError, match=f"port {port} of sleeper is taken.*WEAHOUSE_PORT_OFFSET"):
            start(Service("sleeper", SLEEP, ports=(port,)), home)
    assert running_pid(home, "sleeper") is None


def test_a_service_is_ready_when_its_port_accepts(home: Path, port: int) -> None:
    server = f"import http.server as h; h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
    start(Service("server", (sys.executable, "-c", server), ports=(port,)), home)
    with closing(socket.socket()) as client:
        assert client.connect_ex(("127.0.0.1", port)) == 0


def test_a_service_that_ends_at_once_tells_the_end_of_its_log(home: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('the disk is full of frogs')")
    with pytest.raises(EmbeddedError, match="frogs"):
        start(Service("brief", command, ready=lambda: False), home)


def test_a_service_that_is_not_ready_in_time_says_so(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="not ready after 1 s"):
        start(Service("slow", SLEEP, ready=lambda: False, patience_s=1.0), home)


def test_a_command_that_does_not_exist_is_named(home: Path) -> None:
    with pytest.raises(EmbeddedError, match="/no/such/program"):
        start(Service("ghost", ("/no/such/program",)), home)
