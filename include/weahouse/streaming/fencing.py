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
    from weahouse.schemas.datasets import Dataset

_EPOCHS_KEPT = 20


class FencedError(RuntimeError):
    """A newer driver has taken over; this one must stop before it writes again."""


class StopRequestedError(RuntimeError):
    """Raised at the start of a batch when the stream is to stop: the batch stays uncommitted and is done next time."""


def take_epoch(hdfs: Hdfs, root: str) -> int:
    """Become the newest driver: create the next epoch's file, which only one of several can."""
    folder = progress_path("epochs", root)
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
    if hdfs.exists(f"{progress_path('epochs', root)}/{epoch + 1}"):
        raise FencedError(f"epoch {epoch} is over: a newer driver has taken epoch {epoch + 1}")


@contextmanager
def lease(hdfs: Hdfs, root: str, dataset: Dataset, owner: str, epoch: int, seconds: int = 600) -> Iterator[None]:
    """Hold a table's write lease; waits while another owner holds it, at most until that one's expiry.

    A holder of the same name with an older epoch is dead or fenced, and its lease is taken at once.
    """
    place = lease_path(dataset, root)
    hdfs.mkdirs(place.rpartition("/")[0])
    while not hdfs.create_exclusive(place, {"owner": owner, "epoch": epoch, "expires_at": time.time() + seconds}):
        holder = hdfs.read_json(place)
        if holder is None:
            continue
        is_outlived = holder["owner"] == owner and holder["epoch"] <= epoch
        if is_outlived or holder["expires_at"] < time.time():
            hdfs.delete(place)
        else:
            time.sleep(0.2)
    try:
        yield
    finally:
        hdfs.delete(place)
