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
Ends = dict[tuple[str, int], list[datetime]]
# Where Raw held nothing of a partition, all that comes belongs to the next topic.
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def ends_of(gaps: Sequence[Gap]) -> Ends:
    """By topic and partition, the append time of the last record in Raw of each topic that was replaced."""
    ends: defaultdict[tuple[str, int], list[datetime]] = defaultdict(list)
    for gap in gaps:
        if gap["cause"] == TOPIC_RECREATED:
            ends[gap["topic"], gap["partition"]].append(gap["last_ingested_at"] or _BEFORE_ALL)
    return dict(ends)


def incarnation(ends: Ends) -> Column:
    """How many topics of that name ended before a record (columns topic, partition, timestamp) was appended."""
    ended = [
        F.when(_is_of(topic, partition) & (F.col("timestamp") > F.lit(end)), 1).otherwise(0)
        for (topic, partition), times in ends.items()
        for end in times
    ]
    return reduce(lambda total, each: total + each, ended, F.lit(0))


def is_of_earlier(ends: Ends, topic: str) -> Column:
    """Whether a record's `incarnation` is not the newest of `topic`."""
    earlier = [
        _is_of(name, partition) & (F.col("incarnation") < len(times))
        for (name, partition), times in ends.items()
        if name == topic
    ]
    return reduce(lambda either, other: either | other, earlier, F.col("topic") != topic)


def _is_of(topic: str, partition: int) -> Column:
    return (F.col("topic") == topic) & (F.col("partition") == partition)


def incarnation_of(gap: Gap, gaps: Sequence[Gap]) -> int:
    """Which incarnation lost the gap's offsets."""
    earlier = [
        other
        for other in gaps
        if other["cause"] == TOPIC_RECREATED
        and (other["topic"], other["partition"]) == (gap["topic"], gap["partition"])
        and other["topic_id"] != gap["topic_id"]
        and other["noticed_at"] <= gap["noticed_at"]
    ]
    return len(earlier)


def lost_within(span: Mapping[str, Any], gaps: Sequence[Gap]) -> int:
    """How many offsets between `first` and `last` of an incarnation's partition stand in the gaps."""
    lost = [
        range(max(gap["from_offset"], span["first"]), min(gap["to_offset"], span["last"] + 1))
        for gap in gaps
        if gap["to_offset"] is not None
        and (gap["topic"], gap["partition"]) == (span["topic"], span["partition"])
        and incarnation_of(gap, gaps) == span["incarnation"]
    ]
    return len({offset for each in lost for offset in each})


def is_before(ends: Mapping[int, int]) -> Column:
    """Whether a record (columns partition, offset) lies before an offset, by partition; not where there is none."""
    limits = F.create_map(*[F.lit(number) for pair in ends.items() for number in pair])
    return F.col("offset") < F.coalesce(limits[F.col("partition")], F.lit(0))
