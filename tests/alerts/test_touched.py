from __future__ import annotations

from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING

from tests.alerts.rows import rules
from tests.rows import NOON, event, judged

from weahouse.alerts.touched import touched_blocks
from weahouse.alerts.watch import columns, touched_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RULES = rules(cold={"variables": ["air_temperature_c"], "statistic": "mean", "over_min": 180})


def test_a_batch_is_told_by_station_and_block_with_the_extremes_of_trusted_values(spark: SparkSession):
    def reading(minute: int, celsius: float, **more: object) -> bytes:
        return event(observed_at=(NOON + timedelta(minutes=minute)).isoformat(), air_temperature_c=celsius, **more)

    rows = judged(
        spark,
        reading(0, 5.0),
        reading(10, -6.0),
        # Suspect: outside the range that quality control trusts.
        reading(20, 56.0),
        reading(181, 7.0),
        reading(-200, 8.0),
        event(station_id="b", wind_speed_mps=3.0),
        appended_at=NOON + timedelta(hours=4),
    )
    table = touched_blocks(rows, RULES).toArrow().sort_by([("station_id", "ascending"), ("block", "ascending")])
    assert tuple(table.column_names) == columns(RULES)
    found = [touched_of(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    assert [(t.station_id, (t.block - NOON) / timedelta(hours=1)) for t in found] == [
        ("a", -6),
        ("a", 0),
        ("a", 3),
        ("b", 0),
    ]
    late, noon, _, other = found
    assert list(noon.extremes) == [-6.0, 5.0, 5.0]
    assert (noon.first_at, noon.last_at) == (NOON, NOON + timedelta(minutes=20))
    assert noon.seen_at == noon.ingested_at == NOON + timedelta(hours=4, milliseconds=2)
    assert late.seen_at is None
    assert list(other.extremes) == [inf, -inf, 0.0]
