"""The one way to a new checkpoint: where both queries begin, what is lost, and what is brought in from Raw first.

Both queries begin where Raw ends. What Raw holds beyond the committed offsets is merged from Raw before that, so that
nothing depends on records which the topic may no longer hold; merging again changes nothing. Only that needs Spark.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from weahouse.io import lake
from weahouse.io.gaps import read_gaps, write_gaps
from weahouse.io.kafka import begin_offsets, end_offsets, topic_id
from weahouse.schemas.datasets import OFFSETS_EXPIRED, QUERIES, RAW_OBSERVATIONS, TOPIC_RECREATED
from weahouse.schemas.render import checkpoint_aside, checkpoint_path, progress_path
from weahouse.streaming.identity import Identity, read_identity, state_columns, write_identity
from weahouse.streaming.progress import committed_by_all

if TYPE_CHECKING:
    from weahouse.io.gaps import Gap
    from weahouse.io.hdfs import Hdfs
    from weahouse.settings import Settings


class RebuildError(RuntimeError):
    """The stream cannot be rebuilt as things stand; one sentence."""


@dataclass(frozen=True)
class Span:
    """Offsets of a partition in Raw, from `start` to before `end`, appended after `after` (RFC 3339, null: any)."""

    topic: str
    partition: int
    start: int
    end: int
    after: str | None


@dataclass(frozen=True)
class Plan:
    """What a rebuild does. `starting_offsets` by partition hold for both queries."""

    topic: str
    topic_id: str
    is_recreated: bool
    starting_offsets: dict[int, int]
    recover: list[Span]
    gaps: list[Gap]
    # Old place and new place of each checkpoint that exists.
    aside: list[tuple[str, str]]


@dataclass(frozen=True)
class _Held:
    """What Raw holds of a partition: the offset after the newest topic's last record, the newest append time of all."""

    end: int | None
    newest: datetime | None
    after: datetime | None


def make_plan(settings: Settings, hdfs: Hdfs) -> Plan:
    """Look at Raw, Kafka and the last committed offsets; changes nothing.

    Raises RebuildError where the topic holds less than Raw, KafkaError, LakeError and OSError where a server is away.
    """
    now = datetime.now(UTC)
    current, begin = _topic_id(settings), begin_offsets(settings)
    identity = read_identity(hdfs, settings.hdfs_root) or Identity(settings.observations_topic, current, {}, [])
    is_recreated = (identity.topic_id, identity.topic) != (current, settings.observations_topic)
    # A rebuild that was broken off has written of the old topic's end already.
    ended = [gap for gap in read_gaps(settings) if gap["cause"] == TOPIC_RECREATED]
    ended = [gap for gap in ended if gap["topic_id"] != identity.topic_id]
    _check_new(settings, current, ended)
    held = _held(settings, identity.topic, ended)
    committed = committed_by_all(hdfs, settings.hdfs_root)
    floor = {int(p): at for p, at in identity.starting_offsets.items()}
    if not is_recreated:
        _check_ends(settings, held, end_offsets(settings))

    starting, lost, recover = {}, [], []
    for partition in sorted({*begin, *held}):
        raw = held.get(partition, _NOTHING)
        raw_end = floor.get(partition, 0) if raw.end is None else raw.end
        first = begin.get(partition)
        gap = {"topic": settings.observations_topic, "topic_id": current, "partition": partition, "noticed_at": now}
        gap["last_ingested_at"] = raw.newest
        if is_recreated:
            of_old = {"topic": identity.topic, "topic_id": identity.topic_id, "cause": TOPIC_RECREATED}
            lost.append({**gap, **of_old, "from_offset": raw_end, "to_offset": None})
        if first is not None:
            known = 0 if is_recreated else raw_end
            if first > known:
                lost.append({**gap, "cause": OFFSETS_EXPIRED, "from_offset": known, "to_offset": first})
            starting[partition] = max(first, known)
        if (done := min(committed.get(partition, 0), raw_end)) < raw_end and raw.end is not None:
            recover.append(Span(identity.topic, partition, done, raw_end, _text(raw.after)))
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    places = [
        (checkpoint_path(q, settings.hdfs_root), checkpoint_aside(q, moment, settings.hdfs_root)) for q in QUERIES
    ]
    aside = [(old, new) for old, new in places if hdfs.exists(old)]
    return Plan(settings.observations_topic, current, is_recreated, starting, recover, lost, aside)


def carry_out(settings: Settings, hdfs: Hdfs, plan: Plan) -> None:
    """Write the gaps down, move the checkpoints aside, and leave what the next start begins from.

    What is to be recovered must stand in the tables by now. After a crash in between, a second rebuild does the same.
    """
    write_gaps(settings, plan.gaps)
    for old, new in plan.aside:
        hdfs.move(old, new)
    start = {str(partition): offset for partition, offset in plan.starting_offsets.items()}
    for query in QUERIES:
        place = progress_path(f"{query}.json", settings.hdfs_root)
        last = hdfs.read_json(place) or {}
        # Batches count from 0 again; until the first one everything before the start is done.
        begun = {"batch_id": None, "settled_batch": -1, "committed_offsets": start, "last_batch_at": None}
        hdfs.write_json(place, {**last, "query": query, **begun})
    place = progress_path("driver.json", settings.hdfs_root)
    if driver := hdfs.read_json(place):
        hdfs.write_json(place, {**driver, "state": "stopped", "error": None, "refusal": None})
    identity = Identity(plan.topic, plan.topic_id, start, state_columns(), len(read_gaps(settings)))
    write_identity(hdfs, settings.hdfs_root, identity)


def as_document(plan: Plan) -> dict[str, Any]:
    """The plan as JSON can hold it."""
    gaps = [{**gap, **{name: _text(gap[name]) for name in ("noticed_at", "last_ingested_at")}} for gap in plan.gaps]
    return asdict(replace(plan, gaps=gaps))


_NOTHING = _Held(None, None, None)
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def _held(settings: Settings, topic: str, ended: list[Gap]) -> dict[int, _Held]:
    """By partition, what Raw holds of a topic. Where it was replaced, only what was appended after its end counts."""
    after = {g["partition"]: g["last_ingested_at"] or _BEFORE_ALL for g in ended if g["topic"] == topic}
    is_newest = " OR ".join(
        [f'("partition" = {p} AND "timestamp" > \'{end.isoformat()}\')' for p, end in after.items()]
        + [f'"partition" NOT IN ({", ".join(str(p) for p in [-1, *after])})']
    )
    if lake.open_table(settings, RAW_OBSERVATIONS) is None:
        return {}
    rows = lake.query(
        settings,
        f'SELECT "partition" AS p, max("offset") FILTER (WHERE {is_newest}) + 1 AS end_offset, '
        f'max("timestamp") AS newest FROM {RAW_OBSERVATIONS.name} '
        f"WHERE topic = '{topic}' GROUP BY \"partition\"",
    ).to_pylist()
    return {row["p"]: _Held(row["end_offset"], row["newest"], after.get(row["p"])) for row in rows}


def _topic_id(settings: Settings) -> str:
    from confluent_kafka import KafkaException

    try:
        return topic_id(settings)
    except KafkaException as error:
        name = settings.observations_topic
        raise RebuildError(f"topic {name} cannot be described ({error.args[0].str()}): a rebuild creates it") from None


def _check_new(settings: Settings, current: str, ended: list[Gap]) -> None:
    if any(gap["topic_id"] == current for gap in ended):
        raise RebuildError(
            f"the stream has left topic {settings.observations_topic} (id {current}) before, and Raw would hold its "
            "records twice: go on with the topic that the stream reads now, or send the records to a new one"
        )


def _check_ends(settings: Settings, held: dict[int, _Held], end: dict[int, int]) -> None:
    for partition, raw in held.items():
        if raw.end is not None and raw.end > end.get(partition, 0):
            raise RebuildError(
                f"partition {partition} of topic {settings.observations_topic} ends at {end.get(partition, 0)}, before "
                f"the {raw.end} that Raw holds: the broker has lost records; delete the topic, and rebuild again"
            )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
