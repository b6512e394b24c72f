"""What the stream is doing, read from its pid file, its progress on HDFS, Kafka's offsets and Airflow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import KafkaError, begin_offsets, end_offsets
from weahouse.orchestration.driver import RUNNING, STOPPED, belongs_to, live_pid, refusal
from weahouse.orchestration.rest import is_supervised
from weahouse.schemas.datasets import QUERIES
from weahouse.schemas.render import progress_path

if TYPE_CHECKING:
    from weahouse.settings import Settings

SUPERVISOR = "stream_supervision"
# The driver beats every 5 s; a batch that keeps both cores busy may delay some beats.
HEARTBEAT_LIMIT_S = 30
# From here on a crash cycle is called by its name instead of "restarting".
FAILED_AFTER_RESTARTS = 3
# `weahouse status` has three seconds for everything, of which Python's imports take one.
PATIENCE_S = 1.3
DOCUMENTS = ("control", "driver", "supervision", "identity", *QUERIES)

Document = dict[str, Any]
Offsets = Mapping[int, int]


def stream_status(settings: Settings) -> Document:
    """{"state", "error", "epoch", "pid", "lag_records", "watermark", "last_batch_at", "topic_id", "gaps"}.

    None stands for what is unknown. `error` is why a failed stream ended; `gaps` counts the ranges of lost offsets.
    `state` is one of starting, running, restarting, stopped, failed, unsupervised. `lag_records` counts what the
    slowest query has not committed. Servers that do not answer cost at most PATIENCE_S.
    """
    documents = _ask(lambda: read_progress(settings))
    ends, begins = _ask(lambda: end_offsets(settings)), _ask(lambda: begin_offsets(settings))
    supervised = _ask(lambda: is_supervised(settings, SUPERVISOR))
    deadline = time.monotonic() + PATIENCE_S
    progress: Mapping[str, Document] | None = _answer(documents, deadline)
    end, begin, watched = (_answer(asked, deadline) for asked in (ends, begins, supervised))
    pid = live_pid(settings)
    known = progress or {}
    driver, identity = known.get("driver", {}), known.get("identity", {})
    last_batches = [known.get(query, {}).get("last_batch_at") or "" for query in QUERIES]
    word = state(known, pid, bool(watched), _now()) if progress is not None else _without_hdfs(pid)
    return {
        "state": word,
        "error": driver.get("error") if word == "failed" else None,
        "epoch": driver.get("epoch"),
        "pid": pid,
        "lag_records": max(lag_by_query(known, begin, end).values())
        if progress is not None and begin and end
        else None,
        "watermark": known.get("observations", {}).get("watermark"),
        "last_batch_at": max(last_batches) or None,
        "topic_id": identity.get("topic_id"),
        "gaps": identity.get("gaps"),
    }


def read_progress(settings: Settings) -> dict[str, Document]:
    """The control and progress documents by name, empty where there is none yet; OSError when HDFS is away."""
    hdfs = Hdfs(settings)
    return {name: hdfs.read_json(progress_path(f"{name}.json", settings.hdfs_root)) or {} for name in DOCUMENTS}


def state(progress: Mapping[str, Document], pid: int | None, supervised: bool, now: datetime) -> str:
    """The one word for the stream, from its documents and whether its process lives and is watched."""
    driver, wanted = progress.get("driver", {}), progress.get("control", {}).get("desired", RUNNING)
    if pid is None:
        return _without_driver(progress, wanted, supervised)
    if not belongs_to(driver.get("pid"), pid):
        return "starting"
    if heartbeat_age(driver, now) > HEARTBEAT_LIMIT_S or driver.get("state") == "failed":
        return "failed"
    if driver.get("state") in ("stopping", "stopped"):
        return "restarting" if wanted == RUNNING else "stopped"
    if driver.get("state") == "starting":
        return "starting"
    return "running" if supervised else "unsupervised"


def _without_driver(progress: Mapping[str, Document], wanted: str, supervised: bool) -> str:
    if wanted == STOPPED:
        return "stopped"
    if refusal(progress.get("driver", {})):
        return "failed"
    # A driver that ended as it was asked to says so; the last word of one that died is another.
    died = progress.get("driver", {}).get("state") not in (None, "stopped")
    if not supervised:
        return "failed" if died else "stopped"
    crash_cycle = progress.get("supervision", {}).get("restarts", 0) >= FAILED_AFTER_RESTARTS
    return "failed" if crash_cycle else "restarting" if died else "starting"


def _without_hdfs(pid: int | None) -> str:
    """A stream whose tables and checkpoints are away cannot be called running, even if its process lives."""
    return "failed" if pid is not None else "stopped"


def lag_by_query(progress: Mapping[str, Document], begin: Offsets, end: Offsets) -> dict[str, int]:
    """Records that each query has not committed; a query that never committed starts at the beginning."""
    committed = {query: progress.get(query, {}).get("committed_offsets") or {} for query in QUERIES}
    return {
        query: sum(max(0, last - offsets.get(str(partition), begin[partition])) for partition, last in end.items())
        for query, offsets in committed.items()
    }


def heartbeat_age(driver: Document, now: datetime) -> float:
    """Seconds since the driver's last sign of life."""
    text = driver.get("heartbeat_at")
    return (now - datetime.fromisoformat(text)).total_seconds() if text else float("inf")


def _ask(call: Callable[[], Any]) -> Future[Any]:
    """The call's answer to come; its thread is a daemon, because an executor waits for a hung server at exit."""
    future: Future[Any] = Future()

    def answer() -> None:
        try:
            future.set_result(call())
        except (OSError, KafkaError) as error:
            future.set_exception(error)

    Thread(target=answer, daemon=True).start()
    return future


def _answer(future: Future[Any], deadline: float) -> Any:
    try:
        return future.result(timeout=max(0.0, deadline - time.monotonic()))
    except (OSError, KafkaError, TimeoutError):
        return None


def _now() -> datetime:
    return datetime.now(UTC)
