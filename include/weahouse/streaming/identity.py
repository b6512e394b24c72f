"""What the stream was started on: the topic's id, where it began, and the form of its state; checked at each start."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from weahouse.io.kafka import KafkaError, begin_offsets, topic_id
from weahouse.schemas.datasets import QUERIES, RAW_OBSERVATIONS, REPEAT_KEY
from weahouse.schemas.fields import FIELDS
from weahouse.schemas.render import checkpoint_path, path, progress_path
from weahouse.streaming.checkpoint import read_checkpoint
from weahouse.streaming.errors import (
    CheckpointDamagedError,
    OffsetsExpiredError,
    StreamRefusedError,
    TopicRecreatedError,
)
from weahouse.streaming.fencing import StopRequestedError

if TYPE_CHECKING:
    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings
    from weahouse.streaming.run import Run

log = logging.getLogger("weahouse.stream")

_PROBE_EVERY_S = 2.0

Offsets = dict[str, int]

# Conditions of Spark that no server's absence explains.
_DAMAGE = re.compile(
    r"\b(STREAMING_CHECKPOINT_MISSING_METADATA_FILE|STREAMING_STATEFUL_OPERATOR_\w+|BATCH_METADATA_NOT_FOUND"
    r"|CHECKPOINT_FILE_CHECKSUM_VERIFICATION_FAILED|STATE_STORE_INVALID_CONFIG_AFTER_RESTART"
    r"|STATE_STORE_\w+_(?:NOT_COMPATIBLE|INCOMPATIBLE|VALIDATION_FAILURE|VERIFICATION_FAILED)"
    r"|CANNOT_LOAD_STATE_STORE\.(?:CANNOT_FIND_BASE_SNAPSHOT_CHECKPOINT|CANNOT_READ_DELTA_FILE_NOT_EXISTS"
    r"|CANNOT_READ_MISSING_SNAPSHOT_FILE|INVALID_\w+|\w+_VALIDATION_FAILURE|UNEXPECTED_\w+))"
)
# Also what a server that is away looks like: damage only when the next driver meets it again.
_DOUBTFUL = re.compile(r"\b(CANNOT_LOAD_STATE_STORE)\b")


@dataclass(frozen=True)
class Identity:
    """The topic and its id, the offset at which each partition began, and the columns of the query's state."""

    topic: str
    topic_id: str
    starting_offsets: dict[str, int]
    state: list[str]
    # Rows of `curated.gaps`, for status, which has no time to open the table.
    gaps: int = 0


def state_columns() -> list[str]:
    """The columns that the stream's state holds, with their types; another list needs a new checkpoint."""
    return [f"{name} {FIELDS[name].type}" for name in REPEAT_KEY]


def read_identity(hdfs: Hdfs, root: str) -> Identity | None:
    """What the stream was last started or rebuilt on; None before its first start."""
    found = hdfs.read_json(progress_path("identity.json", root))
    return Identity(**found) if found else None


def write_identity(hdfs: Hdfs, root: str, identity: Identity) -> None:
    hdfs.write_json(progress_path("identity.json", root), asdict(identity))


def verify(settings: Settings, hdfs: Hdfs) -> Identity:
    """The identity with which the stream may go on; recorded where there was none yet.

    Raises TopicRecreatedError, OffsetsExpiredError or CheckpointDamagedError where it may not, KafkaError and OSError
    where a server does not answer.
    """
    root = settings.hdfs_root
    current, begin = topic_id(settings), begin_offsets(settings)
    identity = read_identity(hdfs, root)
    if identity is not None:
        _check_topic(identity, settings, current)
        if identity.state != state_columns():
            was, now = (", ".join(columns) for columns in (identity.state, state_columns()))
            raise CheckpointDamagedError(f"the checkpoint keeps the state ({was}), but this code keeps ({now})")
    stands = {query: _stand(settings, hdfs, query, identity) for query in QUERIES}
    if identity is None:
        if not any(stands.values()):
            _check_first(settings, hdfs)
        start = {str(partition): offset for partition, offset in begin.items()}
        identity = Identity(settings.observations_topic, current, start, state_columns())
        write_identity(hdfs, root, identity)
        log.info("the stream begins on topic %s with the id %s", identity.topic, identity.topic_id)
    for query, stand in stands.items():
        _check_offsets(query, identity.starting_offsets | stand, begin)
    return identity


def confirm_topic(run: Run) -> None:
    """Raise TopicRecreatedError unless the topic is still the one that the stream began on; waits while Kafka is away.

    Records that were read before this call are then certainly that topic's.
    """
    assert run.identity is not None
    current = None
    while current is None:
        try:
            current = topic_id(run.settings)
        except KafkaError:
            run.waiting_on = "kafka"
            if run.stopping.is_set():
                raise StopRequestedError("the stream was asked to stop while it waited for Kafka") from None
            time.sleep(_PROBE_EVERY_S)
    if run.waiting_on == "kafka":
        run.waiting_on = None
    _check_topic(run.identity, run.settings, current)


def refusal(failure: Exception, settings: Settings, hdfs: Hdfs, last_error: str | None) -> StreamRefusedError | None:
    """The named reason behind a failure, None where a restart may mend it.

    Spark's own errors name symptoms, and some of them pass; so Kafka and the checkpoint are asked first.
    """
    if isinstance(failure, StreamRefusedError):
        return failure
    try:
        verify(settings, hdfs)
    except StreamRefusedError as found:
        return found
    except Exception as error:
        log.warning("the reason of the failure could not be looked into: %s", error)
        return None
    text = str(failure)
    if damage := _DAMAGE.search(text):
        return CheckpointDamagedError(f"Spark cannot load its checkpoint: {damage[0]}")
    if _DOUBTFUL.search(text) and last_error and _DOUBTFUL.search(last_error):
        return CheckpointDamagedError("Spark failed twice to load its state: CANNOT_LOAD_STATE_STORE")
    return None


def sentence(found: StreamRefusedError) -> str:
    """A refusal as the sentence that status shows."""
    return f"{type(found).__name__}: {str(found).rstrip('.')}; the way out is `weahouse stream rebuild`"


def _check_topic(identity: Identity, settings: Settings, current: str) -> None:
    name = settings.observations_topic
    if identity.topic != name:
        raise TopicRecreatedError(f"the stream reads topic {identity.topic}, but the setting names {name}")
    if identity.topic_id != current:
        was = identity.topic_id
        raise TopicRecreatedError(f"topic {name} was deleted and created again: its id was {was} and is {current}")


def _stand(settings: Settings, hdfs: Hdfs, query: str, identity: Identity | None) -> Offsets:
    """By partition, the offset before which all is committed and settled; empty before the first batch."""
    checkpoint = read_checkpoint(hdfs, settings, query)
    progress = hdfs.read_json(progress_path(f"{query}.json", settings.hdfs_root)) or {}
    place = checkpoint_path(query, settings.hdfs_root)
    if checkpoint is None and progress.get("batch_id") is not None:
        raise CheckpointDamagedError(f"{place} is gone, but the stream has committed batch {progress['batch_id']}")
    committed = {str(p): offset for p, offset in checkpoint.offsets.items()} if checkpoint else {}
    reached = {**(identity.starting_offsets if identity else {}), **committed}
    settled: Offsets = progress.get("committed_offsets") or {}
    for partition, offset in settled.items():
        if (at := reached.get(partition, 0)) < offset:
            raise CheckpointDamagedError(
                f"{place} ends at offset {at} of partition {partition}, but the stream has committed {offset}"
            )
    # What was committed and not settled is read once more.
    return committed | settled


def _check_first(settings: Settings, hdfs: Hdfs) -> None:
    """Without an identity there is either nothing yet, or a checkpoint of a release that recorded none."""
    raw = path(RAW_OBSERVATIONS, settings.hdfs_root)
    if any(name.startswith("ingest_hour=") for name in hdfs.list(raw)):
        raise CheckpointDamagedError(f"{raw} holds records, but the checkpoints that read them are gone")


def _check_offsets(query: str, stand: Offsets, begin: dict[int, int]) -> None:
    lost = [(partition, stand.get(str(partition), 0), first) for partition, first in begin.items()]
    lost = [(partition, at, first) for partition, at, first in lost if at < first]
    if lost:
        partition, at, first = lost[0]
        raise OffsetsExpiredError(
            f"query {query} has not read {sum(first - at for _, at, first in lost)} records that the topic no longer "
            f"holds: partition {partition} begins at {first}, the query stands at {at}"
            + (f", and {len(lost) - 1} more like it" if len(lost) > 1 else "")
        )


def as_starting_offsets(identity: Identity) -> dict[str, Any]:
    """The offsets as Spark's Kafka source takes them where there is no checkpoint."""
    return {identity.topic: identity.starting_offsets}
