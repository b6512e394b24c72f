"""Cassandra keeps a column a variable, which readers ask for as a row a variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.schemas.fields import MISSING_FLAG, VARIABLES, latest_of, pane_of
from weahouse.schemas.serving_tables import LATEST_BY_REGION, PANE, SUMMARIES_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Row = Mapping[str, Any]

PANE_COLUMNS = ("station_id", "variable", "window_start", *PANE.columns)
# Every region's, unless a condition is added.
SELECT_LATEST = f"SELECT region, station_id, {', '.join(map(latest_of, VARIABLES))} FROM {LATEST_BY_REGION.name}"


def select_panes(variables: Sequence[str] = VARIABLES) -> str:
    """The query of the panes of a station and day, to which more conditions may be added."""
    panes = ", ".join(map(pane_of, variables))
    return f"SELECT station_id, window_start, {panes} FROM {SUMMARIES_BY_STATION.name} WHERE station_id = ? AND day = ?"


def panes_in(row: Row, variables: Sequence[str] = VARIABLES) -> Iterator[dict[str, Any]]:
    """The panes of one row of `summaries_by_station`, with PANE_COLUMNS; none of a variable without values."""
    return _by_variable(row, ("station_id", "window_start"), pane_of, variables)


def latest_in(row: Row) -> Iterator[dict[str, Any]]:
    """The values of one row of `latest_by_region`, with region and station_id; none where it was withdrawn."""
    found = _by_variable(row, ("region", "station_id"), latest_of, VARIABLES)
    return (value for value in found if value["flag"] != MISSING_FLAG)


def _by_variable(
    row: Row, key: Sequence[str], column_of: Callable[[str], str], variables: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for variable in sorted(variables):
        told = row[column_of(variable)]
        if told is not None:
            yield {**{name: row[name] for name in key}, "variable": variable, **told._asdict()}
