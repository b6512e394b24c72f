"""Records and gaps of topics of one name, one after the other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession
from tests.rows import NOON, event, records

from weahouse.schemas.datasets import OFFSETS_EXPIRED, TOPIC_RECREATED
from weahouse.transforms.dispositions import DOUBLED, dispose, spans
from weahouse.transforms.incarnations import ends_of, incarnation, incarnation_of, is_of_earlier, lost_within
from weahouse.transforms.parse import parse

TOPIC = "weather.observations.v1"
LATER = NOON + timedelta(hours=1)


def gap(cause: str, topic_id: str, start: int, end: int | None, noticed_at: datetime, **more: Any) -> dict[str, Any]:
    told = {
        "topic": TOPIC,
        "cause": cause,
        "topic_id": topic_id,
        "partition": 0,
        "from_offset": start,
        "to_offset": end,
    }
    return {**told, "noticed_at": noticed_at, "last_ingested_at": None, **more}


RECREATED = gap(TOPIC_RECREATED, "first", 2, None, LATER, last_ingested_at=NOON + timedelta(minutes=30))


def test_records_after_a_topics_end_belong_to_the_next(spark: SparkSession):
    raw = records(spark, event(), event()).union(records(spark, event(), appended_at=LATER))
    rows = raw.select("timestamp", incarnation(ends_of([RECREATED])).alias("n")).orderBy("timestamp").collect()
    assert [row["n"] for row in rows] == [0, 0, 1]


def test_what_an_earlier_topic_held_is_known_by_its_incarnation_or_its_name(spark: SparkSession):
    ends = ends_of([RECREATED])
    raw = records(spark, event()).union(records(spark, event(), appended_at=LATER))
    rows = raw.withColumn("incarnation", incarnation(ends)).orderBy("timestamp")
    assert [row["n"] for row in rows.select(is_of_earlier(ends, TOPIC).alias("n")).collect()] == [True, False]
    assert [row["n"] for row in rows.select(is_of_earlier(ends, "other").alias("n")).collect()] == [True, True]


def test_where_raw_held_nothing_of_the_old_topic_all_is_the_next_ones(spark: SparkSession):
    ends = ends_of([{**RECREATED, "last_ingested_at": None}])
    assert records(spark, event()).select(incarnation(ends).alias("n")).first()["n"] == 1


def test_a_gap_belongs_to_the_topic_that_lost_it():
    before = gap(OFFSETS_EXPIRED, "first", 5, 9, NOON)
    after = gap(OFFSETS_EXPIRED, "second", 0, 3, LATER)
    gaps = [before, RECREATED, after]
    assert [incarnation_of(each, gaps) for each in gaps] == [0, 0, 1]


def test_only_gaps_between_the_first_and_the_last_record_explain_missing_offsets():
    gaps = [gap(OFFSETS_EXPIRED, "first", 5, 9, NOON), gap(OFFSETS_EXPIRED, "first", 7, 12, LATER)]
    span = {"topic": TOPIC, "incarnation": 0, "partition": 0, "first": 0, "last": 20}
    assert lost_within(span, gaps) == 7
    assert lost_within({**span, "first": 8, "last": 9}, gaps) == 2
    assert lost_within({**span, "partition": 1}, gaps) == 0
    assert lost_within({**span, "topic": "other"}, gaps) == 0
    assert lost_within({**span, "incarnation": 1}, gaps) == 0
    assert lost_within(span, [RECREATED]) == 0


def test_offsets_that_two_topics_share_are_not_doubled(spark: SparkSession):
    raw = records(spark, b"{").union(records(spark, b"{", appended_at=LATER))
    parsed = parse(raw)
    curated = spark.createDataFrame([], CURATED)
    told = dispose(parsed, curated, raw).collect()
    assert [row["disposition"] for row in told] == ["quarantined", "quarantined"]
    twice = dispose(parse(raw.union(raw)), curated, raw).collect()
    assert [row["disposition"] for row in twice] == [DOUBLED, DOUBLED]
    marked = raw.withColumn("incarnation", incarnation(ends_of([RECREATED])))
    assert [(row["first"], row["last"], row["held"]) for row in spans(marked).collect()] == [(0, 0, 1), (0, 0, 1)]


CURATED = (
    "station_id string, observed_at timestamp, payload_hash bigint, ingested_at timestamp, kafka_partition int, "
    "kafka_offset bigint"
)
