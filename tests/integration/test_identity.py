"""What the driver asks before its queries start: is it the same topic, is every record there, is the state whole."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.integration.apart import PARTITIONS, Apart, apart
from tests.rows import event

from weahouse.io.kafka import ensure_topic, topic_id
from weahouse.schemas.render import checkpoint_path, progress_path
from weahouse.streaming.errors import CheckpointDamagedError, OffsetsExpiredError, TopicRecreatedError
from weahouse.streaming.identity import read_identity, refusal, verify, write_identity
from weahouse.streaming.progress import tell_committed

if TYPE_CHECKING:
    from weahouse.settings import Settings

BATCH = 12
STATE = ["10.zip", *[f"{version}.changelog" for version in range(1, BATCH + 2)]]


@pytest.fixture(scope="module")
def quiet(platform: Settings) -> Apart:
    return apart(platform, "asked")


@pytest.fixture
def asked(quiet: Apart) -> Apart:
    """A stream that has begun, as its documents and a checkpoint of thirteen batches say; no driver is needed."""
    stream = quiet
    stream.hdfs.delete(stream.settings.hdfs_root)
    # The checkpoint stands at 5; a topic that another test has emptied begins there at most.
    verify(stream.settings, stream.hdfs)
    write_checkpoint(stream, "archive", [])
    write_checkpoint(stream, "observations", STATE)
    return stream


def write_checkpoint(stream: Apart, query: str, state: list[str]) -> None:
    folder = checkpoint_path(query, stream.settings.hdfs_root)
    conf = {"conf": {"spark.sql.shuffle.partitions": "2"}}
    offsets = {stream.settings.observations_topic: {str(partition): 5 for partition in range(PARTITIONS)}}
    texts = {
        "metadata": '{"id":"a"}',
        f"offsets/{BATCH}": "\n".join(["v1", json.dumps(conf), json.dumps(offsets)]),
        f"commits/{BATCH}": 'v1\n{"nextBatchWatermarkMs":0}',
    } | {f"state/0/{partition}/{name}": "-" for partition in range(2) for name in state}
    # A small file takes HDFS half a second, also when it takes many at once.
    with ThreadPoolExecutor(len(texts)) as pool:
        list(pool.map(lambda name: write(stream, f"{folder}/{name}", texts[name]), texts))
    stream.hdfs.write_json(
        progress_path(f"{query}.json", stream.settings.hdfs_root),
        {"batch_id": BATCH, "committed_offsets": offsets["asked"]},
    )


def write(stream: Apart, path: str, text: str) -> None:
    from hdfs_native import WriteOptions

    with stream.hdfs._client.create(path, WriteOptions(overwrite=True, create_parent=True)) as writer:
        writer.write(text.encode())


def test_the_first_start_records_the_topic_and_the_next_ones_find_it(asked: Apart):
    identity = verify(asked.settings, asked.hdfs)
    assert identity == read_identity(asked.hdfs, asked.settings.hdfs_root)
    assert (identity.topic, identity.topic_id) == ("asked", topic_id(asked.settings))
    assert set(identity.starting_offsets) == {str(partition) for partition in range(PARTITIONS)}


def test_a_checkpoint_of_a_release_that_recorded_no_topic_is_taken_over(asked: Apart):
    asked.hdfs.delete(progress_path("identity.json", asked.settings.hdfs_root))
    assert verify(asked.settings, asked.hdfs).topic_id == topic_id(asked.settings)


@pytest.mark.parametrize("told", [{}, {"batch_id": 11, "committed_offsets": {"0": 3}, "quarantined": 4}])
def test_a_commit_that_a_driver_died_before_telling_is_told_by_the_next(asked: Apart, told: dict[str, object]):
    place = progress_path("archive.json", asked.settings.hdfs_root)
    asked.hdfs.write_json(place, told)
    tell_committed(asked.hdfs, asked.settings, "archive", settled_batch=BATCH)
    committed = {"committed_offsets": {str(partition): 5 for partition in range(PARTITIONS)}, "batch_id": BATCH}
    assert asked.hdfs.read_json(place) == told | committed | {"query": "archive", "settled_batch": BATCH}


def test_a_query_that_has_committed_nothing_is_not_told_of(asked: Apart):
    place = progress_path("archive.json", asked.settings.hdfs_root)
    asked.hdfs.delete(place)
    asked.hdfs.delete(f"{checkpoint_path('archive', asked.settings.hdfs_root)}/commits/{BATCH}")
    tell_committed(asked.hdfs, asked.settings, "archive")
    assert asked.hdfs.read_json(place) is None


def test_a_topic_that_was_created_again_is_refused(asked: Apart):
    asked.recreate_topic()
    with pytest.raises(TopicRecreatedError, match="deleted and created again"):
        verify(asked.settings, asked.hdfs)


def test_another_topics_name_is_refused(asked: Apart):
    other = replace(asked.settings, observations_topic="other")
    ensure_topic(other)
    with pytest.raises(TopicRecreatedError, match="reads topic asked, but the setting names other"):
        verify(other, asked.hdfs)


def test_records_that_the_topic_forgot_unread_are_refused_and_counted(asked: Apart):
    asked.recreate_topic()
    asked.hdfs.delete(asked.settings.hdfs_root)
    verify(asked.settings, asked.hdfs)
    asked.send(*[("key", event()) for _ in range(7)])
    asked.expire(keep=2)
    with pytest.raises(OffsetsExpiredError, match="has not read 5 records"):
        verify(asked.settings, asked.hdfs)


def test_another_form_of_the_state_is_refused(asked: Apart):
    identity = read_identity(asked.hdfs, asked.settings.hdfs_root)
    assert identity is not None
    write_identity(asked.hdfs, asked.settings.hdfs_root, replace(identity, state=["station_id string"]))
    with pytest.raises(CheckpointDamagedError, match="keeps the state"):
        verify(asked.settings, asked.hdfs)


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        ("", "is gone, but the stream has committed batch 12"),
        ("metadata", "metadata is missing"),
        ("commits", "ends at offset 0 of partition 0, but the stream has committed 5"),
        ("offsets", "offsets/12 is missing"),
        ("state/0/1", "has no changelog"),
        ("state/0/1/12.changelog", "has no changelog 12"),
    ],
)
def test_a_checkpoint_without_one_of_its_parts_is_refused(asked: Apart, gone: str, named: str):
    asked.hdfs.delete(f"{checkpoint_path('observations', asked.settings.hdfs_root)}/{gone}".rstrip("/"))
    with pytest.raises(CheckpointDamagedError, match=named):
        verify(asked.settings, asked.hdfs)


def test_changes_before_the_newest_snapshot_may_be_gone(asked: Apart):
    asked.hdfs.delete(f"{checkpoint_path('observations', asked.settings.hdfs_root)}/state/0/1/9.changelog")
    verify(asked.settings, asked.hdfs)


@pytest.mark.parametrize("part", ["metadata", f"offsets/{BATCH}", f"commits/{BATCH}"])
def test_a_part_that_cannot_be_read_is_refused(asked: Apart, part: str):
    write(asked, f"{checkpoint_path('archive', asked.settings.hdfs_root)}/{part}", "v1\n{half")
    with pytest.raises(CheckpointDamagedError, match=r"cannot be read"):
        verify(asked.settings, asked.hdfs)


def test_raw_without_any_checkpoint_is_refused(asked: Apart):
    for folder in ("checkpoints", "progress"):
        asked.hdfs.delete(f"{asked.settings.hdfs_root}/{folder}")
    asked.hdfs.mkdirs(f"{asked.settings.hdfs_root}/raw/observations/ingest_hour=2024-05-01T12")
    with pytest.raises(CheckpointDamagedError, match="holds records"):
        verify(asked.settings, asked.hdfs)


def test_only_what_no_restart_mends_is_called_a_refusal(asked: Apart):
    def named(failure: str, before: str | None = None) -> str | None:
        found = refusal(RuntimeError(failure), asked.settings, asked.hdfs, before)
        return type(found).__name__ if found else None

    unclear = "[STREAM_FAILED] terminated: [CANNOT_LOAD_STATE_STORE.UNCATEGORIZED] An error occurred"
    assert named("Connection refused") is None
    assert named(unclear) is None
    assert named(unclear, before=unclear) == "CheckpointDamagedError"
    assert named("[STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE] …") == "CheckpointDamagedError"
    # Spark's own word for a lost offset is looked into: here nothing is lost.
    assert named("[KAFKA_DATA_LOSS.START_OFFSET_RESET] …") is None
