"""The default feed: five real stations moved to today, beside a live simulated network."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from weahouse.io import kafka
from weahouse.settings import ROOT, Settings
from weahouse.sources import isd
from weahouse.sources.live import Schedule, SimulatedSource
from weahouse.sources.network import Network, network
from weahouse.sources.producer import Sender
from weahouse.sources.timeline import Timeline
from weahouse.sources.years import shift_beyond, shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from weahouse.sources.records import Record

ISD_HOURLY = ROOT / "data" / "isd-hourly-us5-2008-2014.csv.gz"
BACKLOG_S = 30 * 86_400
FEED_SEED = 1
FEED_STATIONS = 50
# Stations are forecast from their last full hour, and two hours hold one at any minute.
NETWORK_BACKLOG_S = 2 * 3_600
# Sent between two savings of the position: what a killed feed sends again at most, and a fraction of a second's work.
_BATCH = 2_000
# Readings are dated by the second; five looks a second keep a live reading's age below that.
_PAUSE_S = 0.2
# A stop must not wait for a broker that is down: what is not acknowledged by then is sent again by the next start.
_FLUSH_S = 2.0


class Source(Protocol):
    """Something that has records to send now and then."""

    def due(self, now: float) -> Iterator[Record]: ...

    def acknowledged(self) -> None:
        """Everything that `due` gave so far is in the topic."""


@dataclass(frozen=True)
class Position:
    """How far the real stations were sent; times are epoch seconds after the shift."""

    # Another id is another topic, to which nothing was sent yet.
    topic_id: str
    shift_years: int
    sent_until: int
    # How many records of that very second: five stations report on the hour.
    sent_then: int

    @classmethod
    def load(cls, path: Path) -> Position | None:
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def position_path(settings: Settings) -> Path:
    """Where the shift and the position of the real stations are kept."""
    return settings.home / "feed" / "real.json"


class RealSource:
    """A file's stations, moved by whole years so that they report today; nothing is given twice.

    The shift is the smallest for which the file still has reports after now; when it runs out, one year more.
    """

    def __init__(self, timeline: Timeline, path: Path, topic_id: str, now: float) -> None:
        if timeline.newest is None:
            raise ValueError("the file of the real stations is empty")
        self._timeline, self._path = timeline, path
        kept = Position.load(path)
        oldest = int(now) - BACKLOG_S
        if kept is None or kept.topic_id != topic_id:
            kept = Position(topic_id, shift_beyond(timeline.newest, int(now)), oldest, 0)
        elif kept.sent_until < oldest:
            # The instance slept for longer than the backlog lasts.
            kept = Position(topic_id, max(kept.shift_years, shift_beyond(timeline.newest, int(now))), oldest, 0)
        self.position = self._given = kept
        self._following: Record | None = None
        self._records = self._after(kept)

    def _after(self, position: Position) -> Iterator[Record]:
        skip = position.sent_then
        for record in shifted(self._timeline, position.shift_years):
            if record.at < position.sent_until:
                continue
            if record.at == position.sent_until and skip > 0:
                skip -= 1
                continue
            yield record

    def _next(self) -> Record:
        record = next(self._records, None)
        while record is None:
            given = self._given
            # The next year's file begins before this one's ends: only what lies behind it is new.
            self._given = Position(given.topic_id, given.shift_years + 1, given.sent_until + 1, 0)
            self._records = self._after(self._given)
            record = next(self._records, None)
        return record

    def due(self, now: float) -> Iterator[Record]:
        """The reports whose time has come, at most a batch."""
        for _ in range(_BATCH):
            if self._following is None:
                self._following = self._next()
            record = self._following
            if record.at > now:
                return
            self._following = None
            given = self._given
            then = given.sent_then + 1 if record.at == given.sent_until else 1
            self._given = Position(given.topic_id, given.shift_years, record.at, then)
            yield record

    def acknowledged(self) -> None:
        if self._given != self.position:
            self._given.save(self._path)
            self.position = self._given


class _Simulated(SimulatedSource):
    def acknowledged(self) -> None:
        """The simulated network keeps no position: what was not sent in time is not sent."""


def feed_network() -> Network:
    """The stations of the simulated feed."""
    return network(FEED_SEED, FEED_STATIONS)


def sources_of(settings: Settings, kind: str, now: float) -> list[Source]:
    """The sources of `real`, `simulated` or `both`; the topic is created when it is not there yet.

    The simulated network fills an empty topic with its last hours, and tells any other from now on.
    """
    kafka.ensure_topic(settings)
    sources: list[Source] = []
    if kind in ("simulated", "both"):
        is_new = kafka.newest_append(settings) is None
        # Each station once a minute.
        schedule = Schedule(feed_network(), Fraction(FEED_STATIONS, 60))
        sources.append(_Simulated(schedule, now - NETWORK_BACKLOG_S if is_new else now))
    if kind in ("real", "both"):
        timeline = Timeline(isd.read(ISD_HOURLY))
        sources.append(RealSource(timeline, position_path(settings), kafka.topic_id(settings), now))
    return sources


def run(settings: Settings, sources: list[Source], stopped: Callable[[], bool]) -> int:
    """Send what the sources have as its time comes, until `stopped`; the number of records acknowledged."""
    # Without a timeout: while the broker is away, records wait in the producer instead of being given up.
    sender = Sender(settings, **{"message.timeout.ms": 0})
    while not stopped():
        now, given = time.time(), 0
        for source in sources:
            given += sender.send_each(source.due(now))
        if _flushed(sender, stopped):
            for source in sources:
                source.acknowledged()
        if given < _BATCH:
            sender.wait(_PAUSE_S)
    return sender.sent


def _flushed(sender: Sender, stopped: Callable[[], bool]) -> bool:
    while sender.flush(_FLUSH_S) > 0:
        if stopped():
            return False
    return True
