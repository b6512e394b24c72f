"""How full the folders are that the stream writes to, how full they can get at its pace, and what they may hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from weahouse.io.delta import CHECKPOINT_INTERVAL, LOG_RETENTION_DAYS
from weahouse.schemas.datasets import CURATED_OBSERVATIONS, CURATED_QUARANTINE, DATASETS, QUERIES, RAW_OBSERVATIONS
from weahouse.schemas.render import checkpoint_path, lease_path, path, progress_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weahouse.io.hdfs import Hdfs
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings

# dfs.namenode.fs-limits.max-directory-items: the NameNode refuses more.
HDFS_LIMIT = 1_048_576
# Spark keeps 100 batches (spark.sql.streaming.minBatchesToRetain) and clears up after a third more; ten times as many
# mean that it no longer does.
_CHECKPOINT_LIMIT = 1_000
# A document a query, the control documents, one epoch or lease a driver of late.
_DOCUMENTS_LIMIT = 200
# Where the worst that can come is beyond this share, there is little room left for a faster pace.
_ATTENTION = 0.75
# Delta clears its log when it writes a checkpoint, and only whole days of it.
_DAYS_KEPT = LOG_RETENTION_DAYS + 1
# One of the version, one of its checksum, which a commit without Spark has not.
_FILES_PER_COMMIT = 2
# What a batch adds to a partition of the table: its tasks', at most.
_FILES_PER_BATCH = 2


@dataclass(frozen=True)
class Figure:
    """One folder: entries, or bytes where `unit` says so; None where a number is unknown or does not apply."""

    what: str
    held: int
    projected: int | None
    limit: int
    unit: str = "entries"
    size_bytes: int | None = None
    oldest_at: str | None = None

    @property
    def needs_attention(self) -> bool:
        return max(self.held, self.projected or 0) > self.limit * _ATTENTION


def figures(settings: Settings, hdfs: Hdfs) -> list[Figure]:
    """Every folder of this instance that grows with the stream. Raises OSError when HDFS does not answer."""
    tables = [figure for dataset in DATASETS for figure in _table(settings, hdfs, dataset)]
    queries = [figure for query in QUERIES for figure in _checkpoint(settings, hdfs, query)]
    documents = {
        "progress": progress_path("", settings.hdfs_root).rstrip("/"),
        "epochs": progress_path("epochs", settings.hdfs_root),
        "leases": lease_path(CURATED_OBSERVATIONS, settings.hdfs_root).rpartition("/")[0],
    }
    small = [Figure(name, len(hdfs.list(place)), None, _DOCUMENTS_LIMIT) for name, place in documents.items()]
    return [*tables, *queries, *small]


def commits_per_day(settings: Settings, dataset: Dataset) -> int | None:
    """The most that the stream's pace makes of a table; None for a table that is written now and then."""
    pace = {
        RAW_OBSERVATIONS: settings.archive_trigger,
        CURATED_QUARANTINE: settings.archive_trigger,
        CURATED_OBSERVATIONS: settings.observations_trigger,
    }.get(dataset)
    return None if pace is None else -(-timedelta(days=1) // pace)


def log_entries(commits_a_day: int) -> int:
    """The entries to which a Delta log grows at a pace, and then no further."""
    commits = commits_a_day * _DAYS_KEPT + CHECKPOINT_INTERVAL
    return commits * _FILES_PER_COMMIT + -(-commits // CHECKPOINT_INTERVAL) + 1


def _table(settings: Settings, hdfs: Hdfs, dataset: Dataset) -> Iterator[Figure]:
    place = path(dataset, settings.hdfs_root)
    log = hdfs.entries(f"{place}/_delta_log")
    if not log:
        return
    commits = commits_per_day(settings, dataset)
    oldest = datetime.fromtimestamp(min(entry.modified_at for entry in log), UTC)
    size_bytes = sum(entry.size_bytes for entry in log)
    projected = None if commits is None else log_entries(commits)
    yield Figure(
        f"{dataset.name} log",
        len(log),
        projected,
        HDFS_LIMIT,
        "entries",
        size_bytes,
        oldest.isoformat(timespec="seconds"),
    )
    entries = hdfs.entries(place)
    folders = [entry.name for entry in entries if entry.is_folder and not entry.name.startswith("_")]
    own = [entry.size_bytes for entry in entries if not entry.is_folder]
    held = [(len(own), sum(own)), *[hdfs.count(f"{place}/{name}") for name in folders]]
    yield Figure(
        f"{dataset.name} fullest folder",
        max(files for files, _ in held),
        None if commits is None else _per_folder(dataset, commits),
        HDFS_LIMIT,
        size_bytes=sum(size for _, size in held),
    )
    if folders:
        yield Figure(f"{dataset.name} folders", len(folders), None, HDFS_LIMIT)


def _per_folder(dataset: Dataset, commits_a_day: int) -> int:
    """Live readings of one day all go into that day's folder, or into its hours'."""
    share = 24 if dataset.partition_by == ("ingest_hour",) else 1
    return commits_a_day * _FILES_PER_BATCH // share


def _checkpoint(settings: Settings, hdfs: Hdfs, query: str) -> Iterator[Figure]:
    place = checkpoint_path(query, settings.hdfs_root)
    parts = ["offsets", "commits", *[f"state/0/{name}" for name in hdfs.list(f"{place}/state/0") if name.isdigit()]]
    for part in parts:
        yield Figure(f"checkpoint {query} {part}", len(hdfs.list(f"{place}/{part}")), None, _CHECKPOINT_LIMIT)
    aside = [name for name in hdfs.list(place.rpartition("/")[0]) if name.startswith("aside-")]
    if aside:
        yield Figure(f"checkpoint {query} put aside", len(aside), None, _CHECKPOINT_LIMIT)
