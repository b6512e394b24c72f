"""Which Dags an instance was switched on for: each once, so that what a person has paused stays paused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weahouse.orchestration.rest import unpause

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from weahouse.settings import Settings


def switch_on(settings: Settings, dag_ids: Iterable[str]) -> list[str]:
    """Un-pause the Dags that this instance has never switched on, and return them. Raises AirflowError."""
    told = _told(settings)
    known = told.read_text().split() if told.exists() else []
    fresh = [dag_id for dag_id in dag_ids if dag_id not in known]
    for dag_id in fresh:
        unpause(settings, dag_id)
    # Written last: what was interrupted is done again.
    told.write_text("\n".join([*known, *fresh]))
    return fresh


def _told(settings: Settings) -> Path:
    return settings.home / "airflow" / "switched-on"
