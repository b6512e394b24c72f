"""One driver at a time: an epoch that only the newest driver holds, and leases on tables."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from weahouse.schemas.render import lease_path, progress_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.io.hdfs import Hdfs
    from weahouse.schemas.kinds import Dataset

# The line of the stream's drivers.
_DRIVERS = "epochs"
_EPOCHS_KEPT = 20
# No batch holds a lease longer; a writer that died with it is put aside after this.
_LEASE_S = 600.0
_LEASE_POLL_S = 0.2


class FencedError(RuntimeError):
    """A newer driver has taken over; this one must stop before it writes again."""


class StopRequestedError(RuntimeError):
    """Raised at the start of a batch when the stream is to stop: the batch stays uncommitted and is done next time."""


def take_epoch(hdfs: Hdfs, root: str, line: str = _DRIVERS) -> int:
    """Become the newest driver, or writer of another line: create the next epoch's file, which only one can."""
    folder = progress_path(line, root)
    hdfs.mkdirs(folder)
    while True:
        taken = sorted(int(name) for name in hdfs.list(folder) if name.isdigit())
        epoch = (taken[-1] if taken else 0) + 1
        who = {"host": socket.gethostname(), "pid": os.getppid(), "at": datetime.now(UTC).isoformat()}
        if hdfs.create_exclusive(f"{folder}/{epoch}", who):
            for old in taken[:-_EPOCHS_KEPT]:
                hdfs.delete(f"{folder}/{old}")
            return epoch


def check_epoch(hdfs: Hdfs, root: str, epoch: int) -> None:
    """Raise FencedError when a driver with a later epoch exists."""
    if hdfs.exists(f"{progress_path(_DRIVERS, root)}/{epoch + 1}"):
        raise FencedError(f"epoch {epoch} is over: a newer driver has taken epoch {epoch + 1}")


class TableLease:
    """The right to write one table, held for a batch: a document that only one writer can have at its place.

    The document is written once; taking and giving back only move it, which takes milliseconds where a write takes
    half a second.
    """

    def __init__(self, hdfs: Hdfs, root: str, dataset: Dataset, owner: str, epoch: int) -> None:
        self._hdfs = hdfs
        self._place = lease_path(dataset, root)
        self._holder = {"owner": owner, "epoch": epoch}
        self._mine = f"{self._place}.{owner}.{epoch}"
        hdfs.mkdirs(self._place.rpartition("/")[0])
        hdfs.write_json(self._mine, self._holder)
        self._clear_earlier()

    def _clear_earlier(self) -> None:
        """Delete the documents of drivers that this one has taken over from: each start would leave one more."""
        folder, _, mine = self._mine.rpartition("/")
        stem, _, own = mine.rpartition(".")
        for name in self._hdfs.list(folder):
            of, _, epoch = name.rpartition(".")
            if of == stem and epoch.isdigit() and int(epoch) < int(own):
                self._hdfs.delete(f"{folder}/{name}")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lease and hold it; an older epoch of the same owner and an expired holder are put aside."""
        while not self._hdfs.claim(self._mine, self._place):
            if self._is_outlived():
                self._hdfs.delete(self._place)
            else:
                time.sleep(_LEASE_POLL_S)
        try:
            yield
        finally:
            if self._hdfs.read_json(self._place) == self._holder:
                self._hdfs.claim(self._place, self._mine)
            else:
                # It expired under us and somebody else has it; the next batch needs a document of its own again.
                self._hdfs.write_json(self._mine, self._holder)

    def _is_outlived(self) -> bool:
        holder = self._hdfs.read_json(self._place)
        if holder is None:
            return False
        is_earlier_self = holder["owner"] == self._holder["owner"] and holder["epoch"] <= self._holder["epoch"]
        return is_earlier_self or self._hdfs.modified_at(self._place) < time.time() - _LEASE_S
