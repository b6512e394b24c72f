"""The ledger of curation: a unit is what Raw holds of one hour of append time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from weahouse.io.small_tables import merge_rows, read_rows
from weahouse.schemas.datasets import CURATED_INGEST_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from weahouse.settings import Settings

Unit = dict[str, Any]


class UnitError(ValueError):
    """An hour that is not in the ledger; one sentence that says what to do."""


# What tells when it was curated and not what.
_OF_THE_RUN = ("curated_version", "curated_at")


def read_units(settings: Settings) -> dict[str, Unit]:
    """Every unit by its hour, e.g. 2024-05-01T13. Raises LakeError."""
    return {row["ingest_hour"]: row for row in read_rows(settings, CURATED_INGEST_UNITS)}


def touched_by(settings: Settings, ingest_hours: Iterable[str]) -> tuple[list[datetime], int]:
    """The hours of observation that some units touched, and the version of Curated that holds all of them.

    Raises UnitError for an hour that was not curated.
    """
    units = read_units(settings)
    wanted = sorted(set(ingest_hours))
    if absent := [hour for hour in wanted if hour not in units]:
        raise UnitError(f"hour {absent[0]} was not curated: trigger observation_curation with ingest_hour {absent[0]}")
    touched = {hour for wanted_hour in wanted for hour in units[wanted_hour]["touched_hours"]}
    return sorted(touched), max(units[hour]["curated_version"] for hour in wanted)


def record_unit(settings: Settings, unit: Unit) -> Unit:
    """Write a unit down, and return what the ledger holds then.

    Curating it again with the same outcome changes nothing, also not the version that its consumers read.
    """
    held = read_units(settings).get(unit["ingest_hour"])
    if held is not None and _outcome(held) == _outcome(unit):
        return held
    merge_rows(settings, CURATED_INGEST_UNITS, [unit])
    return unit


def _outcome(unit: Unit) -> Unit:
    return {name: value for name, value in unit.items() if name not in _OF_THE_RUN}
