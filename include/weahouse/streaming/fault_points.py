"""Named points of a micro-batch at which tests have the driver killed; in every other environment they do nothing.

`WEAHOUSE_KILL_AT` is the path of a file. While it names a point, the driver that reaches the point writes its pid next
to it and kills itself with all that belongs to it, as the kernel would: nothing is closed and nothing undone. The next
driver finds a point that has been struck, and goes on.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

ENVIRONMENT = "WEAHOUSE_KILL_AT"

OBSERVATIONS_PLANNED = "observations_planned"
CURATED_WRITTEN = "curated_written"
CASSANDRA_WRITTEN = "cassandra_written"
OBSERVATIONS_WRITTEN = "observations_written"
OBSERVATIONS_COMMITTED = "observations_committed"
ALERTS_TOLD = "alerts_told"
ARCHIVE_PLANNED = "archive_planned"
RAW_WRITTEN = "raw_written"
ARCHIVE_WRITTEN = "archive_written"

POINTS = {
    OBSERVATIONS_PLANNED: "offsets written, nothing else",
    CURATED_WRITTEN: "Delta written, Cassandra not",
    CASSANDRA_WRITTEN: "Cassandra written, Delta not",
    OBSERVATIONS_WRITTEN: "all written, batch not committed",
    OBSERVATIONS_COMMITTED: "batch committed, neither settled nor published",
    ALERTS_TOLD: "alerts judged and published, not stored",
    ARCHIVE_PLANNED: "offsets written, nothing else",
    RAW_WRITTEN: "Raw appended, quarantine not",
    ARCHIVE_WRITTEN: "both appended, batch not committed",
}

# What is held back waits for a write of seconds; a batch must not stand for ever when that write never comes.
_HELD_AT_MOST_S = 60.0
_POLL_S = 0.1
# What Python says goes through the JVM into the log, and the JVM is killed too.
_TOLD_WITHIN_S = 1.0

log = logging.getLogger("weahouse.stream")


def reached(point: str, after: Iterable[Future[Any]] = ()) -> None:
    """Kill the driver's process group where the point is the named one, once `after` is done; else return at once."""
    place = os.environ.get(ENVIRONMENT)
    if place is None or _named(place) != point:
        return
    for each in after:
        each.result()
    group = os.getpgid(0)
    Path(place).write_text(f"{point} {group}")
    log.warning("fault point %s is reached: driver %d is killed", point, group)
    time.sleep(_TOLD_WITHIN_S)
    os.killpg(group, signal.SIGKILL)


def held_back_for(point: str) -> None:
    """Wait while this driver is to be killed at the point, which must come before what the caller does next."""
    place = os.environ.get(ENVIRONMENT)
    if place is None:
        return
    deadline = time.monotonic() + _HELD_AT_MOST_S
    while _named(place) in (point, f"{point} {os.getpgid(0)}") and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _named(place: str) -> str | None:
    try:
        return Path(place).read_text()
    except FileNotFoundError:
        return None
