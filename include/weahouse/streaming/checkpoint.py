"""A query's checkpoint as Spark wrote it, read and checked without Spark, which takes milliseconds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weahouse.schemas.render import checkpoint_path
from weahouse.streaming.errors import CheckpointDamagedError

if TYPE_CHECKING:
    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings


@dataclass(frozen=True)
class Checkpoint:
    """The last committed batch, -1 before the first, and the offset after its last record of each partition."""

    batch_id: int
    offsets: dict[int, int]


def read_checkpoint(hdfs: Hdfs, settings: Settings, query: str) -> Checkpoint | None:
    """The checkpoint of a query, None where it has none yet.

    Raises CheckpointDamagedError where a part is missing or cannot be read that Spark needs to go on.
    """
    folder = checkpoint_path(query, settings.hdfs_root)
    commits = _numbers(hdfs.list(f"{folder}/commits"))
    metadata = hdfs.read_text(f"{folder}/metadata")
    if metadata is None:
        if commits:
            raise CheckpointDamagedError(f"{folder}/metadata is missing")
        return None
    _json(f"{folder}/metadata", metadata)
    if not commits:
        return Checkpoint(-1, {})
    last = commits[-1]
    _read_log(hdfs, f"{folder}/commits/{last}")
    offsets = _read_log(hdfs, f"{folder}/offsets/{last}")
    if len(offsets) < 2:
        raise CheckpointDamagedError(f"{folder}/offsets/{last} holds no offsets")
    _check_state(hdfs, f"{folder}/state/0", last, int(offsets[0].get("conf", {}).get(_PARTITIONS, 0)))
    ends = offsets[1].get(settings.observations_topic, {})
    return Checkpoint(last, {int(partition): int(offset) for partition, offset in ends.items()})


_PARTITIONS = "spark.sql.shuffle.partitions"


def _check_state(hdfs: Hdfs, folder: str, batch_id: int, partitions: int) -> None:
    """A query that keeps state needs each partition's newest snapshot and every change since, up to the batch."""
    if not hdfs.exists(folder.removesuffix("/0")):
        return
    wanted = batch_id + 1
    for partition in range(partitions):
        names = hdfs.list(f"{folder}/{partition}")
        changes = {int(name[:-10]) for name in names if name.endswith(".changelog") and name[:-10].isdigit()}
        snapshots = _numbers([name[:-4] for name in names if name.endswith(".zip")])
        base = max((snapshot for snapshot in snapshots if snapshot <= wanted), default=0)
        missing = sorted(set(range(base + 1, wanted + 1)) - changes)
        if missing:
            raise CheckpointDamagedError(f"{folder}/{partition} has no changelog {missing[0]}")


def _read_log(hdfs: Hdfs, path: str) -> list[dict[str, Any]]:
    """The JSON lines of a file of Spark's offset or commit log, whose first line is a version."""
    text = hdfs.read_text(path)
    if text is None:
        raise CheckpointDamagedError(f"{path} is missing")
    version, *lines = text.splitlines() or [""]
    if version != "v1" or not lines:
        raise CheckpointDamagedError(f"{path} cannot be read")
    return [_json(path, line) for line in lines]


def _json(path: str, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise CheckpointDamagedError(f"{path} cannot be read") from None
    if not isinstance(found, dict):
        raise CheckpointDamagedError(f"{path} cannot be read")
    return found


def _numbers(names: list[str]) -> list[int]:
    return sorted(int(name) for name in names if name.isdigit())
