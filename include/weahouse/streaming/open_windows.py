"""The panes of the windows that are filling, kept from batch to batch.

A pane of live readings is written again with each batch until it is full. Made from Curated, it would be read anew each
time: with a reading of each station a second, 600 of each. So the panes that a batch made are kept, and the next
batch's new rows are merged into them. They are those of one version of Curated: where the table does not stand as this
driver left it, somebody else has written, and nothing that was kept holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.delta import version_of
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, PANE_MINUTES
from weahouse.schemas.render import path
from weahouse.streaming.checkpointed import release
from weahouse.streaming.fencing import FencedError
from weahouse.transforms.panes import merged, window_start

if TYPE_CHECKING:
    from collections.abc import Set
    from datetime import datetime

    from pyspark.sql import DataFrame, SparkSession

    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings
    from weahouse.streaming.extent import Extent
    from weahouse.streaming.placement import Placement

_PLACE = ("station_id", "day", "window_start")
# What is kept is copied with each batch. Live readings are of one window, or of two where one has just ended.
_KEPT_AT_MOST = 3
# A backlog's batches touch many, and the next one brings others.
_TOUCHED_AT_MOST = 6
# For the writes of one driver; at one a second they last for a century.
_WRITES_BITS = 32


class OpenWindows:
    """Which version of Curated this driver wrote last, and the panes of some windows as of that version.

    All calls are made under the table's lease.
    """

    def __init__(self, settings: Settings, hdfs: Hdfs) -> None:
        self._settings = settings
        self._hdfs = hdfs
        self._log = f"{path(CURATED_OBSERVATIONS, settings.hdfs_root)}/_delta_log"
        self._version: int | None = None
        self._is_own = False
        self._writes = 0
        self._panes: DataFrame | None = None
        self.starts: Set[datetime] = frozenset()

    def look(self, spark: SparkSession) -> bool:
        """Whether the newest version of Curated is this driver's; where it is not, what was kept is forgotten."""
        if self._version is None or self._is_there(self._version + 1):
            self.forget()
            self._version = version_of(spark, self._settings, CURATED_OBSERVATIONS)
            self._is_own = False
        return self._is_own

    def transaction(self, owner: str, epoch: int) -> tuple[str, int]:
        """What marks the owner's next write of Curated: a number, and Delta silently refuses one that is not greater.

        So a driver that was taken over from in the middle of its batch cannot write after the newer one has.
        """
        self._writes += 1
        return owner, (epoch << _WRITES_BITS) + self._writes

    def written(self) -> None:
        """Note that Curated was written; raises FencedError where the table has refused that silently."""
        assert self._version is not None
        if not self._is_there(self._version + 1):
            raise FencedError("curated.observations took no write of this epoch: a newer driver has written it")
        self._version += 1
        self._is_own = True

    def with_held(self, fresh: DataFrame, placement: Placement) -> DataFrame:
        """Panes of new rows, merged with those that are kept."""
        if self._panes is None:
            return fresh
        held = self._panes.where(F.col("window_start").isin(sorted(self.starts)))
        return merged(placement.gather(held, "day"), fresh)

    def with_ahead(self, rows: DataFrame, placement: Placement) -> DataFrame:
        """Add `is_ahead` to a batch's rows: of a window that is kept, and later than all that its station has there.

        Curated holds no such row, as long as it stands as this driver left it: `look` tells.
        """
        if self._panes is None:
            return rows.withColumn("is_ahead", F.lit(False))
        held = self._panes.select(*_PLACE, "newest_observed_at").withColumnRenamed("day", "observed_date")
        started = rows.withColumn("window_start", window_start(F.col("observed_at"), PANE_MINUTES))
        on = ["station_id", "observed_date", "window_start"]
        joined = started.join(placement.gather(held).hint("shuffle_hash"), on, "left")
        newest = F.col("newest_observed_at")
        is_ahead = F.col("window_start").isin(sorted(self.starts)) & (newest.isNull() | (F.col("observed_at") > newest))
        return joined.withColumn("is_ahead", is_ahead).drop("window_start", "newest_observed_at")

    @staticmethod
    def is_worth_keeping(extent: Extent) -> bool:
        return len(extent.windows) <= _TOUCHED_AT_MOST

    def keep(self, panes: DataFrame | None, extent: Extent) -> None:
        """Keep, of checkpointed panes, the windows in which a batch had most of its rows; with None nothing at all."""
        self.forget()
        if panes is not None:
            fullest = sorted(extent.windows, key=lambda window: (window.rows, window.start))[-_KEPT_AT_MOST:]
            self.starts, self._panes = frozenset(window.start for window in fullest), panes

    def forget(self) -> None:
        if self._panes is not None:
            release(self._panes)
        self.starts, self._panes = frozenset(), None

    def _is_there(self, version: int) -> bool:
        return self._hdfs.exists(f"{self._log}/{version:020}.json")
