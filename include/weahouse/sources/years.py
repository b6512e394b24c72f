"""Moving observations by whole years, so that season, hour and daylight still fit."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from weahouse.sources.records import Record, redated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DAY_S = 86_400


@lru_cache(maxsize=4096)
def _midnight_moved(day: int, years: int) -> int | None:
    midnight = datetime.fromtimestamp(day * _DAY_S, UTC)
    try:
        return int(midnight.replace(year=midnight.year + years).timestamp())
    except ValueError:
        return None


def moved(at: int, years: int) -> int | None:
    """The same moment `years` later; None for a 29 February that has no counterpart."""
    day, second = divmod(at, _DAY_S)
    midnight = _midnight_moved(day, years)
    return None if midnight is None else midnight + second


def shift_beyond(newest: int, now: int) -> int:
    """The fewest whole years by which a file that ends at `newest` must be moved to still hold data after `now`."""
    years = max(0, datetime.fromtimestamp(now, UTC).year - datetime.fromtimestamp(newest, UTC).year)
    # A file that ends on a leap day may have to end a day earlier to have a counterpart.
    end = moved(newest, years) or moved(newest - _DAY_S, years)
    return years if end is not None and end > now else years + 1


def shifted(records: Iterable[Record], years: int) -> Iterator[Record]:
    """The records, `years` later; those of a leap day without counterpart are left out."""
    for record in records:
        at = moved(record.at, years)
        if at is not None:
            yield redated(record, at)
