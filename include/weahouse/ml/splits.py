"""Rolling origin: trained with what lies before a time, tested with what comes after, never the other way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from weahouse.ml.errors import NoDataError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FOLDS = 2
# The final range is a whole year where there are enough, so that every season has its part in the figures.
_LONGEST_FINAL = timedelta(days=365)
_SHARE_OF_FINAL = 5
# The first fold then trains with 13 days: the normals of the days that follow need ten.
LEAST_DAYS = 28
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Split:
    """Trained with what was known by `origin`, tested with what is issued in [origin, until)."""

    origin: datetime
    until: datetime

    def training(self, examples: DataFrame) -> DataFrame:
        """Examples whose outcome was known at the origin; reads `valid_at`."""
        return examples.where(F.col("valid_at") <= F.lit(self.origin))

    def test(self, examples: DataFrame) -> DataFrame:
        """Examples that are issued at the origin or after it; reads `issued_at`."""
        return examples.where((F.col("issued_at") >= F.lit(self.origin)) & (F.col("issued_at") < F.lit(self.until)))


@dataclass(frozen=True)
class Plan:
    """`folds` choose and calibrate; `final`, later than all of them, is touched once, for the figures."""

    folds: tuple[Split, ...]
    final: Split


def plan(first: datetime, last: datetime) -> Plan:
    """Splits of the reference times from `first` to `last`, at UTC midnights; raises NoDataError below `LEAST_DAYS`."""
    begin, end = _midnight(first), _midnight(last) + _DAY
    days = (end - begin) // _DAY
    if days < LEAST_DAYS:
        raise NoDataError(f"the features span {days} days, and {LEAST_DAYS} are needed to train: ingest a longer time")
    final = Split(end - min(_LONGEST_FINAL, days // _SHARE_OF_FINAL * _DAY), end)
    # The first fold trains with as much as all folds test with, at least.
    length = min(final.until - final.origin, (final.origin - begin) // (2 * FOLDS) // _DAY * _DAY)
    origins = [final.origin - length * fold for fold in range(FOLDS, 0, -1)]
    return Plan(tuple(Split(origin, origin + length) for origin in origins), final)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
