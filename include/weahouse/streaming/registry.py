"""The station registry as the stream uses it: small, broadcast, read again when its table has a new version."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.io.delta import read_table
from weahouse.io.stations import upsert_stations
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings

log = logging.getLogger("weahouse.stream")


class Registry:
    """Regions and latitudes by station; the registry's region wins over the event's."""

    def __init__(self, settings: Settings, hdfs: Hdfs) -> None:
        self._settings = settings
        self._hdfs = hdfs
        self._log = f"{path(GOLD_STATIONS, settings.hdfs_root)}/_delta_log"
        self._version = ""
        self._stations: DataFrame | None = None

    def with_region(self, observations: DataFrame) -> DataFrame:
        """Replace `region` by the registry's where the station is known.

        Adds its `latitude_deg`, `is_registered`, and `registered_at`: since when the registry says so.
        """
        stations = F.broadcast(self._current(observations.sparkSession))
        joined = observations.join(stations, "station_id", "left")
        return joined.withColumns(
            {
                "region": F.coalesce("registered_region", "region"),
                "is_registered": F.col("registered_region").isNotNull(),
            }
        ).drop("registered_region")

    def add_unknown(self, regions: dict[str, str]) -> None:
        """Register stations that nobody told us of, with the region of their own events and without coordinates."""
        if not regions:
            return
        log.info("registering %d unknown stations", len(regions))
        rows = [
            {"station_id": station, "region": region, "registry": "observed"} for station, region in regions.items()
        ]
        upsert_stations(self._settings, rows)

    def _current(self, spark: SparkSession) -> DataFrame:
        version = max((name for name in self._hdfs.list(self._log) if name.endswith(".json")), default="")
        if self._stations is None or version != self._version:
            if self._stations is not None:
                self._stations.unpersist()
            table = read_table(spark, self._settings, GOLD_STATIONS)
            region = F.col("region").alias("registered_region")
            self._stations = table.select("station_id", region, "latitude_deg", "registered_at").persist()
            self._version = version
        return self._stations
