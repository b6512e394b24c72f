"""All records of a file by event time, in bounded memory."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO, cast

from weahouse.sources.records import Record, Records, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

# A run of 200,000 records of about 400 bytes is some 80 MB in Python; a year of five airports is one run.
RUN_RECORDS = 200_000
_CHUNK = 1_000


class Timeline:
    """A source, read to its end into sorted runs on disk, then merged while it is iterated; it can be iterated again.

    The sort is stable: records of one second keep the order of the file, so a correction stays behind what it corrects.
    """

    def __init__(self, records: Records, run_records: int = RUN_RECORDS) -> None:
        self.count = 0
        self.refused: Counter[str] = Counter()
        # The first line of each reason, as an example to look at.
        self.examples: dict[str, int] = {}
        self.oldest: int | None = None
        self.newest: int | None = None
        self._runs: list[BinaryIO] = []
        self._read(records, run_records)

    def _read(self, records: Records, run_records: int) -> None:
        run: list[Record] = []
        for record in records:
            if isinstance(record, Refused):
                self.refused[record.reason] += 1
                self.examples.setdefault(record.reason, record.line)
                continue
            run.append(record)
            if len(run) == run_records:
                self._spill(run)
                run = []
        if run:
            self._spill(run)

    def _spill(self, run: list[Record]) -> None:
        run.sort(key=_time)
        self.count += len(run)
        self.oldest = run[0].at if self.oldest is None else min(self.oldest, run[0].at)
        self.newest = run[-1].at if self.newest is None else max(self.newest, run[-1].at)
        file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - it lives as long as the timeline
        for start in range(0, len(run), _CHUNK):
            # Plain tuples: a named one costs its class's name and a call for each record.
            pickle.dump([tuple(record) for record in run[start : start + _CHUNK]], file, pickle.HIGHEST_PROTOCOL)
        self._runs.append(file)

    def __iter__(self) -> Iterator[Record]:
        return heapq.merge(*[_records_of(run) for run in self._runs], key=_time)


def _time(record: Record) -> int:
    return record.at


def _records_of(run: BinaryIO) -> Iterator[Record]:
    position = 0
    while True:
        run.seek(position)
        try:
            chunk = pickle.load(run)
        except EOFError:
            return
        position = run.tell()
        yield from map(Record._make, chunk)
