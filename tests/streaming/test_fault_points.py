from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from threading import Timer

import pytest

from weahouse.streaming.fault_points import ENVIRONMENT, held_back_for, reached

DRIVER = """
import logging
from weahouse.streaming.fault_points import reached
logging.basicConfig()
reached("raw_written")
print("goes on", flush=True)
reached("archive_written")
print("goes on", flush=True)
"""


def run_driver(place: Path) -> subprocess.CompletedProcess[str]:
    """A process that reaches two points, in a session of its own as a driver is."""
    environment = {**os.environ, ENVIRONMENT: str(place)}
    command = [sys.executable, "-c", DRIVER]
    return subprocess.run(
        command, env=environment, start_new_session=True, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_driver_is_killed_at_the_named_point_says_so_and_the_next_one_goes_on(tmp_path: Path):
    place = tmp_path / "kill_at"
    place.write_text("archive_written")
    killed = run_driver(place)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout == "goes on\n"
    assert "fault point archive_written is reached" in killed.stderr
    assert place.read_text().startswith("archive_written ")
    assert run_driver(place).stdout == "goes on\ngoes on\n"


def test_without_the_variable_a_point_does_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    never: Future[None] = Future()
    reached("raw_written", after=[never])
    held_back_for("raw_written")


def test_what_must_come_later_is_held_back_until_the_point_is_no_longer_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = tmp_path / "kill_at"
    place.write_text("curated_written")
    monkeypatch.setenv(ENVIRONMENT, str(place))
    began = time.monotonic()
    Timer(0.5, place.unlink).start()
    held_back_for("curated_written")
    assert 0.5 <= time.monotonic() - began < 5
    held_back_for("raw_written")
