"""What alerts are judged on: the good values of a station, one reading for each observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weahouse.schemas.fields import flag_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

# Good and not evaluated. A value that quality control doubts must not wake anybody.
TRUSTED_FLAGS = frozenset((1, 2))


@dataclass(frozen=True)
class Reading:
    """The trusted values of one observation, by variable."""

    observed_at: datetime
    values: Mapping[str, float]


def trusted(rows: Iterable[Mapping[str, Any]], variables: Sequence[str]) -> Iterator[Reading]:
    """Readings of observation rows, which have `observed_at` and each variable with its flag; in their order."""
    flags = [(variable, flag_of(variable)) for variable in variables]
    for row in rows:
        yield Reading(
            row["observed_at"],
            {variable: row[variable] for variable, flag in flags if row[flag] in TRUSTED_FLAGS},
        )
