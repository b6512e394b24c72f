"""What is judged together: touched blocks as intervals of stations, in an order and in portions that bound the work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from weahouse.alerts.watch import Touched

_LONGEST = timedelta(days=7)
# Blocks that lie closer are read as one: they would read most of it twice.
_CLOSE = timedelta(days=1)
# A day of one-minute reports is 1,440 rows: so many station-days at once take some 60 MB.
_DAYS_AT_ONCE = 64


@dataclass(frozen=True)
class Interval:
    """A station's time to be judged, by the rules of some names."""

    station_id: str
    region: str
    first: datetime
    last: datetime
    names: frozenset[str]

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 2


def intervals_of(touched: Iterable[Touched]) -> Iterator[Interval]:
    """Touched blocks as intervals of one station, by station and time; blocks that lie close are judged together."""
    current: Interval | None = None
    for block in sorted(touched, key=lambda block: (block.station_id, block.first_at)):
        if (
            current is not None
            and current.station_id == block.station_id
            and block.first_at - current.last <= _CLOSE
            and block.last_at - current.first <= _LONGEST
        ):
            current = replace(
                current,
                last=max(current.last, block.last_at),
                region=block.region,
                names=current.names | block.names,
            )
        else:
            if current is not None:
                yield current
            current = Interval(block.station_id, block.region, block.first_at, block.last_at, block.names)
    if current is not None:
        yield current


def rounds(intervals: Iterable[Interval]) -> list[list[Interval]]:
    """The intervals so that no station is twice in a round: the later one goes on from the alerts of the earlier."""
    rounds: list[list[Interval]] = []
    before, place = "", 0
    for interval in intervals:
        place = place + 1 if interval.station_id == before else 0
        before = interval.station_id
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(interval)
    return rounds


def groups(intervals: Sequence[Interval]) -> Iterator[list[Interval]]:
    """What is read at once."""
    group: list[Interval] = []
    for interval in intervals:
        if group and sum(member.days for member in group) + interval.days > _DAYS_AT_ONCE:
            yield group
            group = []
        group.append(interval)
    if group:
        yield group
