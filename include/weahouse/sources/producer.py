"""Sending records to the observations topic: acknowledged by the broker, or refused and named."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from weahouse.io import kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from confluent_kafka import KafkaError, Message

    from weahouse.settings import Settings
    from weahouse.sources.records import Record

# Delivery reports and the progress bar are served once per this many records: often enough to look alive, rarely
# enough to cost nothing.
_SERVE_EVERY = 1_000
_EXCERPT = 60


class Refusal(NamedTuple):
    """A record that is not in the topic, and why; `begins` are its first bytes, to recognise it by."""

    station_id: str | None
    size: int
    begins: str
    reason: str

    def __str__(self) -> str:
        return f"{self.station_id or 'a record without key'}, {self.size:,} bytes, {self.begins!r}: {self.reason}"


class Sender:
    """A producer that keeps account: every record given to `send` ends in `sent` or in `refusals` after `flush`."""

    def __init__(self, settings: Settings, **overrides: object) -> None:
        self._topic = settings.observations_topic
        # Only failures are reported one by one; a call into Python for each success would halve the rate.
        self._producer = kafka.producer(
            settings, **{"delivery.report.only.error": True, "on_delivery": self._report, "log_level": 2, **overrides}
        )
        self._given = 0
        self.refusals: list[Refusal] = []

    @property
    def sent(self) -> int:
        """Records that the broker has acknowledged."""
        return self._given - len(self.refusals) - len(self._producer)

    def send(self, record: Record) -> None:
        """Hand over a record; waits while the queue is full."""
        from confluent_kafka import KafkaException

        self._given += 1
        while True:
            try:
                self._producer.produce(self._topic, record.value, record.key)
            except BufferError:
                self._producer.poll(0.1)
                continue
            except KafkaException as error:
                self._refuse(error.args[0], record.key, record.value)
            break
        if self._given % _SERVE_EVERY == 0:
            self._producer.poll(0)

    def send_each(self, records: Iterable[Record]) -> int:
        """Hand over records; how many."""
        before = self._given
        for record in records:
            self.send(record)
        return self._given - before

    def wait(self, seconds: float) -> None:
        """Sleep, and serve delivery reports meanwhile."""
        deadline = time.monotonic() + seconds
        # It comes back as soon as it has served something: under load after microseconds, and the caller would spin.
        while (left := deadline - time.monotonic()) > 0:
            self._producer.poll(left)

    def flush(self, seconds: float | None = None) -> int:
        """Wait until every record is acknowledged or refused, at most `seconds`; how many are neither."""
        return int(self._producer.flush() if seconds is None else self._producer.flush(seconds))

    def _report(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._refuse(error, message.key(), message.value())

    def _refuse(self, error: KafkaError, key: object, value: object) -> None:
        key, value = (part if isinstance(part, bytes) else b"" for part in (key, value))
        begins = value[:_EXCERPT].decode("utf-8", errors="replace")
        self.refusals.append(Refusal(key.decode() or None, len(key) + len(value), begins, error.str()))


def paced(records: Iterable[Record], factor: float, wait: Callable[[float], None]) -> Iterator[Record]:
    """The records at `factor` times the speed at which they were observed, from the first one on."""
    began, first = time.monotonic(), None
    for record in records:
        first = record.at if first is None else first
        due = began + (record.at - first) / factor
        while (ahead := due - time.monotonic()) > 0:
            # A second at most, so that a delivery report is never served late.
            wait(min(ahead, 1.0))
        yield record


def send_all(
    settings: Settings, records: Iterable[Record], factor: float | None, progress: Callable[[int], None]
) -> Sender:
    """Send records at `factor` times real time (None: as fast as the broker takes them) and wait for the broker.

    `progress` is told how many were handed over since it was last told.
    """
    sender = Sender(settings)
    told = given = 0
    for given, record in enumerate(records if factor is None else paced(records, factor, sender.wait), start=1):
        sender.send(record)
        if factor is not None or given - told == _SERVE_EVERY:
            progress(given - told)
            told = given
    progress(given - told)
    sender.flush()
    return sender
