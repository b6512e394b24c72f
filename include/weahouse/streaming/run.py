"""What the queries of one driver share: its epoch, its wish to stop, and what it waits for."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from weahouse.io.cassandra import CassandraError, connect
from weahouse.streaming.fencing import StopRequestedError, TableLease, check_epoch
from weahouse.streaming.open_windows import OpenWindows
from weahouse.streaming.placement import Placement

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from weahouse.alerts.rules import AlertRules
    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings
    from weahouse.streaming.identity import Identity

log = logging.getLogger("weahouse.stream")

T = TypeVar("T")

# A write that fails this often while Cassandra answers has another cause than its absence.
_FAILURES_WHILE_PRESENT = 3
_PROBE_EVERY_S = 2.0


@dataclass
class Run:
    """One driver's run, or a backfill's."""

    settings: Settings
    hdfs: Hdfs
    epoch: int
    curated_lease: TableLease
    # By whose numbers Delta knows the writes of Curated: a backfill's must not fence the driver's.
    owner: str = "stream"
    stopping: Event = field(default_factory=Event)
    waiting_on: str | None = None
    identity: Identity | None = None
    # What each query's batches did, by batch id, until their progress is published.
    counts: dict[str, dict[int, dict[str, Any]]] = field(default_factory=lambda: {"archive": {}, "observations": {}})
    # What batches touched, for the evaluation of alerts to take: tables of `alerts.touched.touched_blocks`. A run
    # without rules raises no alerts.
    alert_rules: AlertRules | None = None
    touched: list[pa.Table] = field(default_factory=list)
    placement: Placement = field(default_factory=Placement)

    @cached_property
    def open_windows(self) -> OpenWindows:
        """What is known of Curated from batch to batch."""
        return OpenWindows(self.settings, self.hdfs)

    def before_batch(self) -> None:
        """Raise StopRequestedError or FencedError when no further batch may begin."""
        if self.stopping.is_set():
            raise StopRequestedError("the stream was asked to stop")
        check_epoch(self.hdfs, self.settings.hdfs_root, self.epoch)

    def take_touched(self) -> list[pa.Table]:
        """What was touched since it was last taken; batches of another thread may add to it meanwhile."""
        return [self.touched.pop(0) for _ in range(len(self.touched))]

    def through_cassandra(self, act: Callable[[], T]) -> T:
        """Do what can be repeated; where Cassandra is away, wait until it is back and do it again."""
        failures = 0
        while True:
            try:
                return act()
            except Exception as error:
                failures = failures + 1 if self._cassandra_answers() else 0
                if failures >= _FAILURES_WHILE_PRESENT:
                    raise
                log.warning("a call to Cassandra failed and is repeated: %s", str(error).splitlines()[0])
            self._await_cassandra()

    def _await_cassandra(self) -> None:
        while not self._cassandra_answers():
            if self.waiting_on is None:
                log.warning("waiting for Cassandra at %s", self.settings.cassandra)
            self.waiting_on = "cassandra"
            if self.stopping.is_set():
                raise StopRequestedError("the stream was asked to stop while it waited for Cassandra")
            time.sleep(_PROBE_EVERY_S)
        self.waiting_on = None

    def _cassandra_answers(self) -> bool:
        try:
            session = connect(self.settings)
        except CassandraError:
            return False
        session.cluster.shutdown()
        return True
