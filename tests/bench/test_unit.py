from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

from bench.unit import HOUR, STATIONS, as_kafka_gives, sent_records

from weahouse.sources.network import network

MINUTES = 10
SENT = list(sent_records(network(5, STATIONS), MINUTES * STATIONS))


def test_the_unit_is_the_same_each_time():
    assert list(sent_records(network(5, STATIONS), MINUTES * STATIONS)) == SENT


def test_it_has_repeats_and_broken_json_and_values_that_are_missing():
    values = Counter(record.value for record in SENT)
    assert values.most_common(1)[0][1] == 2
    assert sum(1 for value in values if not _is_json(value)) > 0
    assert sum(1 for value in values if _is_json(value) and len(json.loads(value)) < 12) > 0


def test_its_records_have_offsets_without_gaps_and_are_appended_within_the_hour():
    offsets: Counter[int] = Counter()
    parts = [as_kafka_gives(SENT[at : at + 1000], at, len(SENT), offsets) for at in range(0, len(SENT), 1000)]
    rows = [row for part in parts for row in part.to_pylist()]
    of_partition: dict[int, list[int]] = {}
    for row in rows:
        of_partition.setdefault(row["partition"], []).append(row["offset"])
    assert all(told == list(range(len(told))) for told in of_partition.values())
    hour = datetime.strptime(HOUR, "%Y-%m-%dT%H").replace(tzinfo=UTC)
    assert {row["timestamp"].replace(minute=0, second=0, microsecond=0) for row in rows} == {hour}


def _is_json(value: bytes) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True
