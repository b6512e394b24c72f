"""When a stream must be restarted, how long to wait before it, and the memory of past restarts; no Airflow here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.io.hdfs import Hdfs
from weahouse.orchestration.driver import belongs_to, refusal
from weahouse.orchestration.status import heartbeat_age
from weahouse.schemas.render import progress_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from weahouse.settings import Settings

# Twelve missed beats; a garbage collection or a full disk cache never took so long.
STUCK_S = 60
# From spark-submit to the first beat: 10 s on an idle machine, more where everything starts at once.
STARTING_S = 180
# Twenty times a full batch; a query that waits for a server says so and is left alone.
STALLED_S = 300
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 5, 300
# A stream that ran this long has recovered, and its next death is a first one again.
RECOVERED_AFTER = timedelta(minutes=10)

Document = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """One look at the stream: its documents, its live process and that one's age, and each query's lag in records."""

    progress: Mapping[str, Document]
    pid: int | None
    process_age_s: float
    lag: Mapping[str, int]
    now: datetime


class Watch:
    """Judges one look after another; between them it remembers since when each query has stood still."""

    def __init__(self) -> None:
        self._stands: dict[str, tuple[object, datetime]] = {}
        self._stale_beat: str | None = None

    def why_restart(self, look: Look) -> str | None:
        """Why the stream must be restarted, as a sentence; None while it runs, starts, or waits for a server."""
        driver = look.progress.get("driver", {})
        if look.pid is None and refusal(driver):
            # A restart would meet the same refusal; status shows it with the way out.
            return None
        if look.pid is None:
            left = (driver.get("error") or "it left no error; see `weahouse logs stream`").rstrip(".")
            return f"the driver is gone: {left}"
        if not belongs_to(driver.get("pid"), look.pid):
            silent = look.process_age_s > STARTING_S
            return f"driver {look.pid} gave no sign of life for {STARTING_S} s after its start" if silent else None
        return self._why_stuck(look, driver) or self._why_stalled(look, driver)

    def _why_stuck(self, look: Look, driver: Document) -> str | None:
        age = heartbeat_age(driver, look.now)
        # Seen twice: after a machine has slept, or HDFS was away, the first look always finds an old heartbeat.
        seen_before = driver.get("heartbeat_at") == self._stale_beat
        self._stale_beat = driver.get("heartbeat_at") if age > STUCK_S else None
        if self._stale_beat is None or not seen_before:
            return None
        return f"driver {look.pid} is stuck: its last heartbeat is {age:.0f} s old while HDFS answers"

    def _why_stalled(self, look: Look, driver: Document) -> str | None:
        for query, lag in look.lag.items():
            document = look.progress.get(query, {})
            waiting = driver.get("waiting_on") or document.get("waiting_on")
            stand = (driver.get("epoch"), document.get("batch_id"))
            before, since = self._stands.get(query, (None, look.now))
            if waiting or not lag or stand != before:
                self._stands[query] = (stand, look.now)
            elif (look.now - since).total_seconds() > STALLED_S:
                return f"query {query} of driver {look.pid} ended no batch for {STALLED_S} s while {lag} records wait"
        return None


def backoff_s(restarts: int) -> int:
    """Seconds to wait before the next restart, after so many in a row: 0, 5, 10, 20, … 300."""
    return 0 if restarts == 0 else min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(restarts - 1, 10))


def record_restart(settings: Settings, reason: str, now: datetime) -> int:
    """Remember a restart that is due; returns how many went before it in a row."""
    hdfs, path = Hdfs(settings), progress_path("supervision.json", settings.hdfs_root)
    last = hdfs.read_json(path) or {}
    recent = "last_restart_at" in last and now - datetime.fromisoformat(last["last_restart_at"]) < RECOVERED_AFTER
    before = int(last["restarts"]) if recent else 0
    hdfs.write_json(path, {"restarts": before + 1, "last_restart_at": now.isoformat(), "last_reason": reason})
    return before
