"""Who writes a table in a batch job: one run at a time, and none that a newer one has taken over from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from weahouse.io.delta import version_of
from weahouse.io.hdfs import Hdfs
from weahouse.schemas.datasets import CURATED_OBSERVATIONS
from weahouse.streaming.fencing import FencedError, TableLease, take_epoch
from weahouse.streaming.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pyspark.sql import SparkSession

    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

# For the writes of one run.
_WRITES_BITS = 32


def run_beside_the_stream(settings: Settings, owner: str) -> Run:
    """A run of `upsert` with numbers of its own, and without alerts, which live readings alone raise.

    An earlier run of the same owner cannot write any more. Raises OSError when HDFS does not answer.
    """
    hdfs = Hdfs(settings)
    epoch = take_epoch(hdfs, settings.hdfs_root, f"{owner}_epochs")
    return Run(
        settings, hdfs, epoch, TableLease(hdfs, settings.hdfs_root, CURATED_OBSERVATIONS, owner, epoch), owner=owner
    )


@dataclass(frozen=True)
class Writer:
    """One run of the job `name`; `epoch` grows from run to run, and `hold` waits for the right to write a table."""

    name: str
    epoch: int
    hold: Callable[[Dataset], AbstractContextManager[None]]
    _writes: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def on_hdfs(cls, settings: Settings, name: str) -> Writer:
        """The newest run of a job, with leases on HDFS. Raises OSError when HDFS does not answer."""
        hdfs = Hdfs(settings)
        epoch = take_epoch(hdfs, settings.hdfs_root, f"{name}_epochs")
        return cls(name, epoch, lambda dataset: TableLease(hdfs, settings.hdfs_root, dataset, name, epoch).held())

    @contextmanager
    def one_commit(self, spark: SparkSession, settings: Settings, dataset: Dataset) -> Iterator[tuple[str, int]]:
        """What marks the write of a table that is held; raises FencedError where the table has taken none.

        As Delta says nothing when it refuses a number that does not exceed the job's last one.
        """
        before = version_of(spark, settings, dataset)
        yield self.name, (self.epoch << _WRITES_BITS) + next(self._writes)
        if version_of(spark, settings, dataset) == before:
            raise FencedError(f"{dataset.name} took no write of {self.name} {self.epoch}: a newer run has written it")
