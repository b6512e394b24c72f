"""A file, from its lines to acknowledged records, with an account of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from weahouse.io import kafka
from weahouse.sources import isd, ndjson, surfrad
from weahouse.sources.producer import Refusal, send_all
from weahouse.sources.timeline import Timeline
from weahouse.sources.years import moved, shift_beyond, shifted

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from weahouse.settings import Settings
    from weahouse.sources.records import Record, Records

FORMATS: dict[str, Callable[[Path], Records]] = {
    "isd-hourly": isd.read,
    "surfrad": surfrad.read,
    "ndjson": ndjson.read,
}
# report(what, done, total): how far a phase has come; total None while it is unknown.
Report = Callable[[str, int, int | None], None]
_REPORT_EVERY = 5_000


@dataclass(frozen=True)
class Selection:
    """Which of a file's records are sent; `now` (epoch seconds) is where a shifted file ends."""

    shift_to_now: bool = False
    last: timedelta | None = None
    limit: int | None = None
    now: int = 0

    def of(self, timeline: Timeline) -> Iterator[Record]:
        """The selected records, in order of time."""
        if timeline.newest is None:
            return iter(())
        records, end = iter(timeline), timeline.newest
        if self.shift_to_now:
            records, end = shifted(timeline, self._years(timeline.oldest or 0, timeline.newest)), self.now
        # Inclusive at the end: a report dated this very second is not ahead of anybody.
        begin = None if self.last is None else end - int(self.last.total_seconds())
        chosen = (record for record in records if record.at <= end and (begin is None or record.at > begin))
        return chosen if self.limit is None else islice(chosen, self.limit)

    def _years(self, oldest: int, newest: int) -> int:
        years = shift_beyond(newest, self.now)
        # A file of one day in January would lie ahead as a whole in November: last January is its place then.
        return years if (moved(oldest, years) or oldest) <= self.now else years - 1


@dataclass
class Account:
    """What became of a file: `unreadable` counts lines by reason, `examples` names the first line of each."""

    read: int = 0
    selected: int = 0
    keyless: int = 0
    sent: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    examples: dict[str, int] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def rows(self) -> list[tuple[str, int]]:
        """The counts by name, those that are usually 0 only when they are not."""
        usual = [("lines read", self.read), ("lines not read", self.unreadable.total())]
        seldom = [("left out by --last, --limit or the shift", self.read - self.selected)]
        seldom += [("sent without a key, for quarantine to judge", self.keyless)]
        ends = [("sent and acknowledged", self.sent), ("refused by the broker", len(self.refusals))]
        return usual + [row for row in seldom if row[1]] + ends


def ingest_file(
    settings: Settings, path: Path, format: str, selection: Selection, factor: float | None, report: Report
) -> Account:
    """Send a file's records by event time, at `factor` times real time (None: at once).

    Raises SourceError for a file that cannot be read and KafkaError for a broker that does not answer.
    """
    kafka.ensure_topic(settings)
    timeline = Timeline(_reported(FORMATS[format](path), report))
    account = Account(read=timeline.count, unreadable=timeline.refused, examples=timeline.examples)
    expected = timeline.count if selection.limit is None else min(selection.limit, timeline.count)

    def counted() -> Iterator[Record]:
        for record in selection.of(timeline):
            account.selected += 1
            account.keyless += record.key is None
            yield record

    sender = send_all(settings, counted(), factor, lambda _: report("sending", account.selected, expected))
    report("sending", account.selected, account.selected)
    account.sent, account.refusals = sender.sent, sender.refusals
    return account


def _reported(records: Records, report: Report) -> Records:
    for number, record in enumerate(records, start=1):
        if number % _REPORT_EVERY == 0:
            report("reading", number, None)
        yield record
