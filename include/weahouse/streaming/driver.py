"""The streaming driver: takes its epoch, starts both queries, publishes what they do, stops when it is asked to."""

from __future__ import annotations

import json
import logging
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from weahouse.alerts.rules import load_alert_rules
from weahouse.io.delta import ensure_table
from weahouse.io.hdfs import Hdfs
from weahouse.io.kafka import ensure_topic
from weahouse.qc.rules import load_rules
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_STATIONS
from weahouse.schemas.render import checkpoint_path, path, progress_path
from weahouse.streaming.alerts import Alerts
from weahouse.streaming.archive import archive_batch
from weahouse.streaming.fault_points import OBSERVATIONS_COMMITTED, reached
from weahouse.streaming.fencing import FencedError, StopRequestedError, TableLease, check_epoch, take_epoch
from weahouse.streaming.identity import as_starting_offsets, refusal, sentence, verify
from weahouse.streaming.notes import NoteReader
from weahouse.streaming.observations import ObservationsQuery
from weahouse.streaming.progress import Heartbeat, document, tell_committed
from weahouse.streaming.registry import Registry
from weahouse.streaming.run import Run
from weahouse.streaming.source import read_stream
from weahouse.streaming.vigil import Vigil

if TYPE_CHECKING:
    from datetime import timedelta

    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from weahouse.settings import Settings
    from weahouse.streaming.errors import StreamRefusedError

log = logging.getLogger("weahouse.stream")

_TICK_S = 0.5
# A batch that began before the wish to stop is let finish; on two busy cores the longest seen took 60 s.
_STOP_WITHIN_S = 120.0
_TABLES = (RAW_OBSERVATIONS, CURATED_OBSERVATIONS, CURATED_QUARANTINE, GOLD_STATIONS)


class Driver:
    """Both queries of one run."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._settings = settings
        hdfs = Hdfs(settings)
        self._last_error = (hdfs.read_json(progress_path("driver.json", settings.hdfs_root)) or {}).get("error")
        epoch = take_epoch(hdfs, settings.hdfs_root)
        lease = TableLease(hdfs, settings.hdfs_root, CURATED_OBSERVATIONS, "stream", epoch)
        self._run = Run(settings, hdfs, epoch, lease)
        self._heartbeat = Heartbeat(self._run)
        self._observations = ObservationsQuery(self._run, load_rules(), Registry(settings, hdfs))
        rules = self._run.alert_rules = load_alert_rules(settings.alert_rules)
        self._alerts = Alerts(self._run, rules, self._heartbeat.turn)
        self._vigil = Vigil(self._run, rules, self._alerts)
        self._notes = NoteReader(self._run, self._alerts)
        self._queries: dict[str, StreamingQuery] = {}
        self._published: dict[str, int] = {}

    def run(self) -> int:
        """Stream until asked to stop (0) or until a query fails or a newer driver takes over (1)."""
        self._heartbeat.start()
        log.info("epoch %d begins", self._run.epoch)
        try:
            self._start()
            self._heartbeat.set("running")
            failure = self._watch()
        except Exception as error:
            failure = error
        return self._end(failure)

    def _start(self) -> None:
        ensure_topic(self._settings)
        self._run.identity = verify(self._settings, self._run.hdfs)
        begin = as_starting_offsets(self._run.identity)
        for table in _TABLES:
            # A look at the folder takes a millisecond, Delta's own one seconds of the time to recover.
            if not self._run.hdfs.exists(f"{path(table, self._settings.hdfs_root)}/_delta_log"):
                ensure_table(self._spark, self._settings, table)
        self._alerts.load()
        settled = self._merge_what_was_not_settled()
        archive_id = self._checkpoint_id("archive")
        settings = self._settings
        pace = _pace(settings.archive_least_records, settings.archive_delay)
        self._queries["archive"] = self._query(
            "archive",
            read_stream(self._spark, settings, "archive", begin, **pace),
            settings.archive_trigger,
            lambda rows, n: archive_batch(self._run, rows, n, archive_id()),
        )
        pace = _pace(settings.observations_least_records, settings.observations_delay)
        rows = self._observations.transform(read_stream(self._spark, settings, "observations", begin, **pace))
        self._queries["observations"] = self._query(
            "observations", rows, settings.observations_trigger, self._observations.batch
        )
        # What the last driver left of alerts does not hold up what has come since.
        self._alerts.judge(self._run.take_touched())
        self._vigil.begin(self._observations.planned(settled))
        tell_committed(self._run.hdfs, settings, "archive")
        tell_committed(self._run.hdfs, settings, "observations", settled_batch=settled)

    def _query(self, name: str, rows: DataFrame, trigger: timedelta, batch: Any) -> StreamingQuery:
        # Two pools share the cores fairly: a long archive batch must not hold up the live one.
        self._spark.sparkContext.setLocalProperty("spark.scheduler.pool", name)
        return (
            rows.writeStream.queryName(name)
            .foreachBatch(batch)
            .trigger(processingTime=f"{trigger.total_seconds():g} seconds")
            .option("checkpointLocation", self._settings.hdfs + checkpoint_path(name, self._settings.hdfs_root))
            .start()
        )

    def _checkpoint_id(self, query: str) -> Any:
        """The id of a query's checkpoint, read when its first batch asks: Spark writes it just before."""
        held: list[str] = []
        place = f"{checkpoint_path(query, self._settings.hdfs_root)}/metadata"

        def read() -> str:
            if not held:
                held.append((self._run.hdfs.read_json(place) or {})["id"])
            return held[0]

        return read

    def _merge_what_was_not_settled(self) -> int:
        """Merge again the batches that the last driver has committed and not settled; the last batch that is merged."""
        last = self._run.hdfs.read_json(progress_path("observations.json", self._settings.hdfs_root)) or {}
        contested = last.get("last_contested_at")
        self._observations.last_contested_at = datetime.fromisoformat(contested) if contested else None
        return self._observations.settle_unpublished(self._spark, last.get("settled_batch", -1))

    def _watch(self) -> Exception | None:
        while all(query.isActive for query in self._queries.values()):
            self._heartbeat.turn()
            check_epoch(self._run.hdfs, self._settings.hdfs_root, self._run.epoch)
            if self._is_to_stop():
                self._stop()
                return None
            for name, query in self._queries.items():
                self._publish(name, query)
            self._vigil.keep()
            self._notes.keep()
            time.sleep(_TICK_S)
        return next(query.exception() for query in self._queries.values() if not query.isActive)

    def _publish(self, name: str, query: StreamingQuery) -> None:
        for progress in self._unpublished(name, query):
            counts = self._run.counts[name].pop(progress["batchId"], {})
            told = document(self._run, name, progress, counts)
            if name == "observations":
                reached(OBSERVATIONS_COMMITTED)
                told["merged_again"] = self._observations.settle(self._spark, progress, counts)
                told["alerts_changed"] = self._alerts.judge(self._run.take_touched())
                self._vigil.settled(progress)
                told["settled_batch"] = progress["batchId"]
                contested = self._observations.last_contested_at
                told["last_contested_at"] = contested.isoformat() if contested else None
            self._run.hdfs.write_json(progress_path(f"{name}.json", self._settings.hdfs_root), told)
            self._published[name] = progress["batchId"]

    def _unpublished(self, name: str, query: StreamingQuery) -> list[dict[str, Any]]:
        """The progress of batches that ended since the last one that was published."""
        published = self._published.get(name, -1)
        last = query.lastProgress
        # Spark holds a hundred documents, and builds each anew for whoever asks: mostly the last one is enough.
        is_enough = last is None or last.batchId <= published + 1
        found = [json.loads(each.json) for each in ([last] if is_enough else query.recentProgress) if each]
        # An idle trigger tells of the batch that comes next, which is neither planned nor committed.
        return [each for each in found if "addBatch" in each["durationMs"] and each["batchId"] > published]

    def _is_to_stop(self) -> bool:
        control = self._run.hdfs.read_json(progress_path("control.json", self._settings.hdfs_root)) or {}
        return control.get("desired") == "stopped" or control.get("stop_epoch", 0) >= self._run.epoch

    def _stop(self) -> None:
        """Let running batches finish: stopping a query in the middle of one would only have it done again."""
        log.info("asked to stop; running batches are let finish")
        self._run.stopping.set()
        self._heartbeat.set("stopping")
        deadline = time.monotonic() + _STOP_WITHIN_S
        while time.monotonic() < deadline and any(_is_in_batch(query) for query in self._queries.values()):
            time.sleep(_TICK_S)
        for name, query in self._queries.items():
            query.stop()
            self._publish(name, query)

    def _end(self, failure: Exception | None) -> int:
        for query in self._queries.values():
            query.stop()
        is_wanted = failure is None or _is_caused_by(failure, StopRequestedError)
        error = None if is_wanted else str(failure).splitlines()[0]
        if error:
            log.error("epoch %d ends: %s", self._run.epoch, failure)
        if not _is_caused_by(failure, FencedError):
            # The newer driver's heartbeat stands at the same place.
            refused = self._refusal(failure) if failure and not is_wanted else None
            name = type(refused).__name__ if refused else None
            self._heartbeat.set("stopped" if is_wanted else "failed", sentence(refused) if refused else error, name)
        self._heartbeat.end()
        return 0 if is_wanted else 1

    def _refusal(self, failure: Exception) -> StreamRefusedError | None:
        found = refusal(failure, self._settings, self._run.hdfs, self._last_error)
        if found:
            log.error("no restart mends this: %s", sentence(found))
        return found


def _pace(least_records: int, delay: timedelta) -> dict[str, str]:
    """Options of the Kafka source: begin a batch with so many records, or with fewer when the delay is over."""
    return {"minOffsetsPerTrigger": str(least_records), "maxTriggerDelay": f"{delay.total_seconds():g}s"}


def _is_in_batch(query: StreamingQuery) -> bool:
    return query.isActive and bool(query.status["isTriggerActive"])


def _is_caused_by(failure: Exception | None, kind: type[Exception]) -> bool:
    # An error raised in a batch comes back through the JVM as text.
    return failure is not None and (isinstance(failure, kind) or kind.__name__ in str(failure))
