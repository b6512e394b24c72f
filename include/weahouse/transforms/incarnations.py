"""Topics of one name, one after the other: their offsets begin again, so records are told apart by append time.

Where a topic ended stands in `curated.gaps`: per partition the append time of the newest record that Raw held of it.
Incarnations count from 0; a gap belongs to one of them as a record does.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from weahouse.schemas.datasets import TOPIC_RECREATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import Column

Gap = dict[str, Any]
# Where Raw held nothing of a partition, all that comes belongs to the next topic.
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def ends_of(gaps: Sequence[Gap]) -> dict[int, list[datetime]]:
    """By partition, the append time of the last record in Raw of each topic that was replaced."""
    ends: defaultdict[int, list[datetime]] = defaultdict(list)
    for gap in gaps:
        if gap["cause"] == TOPIC_RECREATED:
            ends[gap["partition"]].append(gap["last_ingested_at"] or _BEFORE_ALL)
    return dict(ends)


def incarnation(ends: Mapping[int, Sequence[datetime]]) -> Column:
    """How many topics ended before a record (columns partition, timestamp) was appended."""
    ended = [
        F.when((F.col("partition") == partition) & (F.col("timestamp") > F.lit(end)), 1).otherwise(0)
        for partition, times in ends.items()
        for end in times
    ]
    return reduce(lambda total, each: total + each, ended, F.lit(0))


def incarnation_of(gap: Gap, gaps: Sequence[Gap]) -> int:
    """Which incarnation lost the gap's offsets."""
    earlier = [
        other
        for other in gaps
        if other["cause"] == TOPIC_RECREATED
        and other["partition"] == gap["partition"]
        and other["topic_id"] != gap["topic_id"]
        and other["noticed_at"] <= gap["noticed_at"]
    ]
    return len(earlier)


def lost_within(span: Mapping[str, int], gaps: Sequence[Gap]) -> int:
    """How many offsets between `first` and `last` of an incarnation's partition stand in the gaps."""
    lost = [
        range(max(gap["from_offset"], span["first"]), min(gap["to_offset"], span["last"] + 1))
        for gap in gaps
        if gap["to_offset"] is not None
        and gap["partition"] == span["partition"]
        and incarnation_of(gap, gaps) == span["incarnation"]
    ]
    return len({offset for each in lost for offset in each})
