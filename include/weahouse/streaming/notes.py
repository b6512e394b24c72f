"""What curation tells the stream: where verdicts have changed, so that alerts are judged anew there.

A note is drafted before the verdicts are served and laid out after, and it is deleted when the alerts were told. Who
dies in between leaves it to the next: judging twice changes nothing.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from weahouse.schemas.render import progress_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weahouse.io.hdfs import Hdfs
    from weahouse.streaming.alerts import Alerts
    from weahouse.streaming.run import Run

_EVERY_S = 10.0
# A load of former years changes tens of thousands of days; between so many of them live readings have their turn.
_DAYS_AT_ONCE = 200


class Changed(NamedTuple):
    """The first and the last observation of a station on one day of which the verdict is another than before."""

    station_id: str
    region: str
    first_at: datetime
    last_at: datetime


class Notes:
    """The notes of an instance; drafts are written by one job at a time, under the lease of curated.verdicts."""

    def __init__(self, hdfs: Hdfs, root: str) -> None:
        self._hdfs = hdfs
        self._folder = progress_path("verdict_notes", root)
        self._draft = progress_path("verdict_note_draft.json", root)

    def draft(self, changed: Iterable[Changed]) -> None:
        """Note what is about to change, beside what a run that died may have changed already."""
        if told := set(changed):
            self._write(self._draft, sorted({*self._read(self._draft), *told}))

    def lay_out(self) -> None:
        """Give the draft to the stream, where there is one."""
        if self._hdfs.exists(self._draft):
            self._hdfs.move(self._draft, f"{self._folder}/{uuid.uuid4().hex}.json")

    def waiting(self) -> list[str]:
        """The notes that the stream has not settled, by name."""
        return sorted(name for name in self._hdfs.list(self._folder) if name.endswith(".json"))

    def read(self, name: str) -> list[Changed]:
        return self._read(f"{self._folder}/{name}")

    def keep_only(self, name: str, rest: list[Changed]) -> None:
        """Put what is left in the place of a note; delete it where nothing is."""
        place = f"{self._folder}/{name}"
        if rest:
            self._write(place, rest)
        else:
            self._hdfs.delete(place)

    def _read(self, place: str) -> list[Changed]:
        told = (self._hdfs.read_json(place) or {"changed": []})["changed"]
        return [Changed(*named, *map(datetime.fromisoformat, times)) for *named, times in told]

    def _write(self, place: str, changed: list[Changed]) -> None:
        told = [(*each[:2], [each.first_at.isoformat(), each.last_at.isoformat()]) for each in changed]
        self._hdfs.write_json(place, {"changed": told})


class NoteReader:
    """The driver's look at the notes: every ten seconds, also while no record comes."""

    def __init__(self, run: Run, alerts: Alerts) -> None:
        self._notes = Notes(run.hdfs, run.settings.hdfs_root)
        self._alerts = alerts
        self._looked_at = 0.0

    def keep(self) -> None:
        """Judge the alerts of the next note's stations anew, or of a part of them, when it is time to."""
        if time.monotonic() - self._looked_at < _EVERY_S or not self._alerts.knows_the_time:
            return
        waiting = self._notes.waiting()
        if not waiting:
            self._looked_at = time.monotonic()
            return
        changed = self._notes.read(waiting[0])
        self._alerts.judge_again(changed[:_DAYS_AT_ONCE])
        self._notes.keep_only(waiting[0], changed[_DAYS_AT_ONCE:])
