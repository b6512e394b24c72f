"""What `weahouse status` tells: every service, the stream and the counts, asked for at once and within 3 seconds."""

from __future__ import annotations

import time
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from weahouse.settings import Settings

# Together with the start of Python and the imports this stays below 3 s, also when a server hangs.
LIMIT_S = 1.9
STREAM_UNKNOWN = {
    "state": None,
    "error": None,
    "epoch": None,
    "pid": None,
    "lag_records": None,
    "watermark": None,
    "last_batch_at": None,
    "topic_id": None,
    "gaps": None,
}
LAKE_UNKNOWN = {"raw": None, "curated": None, "quarantined": None, "late": None}
# `starting`, `restarting` and `failed` are not; `unsupervised` and `stopped` are somebody's wish and run no risk.
CONTENT = frozenset({"running", "unsupervised", "stopped"})
FEEDS = ("real", "simulated", "both", "none")

Document = dict[str, Any]


def collect(settings: Settings) -> Document:
    """{"services", "stream", "counts"}; None stands for what could not be found out."""
    from weahouse.embedded.instance import FEED, SERVICES, STREAM, service_states

    services = ask(lambda: service_states(settings, SERVICES))
    wanted = ask(lambda: _stream_is_wanted(settings))
    stream = ask(lambda: _stream(settings))
    kafka = ask(lambda: _kafka_records(settings))
    lake = ask(lambda: _lake(settings))
    alerts = ask(lambda: _active_alerts(settings))
    deadline = time.monotonic() + LIMIT_S
    states = dict(_answer(services, deadline, {}))
    if not _answer(wanted, deadline, True):
        states.pop(STREAM, None)
    if remembered_feed(settings) == "none":
        states.pop(FEED, None)
    return {
        "services": states,
        "stream": _answer(stream, deadline, STREAM_UNKNOWN),
        "counts": {
            "kafka": _answer(kafka, deadline, None),
            **_answer(lake, deadline, LAKE_UNKNOWN),
            "alerts_active": _answer(alerts, deadline, None),
        },
    }


def is_healthy(document: Document) -> bool:
    """Whether every service answers, the stream does as it should, and every count could be read."""
    return (
        bool(document["services"])
        and all(service["healthy"] for service in document["services"].values())
        and document["stream"]["state"] in CONTENT
        and None not in document["counts"].values()
    )


def remembered_feed(settings: Settings) -> str:
    """The feed that this instance was last started with; `both` for a new one."""
    try:
        feed = _feed_file(settings).read_text()
    except OSError:
        return "both"
    return feed if feed in FEEDS else "both"


def remember_feed(settings: Settings, feed: str) -> None:
    """Keep the choice for the next `up` and for `status`."""
    _feed_file(settings).write_text(feed)


def _feed_file(settings: Settings) -> Path:
    return settings.home / "run" / "feed.choice"


def _stream_is_wanted(settings: Settings) -> bool:
    from weahouse.orchestration.driver import STOPPED, desired

    return desired(settings) != STOPPED


def _stream(settings: Settings) -> Document:
    from weahouse.orchestration.status import stream_status

    return stream_status(settings)


def _kafka_records(settings: Settings) -> int:
    from weahouse.io.kafka import end_offsets

    return sum(end_offsets(settings).values())


def _lake(settings: Settings) -> dict[str, int]:
    from weahouse.io.lake import counts

    return counts(settings)


def _active_alerts(settings: Settings) -> int:
    from weahouse.io.alerts import count_active

    return count_active(settings)


def ask(question: Callable[[], Any]) -> Future[Any]:
    """The answer to come. Its thread is a daemon: an executor would wait at exit for a client that hangs."""
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(question())
        # Each client has errors of its own, and all of them mean "unknown" here.
        except Exception as error:
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    return answer


def _answer(question: Future[Any], deadline: float, otherwise: Any) -> Any:
    try:
        return question.result(timeout=max(0.0, deadline - time.monotonic()))
    except Exception:
        return otherwise
