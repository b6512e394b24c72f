"""Where a batch's rows are placed, so that everything after that finds together what belongs together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# One a core of the smallest machine; more would only be more tasks to start.
_PLACES = 2
# What a task costs before its first row, most of it text of generated code, is what some thousands of rows cost.
ROWS_OF_ONE_PLACE = 20_000


@dataclass(frozen=True)
class Placement:
    """By station and day, or, where rows are few, all in one place: then nothing is ever moved again."""

    places: int = _PLACES

    @classmethod
    def for_rows(cls, count: int) -> Placement:
        return cls(1 if count <= ROWS_OF_ONE_PLACE else _PLACES)

    def spread(self, rows: DataFrame) -> DataFrame:
        """A batch's rows."""
        return rows.repartition(1) if self.places == 1 else rows.repartition(self.places, "station_id", "observed_date")

    def gather(self, rows: DataFrame, day: str = "observed_date") -> DataFrame:
        """Rows of a table beside which the batch's are to stand."""
        return rows.coalesce(1) if self.places == 1 else rows.repartition(self.places, "station_id", day)
