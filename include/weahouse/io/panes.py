"""Panes as Cassandra holds them, a row a window, and as readers ask for them, a row a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.schemas.fields import VARIABLES, pane_of
from weahouse.schemas.serving_tables import PANE, SUMMARIES_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COLUMNS = ("station_id", "variable", "window_start", *PANE.columns)


def select(variables: Sequence[str] = VARIABLES) -> str:
    """The query of the panes of a station and day, to which more conditions may be added."""
    panes = ", ".join(map(pane_of, variables))
    return f"SELECT station_id, window_start, {panes} FROM {SUMMARIES_BY_STATION.name} WHERE station_id = ? AND day = ?"


def by_variable(row: Mapping[str, Any], variables: Sequence[str] = VARIABLES) -> Iterator[dict[str, Any]]:
    """The panes of one row, with COLUMNS, in the alphabet's order; a variable without values has none."""
    for variable in sorted(variables):
        pane = row[pane_of(variable)]
        if pane is not None:
            yield {
                "station_id": row["station_id"],
                "variable": variable,
                "window_start": row["window_start"],
                **pane._asdict(),
            }
