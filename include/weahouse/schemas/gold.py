"""The tables of the gold zone: what readers of history, models and reports read."""

from __future__ import annotations

from weahouse.schemas.kinds import Dataset

GOLD_STATIONS = Dataset(
    "gold.stations",
    "The station registry: where each station stands.",
    columns=(
        "station_id",
        "region",
        "station_name",
        "country",
        "state",
        "call_sign",
        "latitude_deg",
        "longitude_deg",
        "elevation_m",
        "registry",
        "registered_at",
    ),
    primary_key=("station_id",),
    required=("station_id", "region", "registry"),
)
GOLD_BACKFILL_RUNS = Dataset(
    "gold.backfill_runs",
    "The ledger of backfills: what was asked for, why, how far it came, and what it changed.",
    columns=(
        "run_id",
        "kind",
        "parameters",
        "reason",
        "backfill_state",
        "done_offsets",
        "replayed",
        "inserted",
        "updated",
        "unchanged",
        "quarantined",
        "started_at",
        "ended_at",
    ),
    primary_key=("run_id",),
    required=("run_id", "kind", "parameters", "reason", "backfill_state", "started_at"),
)
GOLD_DATASETS = (GOLD_STATIONS, GOLD_BACKFILL_RUNS)
