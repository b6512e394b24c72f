"""Triggers: what waits in Airflow's triggerer."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from confluent_kafka import KafkaException

from weahouse.embedded import process
from weahouse.orchestration import driver, rest
from weahouse.orchestration.status import SUPERVISOR, lag_by_query, read_progress
from weahouse.orchestration.supervision import Look, Watch, backoff_s, record_restart
from weahouse.orchestration.topic_offsets import KAFKA_CONNECTION, TopicOffsets
from weahouse.settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# A death is seen after half of this on average.
LOOK_EVERY_S = 3.0
# Lag and the runs that wait for their turn cost a request each, and nobody needs them sooner.
ASK_EVERY_S = 15.0
REPORT_EVERY_S = 300.0


class StreamHealthTrigger(BaseTrigger):
    """Watches the stream until `deadline` (ISO 8601, absolute, so that a restarted triggerer does not start anew).

    Fires with {"outcome", "reason"}: `restart` when the stream is dead, stuck or stalled, after the back-off; `start`
    when a stopped stream is wanted again; `yield` when another run of the Dag waits for its turn; else `deadline`.
    """

    def __init__(self, deadline: str, kafka_conn_id: str = KAFKA_CONNECTION) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.deadline = deadline
        self.kafka_conn_id = kafka_conn_id
        self._watch = Watch()
        self._lag: dict[str, int] = {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class's path and the arguments that make this trigger again."""
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return name, {"deadline": self.deadline, "kafka_conn_id": self.kafka_conn_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is something to tell."""
        asked = reported = -REPORT_EVERY_S
        while _now() < datetime.fromisoformat(self.deadline):
            event = None
            if (moment := time.monotonic()) - asked >= ASK_EVERY_S:
                asked = moment
                event = await asyncio.to_thread(self._ask)
            if moment - reported >= REPORT_EVERY_S:
                reported = moment
                self.log.info("lag by query: %s", self._lag or "unknown")
            event = event or await asyncio.to_thread(self._look)
            if event is not None:
                await asyncio.sleep(event.pop("after_s", 0))
                yield _event(event)
                return
            await asyncio.sleep(LOOK_EVERY_S)
        yield _event({"outcome": "deadline", "reason": "the stream was well to the end of this watch"})

    def _ask(self) -> dict[str, Any] | None:
        instance = settings()
        try:
            offsets = TopicOffsets(self.kafka_conn_id)
            self._lag = lag_by_query(read_progress(instance), offsets.first(), offsets.end())
        except (OSError, KafkaException) as error:
            self._lag = {}
            self.log.warning("the lag is unknown: %s", error)
        try:
            queued = rest.has_queued_run(instance, SUPERVISOR)
        except rest.AirflowError as error:
            self.log.warning("whether another run waits is unknown: %s", error)
            queued = False
        return {"outcome": "yield", "reason": "another run waits for its turn"} if queued else None

    def _look(self) -> dict[str, Any] | None:
        instance = settings()
        pid = driver.live_pid(instance)
        try:
            progress = read_progress(instance)
            if progress["control"].get("desired") == driver.STOPPED:
                self._watch = Watch()
                return None
            look = Look(progress, pid, _process_age(instance), self._lag, _now())
            reason = self._watch.why_restart(look)
            if reason is None:
                return None
            wait_s = backoff_s(record_restart(instance, reason, look.now))
        except OSError as error:
            self.log.warning("HDFS does not answer, and the stream waits for it: %s", error)
            return None
        self.log.warning("%s; the next start is due in %d s", reason, wait_s)
        if pid is not None:
            driver.kill(instance, pid)
        return {"outcome": "restart", "reason": reason, "after_s": wait_s}


class CommittedOffsetsTrigger(BaseTrigger):
    """Waits until every query of the stream has committed and settled the records before `end`, by partition.

    `deadline` is absolute (ISO 8601). Fires with {"outcome", "lag"}: `passed`, or `deadline` with what still lacks.
    """

    def __init__(self, begin: dict[str, int], end: dict[str, int], deadline: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.begin = begin
        self.end = end
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class's path and the arguments that make this trigger again."""
        name = f"{type(self).__module__}.{type(self).__qualname__}"
        return name, {"begin": self.begin, "end": self.end, "deadline": self.deadline}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until all is committed."""
        lag = await asyncio.to_thread(self._records_left)
        while lag and _now() < datetime.fromisoformat(self.deadline):
            await asyncio.sleep(LOOK_EVERY_S)
            lag = await asyncio.to_thread(self._records_left)
        yield _event({"outcome": "deadline" if lag else "passed", "lag": lag})

    def _records_left(self) -> dict[str, int]:
        """Records that each query has not committed, of those that have not committed all."""
        begin, end = ({int(partition): at for partition, at in told.items()} for told in (self.begin, self.end))
        try:
            lag = lag_by_query(read_progress(settings()), begin, end)
        except OSError as error:
            self.log.warning("HDFS does not answer, and is asked again: %s", error)
            return {"hdfs": sum(end.values())}
        return {query: records for query, records in lag.items() if records}


def _event(payload: dict[str, Any]) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]


def _process_age(instance: Settings) -> float:
    path = process.pid_file(instance.home, driver.SERVICE)
    return time.time() - path.stat().st_mtime if path.exists() else 0.0


def _now() -> datetime:
    return datetime.now(UTC)
