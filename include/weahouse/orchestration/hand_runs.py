"""The Dags as a person runs them once, by hand; imports next to nothing, for the command's help names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from weahouse.orchestration.ingest_hours import hour_of

if TYPE_CHECKING:
    from collections.abc import Callable

_LAST_DAY = timedelta(days=1)


class Start(StrEnum):
    """What starts a Dag when nobody does."""

    CLOCK = "clock"
    ASSET = "asset"
    NOTHING = "nothing"


@dataclass(frozen=True)
class HandRun:
    """A Dag, and the parameters of a run by hand at a time."""

    dag_id: str
    conf: Callable[[datetime], dict[str, object]]
    start: Start = Start.CLOCK


# One target of each kind, and the quickest of its pipelines, without asking anybody: a forecast for every station.
_FIRST_MODELS: dict[str, object] = {
    "require_approval": False,
    "kinds": ["linear"],
    "targets": ["air_temperature_c_6h", "rain_within_3h_3h"],
}


def _last_day(now: datetime) -> dict[str, object]:
    return {"from": (now - _LAST_DAY).isoformat(), "to": now.isoformat()}


def _observed_on_last_day(now: datetime) -> dict[str, object]:
    return {"start": (now - _LAST_DAY).isoformat(), "end": now.isoformat(), "dry_run": True}


# A Dag stands behind those whose tables it reads, and nothing is changed but what the schedule would change too.
ORDER = (
    # The hour that is open: its records are the ones that whoever runs this has just sent.
    HandRun("observation_curation", lambda now: {"ingest_hour": hour_of(now)}),
    HandRun("gold_aggregation", lambda now: {"ingest_hours": [hour_of(now)]}, Start.ASSET),
    HandRun("model_training", lambda _: _FIRST_MODELS),
    HandRun("batch_inference", lambda _: {}, Start.ASSET),
    HandRun("forecast_verification", lambda _: {}),
    # To rewrite the lake is the scheduled run's, or somebody's wish.
    HandRun("lake_compaction", lambda _: {"dry_run": True}),
    HandRun("data_quality", lambda _: {}),
    # The day before, which a scheduled run proves, may have passed before there was anything.
    HandRun("reconciliation", _last_day),
    # By offsets, of which none is named, it is the whole topic: an hour may be empty, and a plan costs the same.
    HandRun("kafka_replay", lambda _: {"start_offsets": "{}", "end_offsets": "{}", "dry_run": True}, Start.NOTHING),
    HandRun("raw_recompute", _observed_on_last_day, Start.NOTHING),
)
DAG_IDS = tuple(run.dag_id for run in ORDER)
