"""A day of one-minute readings in some minutes: the memory of the stream stops growing, its checkpoints have room."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.integration.apart import Apart, apart
from tests.rows import event

from weahouse.embedded.java import java_home
from weahouse.orchestration import driver
from weahouse.streaming.bounds import figures

if TYPE_CHECKING:
    from weahouse.settings import Settings

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

# Appended all at once, the day would be of one age, and no state would be forgotten.
STATIONS, STEPS = 50, 12
STEP = timedelta(days=1) / STEPS
MOST_GROWTH = 1.2
# Caches of a young JVM and its Python still fill, by less than a thirtieth of the heap.
ROOM_BYTES = 100 * 2**20


@pytest.fixture
def bounded(platform: Settings) -> Iterator[Apart]:
    """A stream that forgets repeats as soon as its pace allows, so that its state turns over many times."""
    stream = apart(platform, "bounded", repeat_horizon=timedelta(seconds=10))
    stream.start()
    yield stream
    driver.stop(stream.settings)


def readings(step: int) -> list[tuple[str, bytes]]:
    """What all stations report within one step, minute by minute."""
    begin = datetime(2024, 5, 1, tzinfo=UTC) + step * STEP
    minutes = range(STEP // timedelta(minutes=1))
    return [
        (f"day-{n}", event(station_id=f"day-{n}", observed_at=at.isoformat(), air_temperature_c=10 + n / 10))
        for at in (begin + timedelta(minutes=minute) for minute in minutes)
        for n in range(STATIONS)
    ]


def send(stream: Apart, steps: range) -> None:
    for step in steps:
        stream.send(*readings(step))
        stream.settle()


def held_bytes(stream: Apart) -> dict[str, int]:
    """What lives on the JVM's heap, and the resident set of its Python processes."""
    pid = driver.live_pid(stream.settings)
    assert pid is not None
    jcmd = [str(java_home() / "bin" / "jcmd"), str(pid)]
    # A histogram of what is alive collects the rest first.
    histogram = subprocess.run([*jcmd, "GC.class_histogram"], capture_output=True, text=True, check=True).stdout
    total = re.search(r"^Total\s+\d+\s+(\d+)", histogram, re.MULTILINE)
    assert total is not None
    python = sum(process.memory_info().rss for process in psutil.Process(pid).children(recursive=True))
    return {"heap": int(total[1]), "python": python}


def test_a_day_leaves_memory_as_half_a_day_did_and_room_in_the_checkpoints(bounded: Apart):
    send(bounded, range(STEPS // 2))
    early, batches = held_bytes(bounded), bounded.progress("observations")["batch_id"]
    send(bounded, range(STEPS // 2, STEPS))
    late = held_bytes(bounded)
    # Half a day is 36,000 readings, of which a batch takes 2,000 at most.
    assert bounded.progress("observations")["batch_id"] >= batches + 18
    assert bounded.lake("SELECT count(*) AS n FROM curated.observations") == [{"n": STATIONS * 24 * 60}]
    limits = {name: MOST_GROWTH * held + ROOM_BYTES for name, held in early.items()}
    assert {name: (early[name], late[name]) for name in late if late[name] > limits[name]} == {}
    checkpoints = [each for each in figures(bounded.settings, bounded.hdfs) if each.what.startswith("checkpoint")]
    assert len(checkpoints) > 4
    assert [each for each in checkpoints if each.needs_attention] == []
