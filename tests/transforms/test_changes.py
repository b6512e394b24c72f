from __future__ import annotations

from datetime import timedelta

import pytest
from pyspark.sql import SparkSession
from tests.rows import NOON, event, judged

from weahouse.transforms.changes import AGAIN, CORRECTION, NEW, REPEAT, SUPERSEDED, classify
from weahouse.transforms.newest import newest_of_each_key

LATER = NOON + timedelta(hours=1)


def change(spark: SparkSession, arriving: bytes, held: bytes, *, arrives=NOON, held_since=NOON):
    batch = newest_of_each_key(judged(spark, arriving, appended_at=arrives))
    return classify(batch, judged(spark, held, appended_at=held_since)).first()


def test_a_key_that_the_table_does_not_hold_is_new(spark: SparkSession):
    assert change(spark, event(), event(station_id="b"))["change"] == NEW


@pytest.mark.parametrize(
    ("temperature_c", "arrives", "expected"),
    [(1.0, NOON, AGAIN), (1.0, LATER, REPEAT), (2.0, LATER, CORRECTION)],
)
def test_a_record_is_told_from_the_one_that_the_table_holds(spark, temperature_c, arrives, expected):
    arriving, held = event(air_temperature_c=temperature_c), event(air_temperature_c=1.0)
    # Another offset than the held record's, unless it is to be that very record.
    batch = newest_of_each_key(
        judged(spark, *([arriving] if expected == AGAIN else [b"", arriving]), appended_at=arrives)
    )
    assert classify(batch, judged(spark, held)).first()["change"] == expected


def test_an_older_record_is_superseded(spark: SparkSession):
    batch = newest_of_each_key(judged(spark, b"", event(air_temperature_c=2.0)))
    held = judged(spark, event(air_temperature_c=1.0), appended_at=LATER)
    assert classify(batch, held).first()["change"] == SUPERSEDED


def test_a_correction_knows_which_variables_were_there(spark: SparkSession):
    batch = newest_of_each_key(judged(spark, b"", event(), appended_at=LATER))
    row = classify(batch, judged(spark, event(air_temperature_c=1.0))).first()
    assert row["was_present"] & 1 == 1
