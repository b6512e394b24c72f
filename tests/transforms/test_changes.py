from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from tests.rows import NOON, event, judged

from weahouse.qc.rules import load_rules
from weahouse.transforms.changes import (
    AGAIN,
    CORRECTION,
    NEW,
    REJUDGED,
    REPEAT,
    SUPERSEDED,
    classify,
    rebuild,
    resolve,
)
from weahouse.transforms.newest import newest_of_each_key

LATER = NOON + timedelta(hours=1)
# When `judged` has the broker append, unless it is told.
THEN = NOON + timedelta(minutes=1)


HELD_REVISION = 2


def held(spark: SparkSession, *values: bytes, **when: datetime) -> DataFrame:
    """Rows of the table, each replaced twice already."""
    return judged(spark, *values, **when).withColumn("revision", F.lit(HELD_REVISION))


def test_a_key_that_the_table_does_not_hold_is_new(spark: SparkSession):
    row = resolve(newest_of_each_key(judged(spark, event())), held(spark, event(station_id="b"))).first()
    assert (row["change"], row["revision"], row["was_present"]) == (NEW, 0, 0)


@pytest.mark.parametrize(
    ("temperature_c", "arrives", "expected"),
    [(1.0, THEN, AGAIN), (1.0, LATER, REPEAT), (2.0, LATER, CORRECTION)],
)
def test_a_record_is_told_from_the_one_that_the_table_holds(spark, temperature_c, arrives, expected):
    arriving, known = event(air_temperature_c=temperature_c), event(air_temperature_c=1.0)
    # Another offset than the held record's, unless it is to be that very record.
    batch = newest_of_each_key(
        judged(spark, *([arriving] if expected == AGAIN else [b"", arriving]), appended_at=arrives)
    )
    row = resolve(batch, held(spark, known)).first()
    assert row["change"] == expected
    assert row["revision"] == {AGAIN: HELD_REVISION, CORRECTION: HELD_REVISION + 1, REPEAT: HELD_REVISION}[expected]


def test_the_very_record_that_is_held_is_served_as_it_was_judged(spark: SparkSession):
    known = held(spark, event()).withColumn("rules_version", F.lit("other rules"))
    row = resolve(newest_of_each_key(judged(spark, event())), known).first()
    assert (row["change"], row["rules_version"]) == (AGAIN, "other rules")


def test_the_same_offset_of_a_topic_that_was_created_again_is_another_record(spark: SparkSession):
    batch = newest_of_each_key(judged(spark, event(air_temperature_c=2.0), appended_at=LATER))
    row = resolve(batch, held(spark, event(air_temperature_c=1.0))).first()
    assert row["change"] == CORRECTION


def test_a_reading_that_returned_within_a_batch_leaves_the_record_between_superseded(spark: SparkSession):
    first, between = event(air_temperature_c=1.0), event(air_temperature_c=2.0)
    batch = newest_of_each_key(judged(spark, b"", between, first, appended_at=LATER))
    row = resolve(batch, held(spark, first)).first()
    # Offset 2 is the last record: the one between, at offset 1, is older than what the table then holds.
    assert (row["change"], row["kafka_offset"], row["revision"]) == (CORRECTION, 2, HELD_REVISION + 2)


@pytest.mark.parametrize("known", [[], [event(air_temperature_c=1.0)]], ids=["new", "held"])
def test_what_more_records_say_has_a_higher_revision_than_what_fewer_of_them_said(spark: SparkSession, known):
    # A driver that died may have served the fewer: in Cassandra the higher revision wins.
    between, back = event(air_temperature_c=0.5), event(air_temperature_c=1.0)
    table = held(spark, *known) if known else held(spark, event(station_id="b"))
    fewer, more = (
        resolve(newest_of_each_key(judged(spark, b"", *told, appended_at=LATER)), table).where("change IS NOT NULL")
        for told in ([between], [between, back])
    )
    assert more.first()["air_temperature_c"] != fewer.first()["air_temperature_c"]
    assert more.first()["revision"] > fewer.first()["revision"]


def test_an_older_record_is_superseded(spark: SparkSession):
    batch = newest_of_each_key(judged(spark, b"", event(air_temperature_c=2.0)))
    known = held(spark, event(air_temperature_c=1.0), appended_at=LATER)
    assert resolve(batch, known).first()["change"] == SUPERSEDED


def test_a_correction_knows_which_variables_were_there(spark: SparkSession):
    batch = newest_of_each_key(judged(spark, b"", event(), appended_at=LATER))
    row = resolve(batch, held(spark, event(air_temperature_c=1.0))).first()
    assert row["was_present"] & 1 == 1


def test_a_rebuild_keeps_a_record_that_a_repeat_says_again_and_changes_nothing(spark: SparkSession):
    batch = newest_of_each_key(judged(spark, b"", event(air_temperature_c=1.0), appended_at=LATER))
    row = rebuild(batch, held(spark, event(air_temperature_c=1.0))).first()
    assert (row["change"], row["kafka_offset"], row["revision"]) == (AGAIN, 0, HELD_REVISION)


@pytest.mark.parametrize("arrives", [THEN, LATER], ids=["the same record", "a repeat of it"])
def test_a_rebuild_judges_a_row_again_and_leaves_its_record(spark: SparkSession, arrives):
    batch = newest_of_each_key(judged(spark, event(air_temperature_c=1.0), appended_at=arrives))
    known = held(spark, event(air_temperature_c=1.0)).withColumn("rules_version", F.lit("other rules"))
    row = rebuild(batch, known).first()
    assert (row["change"], row["revision"], row["rules_version"]) == (
        REJUDGED,
        HELD_REVISION + 1,
        load_rules().version,
    )
    assert row["ingested_at"] == known.first()["ingested_at"]
    # Whatever the other rules took for missing is withdrawn where it stands.
    assert row["was_present"] & 1 == 1


def test_records_that_contradict_each_other_are_judged_again_once(spark: SparkSession):
    told = judged(spark, event(air_temperature_c=1.0), event(air_temperature_c=2.0))
    known = told.where("kafka_offset = 1").withColumns({"revision": F.lit(1), "rules_version": F.lit("other rules")})
    row = rebuild(newest_of_each_key(told), known).first()
    assert (row["change"], row["revision"], row["air_temperature_c"]) == (REJUDGED, 2, 2.0)


def test_a_rebuild_takes_what_the_table_lacks_and_leaves_what_is_newer(spark: SparkSession):
    batch = newest_of_each_key(
        judged(spark, *[event(station_id=name, air_temperature_c=2.0) for name in "abc"], appended_at=LATER)
    )
    older = held(spark, event(station_id="a", air_temperature_c=1.0))
    newer = held(spark, event(station_id="b", air_temperature_c=1.0), appended_at=LATER + timedelta(hours=1))
    rows = rebuild(batch, older.unionByName(newer)).select("station_id", "change", "air_temperature_c")
    expected = [("a", CORRECTION, 2.0), ("b", SUPERSEDED, 1.0), ("c", NEW, 2.0)]
    assert sorted(map(tuple, rows.collect())) == expected


def test_classification_alone_says_of_a_batch_what_the_whole_resolution_says(spark: SparkSession):
    batch = newest_of_each_key(
        judged(spark, *[event(station_id=name, air_temperature_c=2.0) for name in "abc"], appended_at=LATER)
    )
    known = held(spark, event(station_id="a", air_temperature_c=1.0), event(station_id="z"), event(station_id="b"))
    told = ("station_id", "change", "revision", "was_present", "air_temperature_c")
    whole = resolve(batch, known).select(*told).collect()
    assert [row for row in whole if row["change"] is None] == [("z", None, HELD_REVISION, None, None)]
    assert sorted(classify(batch, known).select(*told).collect()) == sorted(row for row in whole if row["change"])
