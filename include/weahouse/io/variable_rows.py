"""Rows of Cassandra as readers ask for them: with the verdicts of levels 2 and 3, and one row a variable.

Cassandra keeps a column a variable. Verdicts stand in columns of their own and name the version of what they judge: who
reads takes them where the row still has it. Otherwise level 1 stands, until curation has judged the row anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.schemas.datasets import JUDGED_COLUMNS
from weahouse.schemas.fields import FLAGS, MISSING_FLAG, VARIABLES, latest_of, pane_of
from weahouse.schemas.serving_tables import LATEST_BY_REGION, OBSERVATIONS_BY_STATION, PANE, SUMMARIES_BY_STATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Row = Mapping[str, Any]

PANE_COLUMNS = ("station_id", "variable", "window_start", *PANE.columns)
# Of one station and day; more conditions may be added.
_OF_DAY = "WHERE station_id = ? AND day = ?"
# Every region's, unless a condition is added.
SELECT_LATEST = (
    f"SELECT region, station_id, {', '.join(map(latest_of, VARIABLES))}, {LATEST_BY_REGION.judged_by} "
    f"FROM {LATEST_BY_REGION.name}"
)
# No write of an observation leaves it out, so its time is the row's version.
_ROW_VERSION = "WRITETIME(ingested_at) AS row_version"
_SAID = (*JUDGED_COLUMNS, *FLAGS)


def select_observations(columns: Sequence[str]) -> str:
    """The query of columns of the observations of a station and day, for `judged`; conditions may be added."""
    told = ", ".join((*columns, "verdict", _ROW_VERSION))
    return f"SELECT {told} FROM {OBSERVATIONS_BY_STATION.name} {_OF_DAY}"


def judged(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of `select_observations` with the flags and masks that their verdicts give them."""
    for row in rows:
        # Nearly every row has none, and a day of them is told in milliseconds: it is looked at once.
        verdict, version = row.pop("verdict"), row.pop("row_version")
        if verdict is not None and verdict.judged_version == version:
            said = verdict._asdict()
            row |= {name: said[name] for name in _SAID if name in row and said[name] is not None}
        # A row that has no version is none: its verdict has outlived it.
        if version is not None:
            yield row


def verdict_of(row: Row) -> dict[str, Any] | None:
    """What levels 2 and 3 say of a row of `select_observations`; None where they leave it as it is."""
    verdict = row["verdict"]
    is_of_it = verdict is not None and verdict.judged_version == row["row_version"]
    return verdict._asdict() if is_of_it else None


def select_panes(variables: Sequence[str] = VARIABLES) -> str:
    """The query of the panes of a station and day, to which more conditions may be added."""
    told = ", ".join((*map(pane_of, variables), "pane_version", "judged_panes"))
    return f"SELECT station_id, window_start, {told} FROM {SUMMARIES_BY_STATION.name} {_OF_DAY}"


def panes_in(row: Row, variables: Sequence[str] = VARIABLES) -> Iterator[dict[str, Any]]:
    """The panes of one row of `summaries_by_station`, with PANE_COLUMNS; none of a variable without values."""
    found = _by_variable({**row, **judged_panes_of(row)}, ("station_id", "window_start"), pane_of, variables)
    return (pane for pane in found if pane["value_count"])


def level_1_panes_in(row: Row, variables: Sequence[str] = VARIABLES) -> Iterator[dict[str, Any]]:
    """The same as the stream has made them, without verdicts."""
    return _by_variable(row, ("station_id", "window_start"), pane_of, variables)


def judged_panes_of(row: Row) -> dict[str, Any]:
    """Of a row of `summaries_by_station` the panes that verdicts have altered, by column."""
    judged_panes = row["judged_panes"]
    if judged_panes is None or judged_panes.judged_version != row["pane_version"]:
        return {}
    return {name: pane for name, pane in judged_panes._asdict().items() if pane is not None and name in row}


def latest_in(row: Row) -> Iterator[dict[str, Any]]:
    """The values of one row of `latest_by_region`, with region and station_id; none where it was withdrawn."""
    found = _by_variable({**row, **judged_values_of(row)}, ("region", "station_id"), latest_of, VARIABLES)
    return (value for value in found if value["flag"] != MISSING_FLAG)


def judged_values_of(row: Row) -> dict[str, Any]:
    """Of a row of `latest_by_region` the values of which verdicts have made the flag worse, by column."""
    told = row["judged_values"]
    values = told._asdict() if told is not None else {}
    return {name: value for name, value in values.items() if value is not None and _is_same(value, row[name])}


def _is_same(value: Any, served: Any) -> bool:
    """Whether both are of one record; a recompute, which keeps the record, is followed by new verdicts at once."""
    return served is not None and value._replace(flag=None) == served._replace(flag=None)


def _by_variable(
    row: Row, key: Sequence[str], column_of: Callable[[str], str], variables: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for variable in sorted(variables):
        told = row[column_of(variable)]
        if told is not None:
            yield {**{name: row[name] for name in key}, "variable": variable, **told._asdict()}
