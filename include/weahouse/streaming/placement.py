"""Where a batch's rows are placed and how they are computed, which both depend on how many they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# One a core of the smallest machine; more would only be more tasks to start.
_PLACES = 2
# What a task costs before its first row, most of it text of generated code, is what some thousands of rows cost.
_ROWS_OF_ONE_PLACE = 20_000
# The text of Java is written for every plan and task, though Spark has compiled it before: 0.75 CPU seconds a batch.
# Interpreting takes 0.2 ms more a row.
INTERPRETED_ROWS = 3_000
_GENERATE = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}
_INTERPRET = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@dataclass(frozen=True)
class Placement:
    """By station and day, or, where rows are few, all in one place: then nothing is ever moved again."""

    places: int = _PLACES
    interprets: bool = False

    @classmethod
    def for_rows(cls, count: int) -> Placement:
        return cls(1 if count <= _ROWS_OF_ONE_PLACE else _PLACES, count <= INTERPRETED_ROWS)

    def suit(self, session: SparkSession) -> None:
        """Let a query's own session interpret the plans of few rows, and generate Java for those of many."""
        for name, value in (_INTERPRET if self.interprets else _GENERATE).items():
            session.conf.set(name, value)

    def spread(self, rows: DataFrame) -> DataFrame:
        """A batch's rows."""
        return rows.repartition(1) if self.places == 1 else rows.repartition(self.places, "station_id", "observed_date")

    def gather(self, rows: DataFrame, day: str = "observed_date") -> DataFrame:
        """Rows of a table beside which the batch's are to stand."""
        return rows.coalesce(1) if self.places == 1 else rows.repartition(self.places, "station_id", day)
