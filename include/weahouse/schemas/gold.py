"""The tables of the gold zone: what readers of history, models and reports read."""

from __future__ import annotations

from weahouse.schemas.fields import DAILY_STATISTICS, FEATURES, HOURLY_STATISTICS
from weahouse.schemas.forecasts import MODEL_STATES
from weahouse.schemas.kinds import Dataset
from weahouse.schemas.ledgers import PROOF

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
        "approved_by",
        "backfill_state",
        "done_offsets",
        "chunks",
        "planned",
        "replayed",
        "inserted",
        "updated",
        "unchanged",
        "quarantined",
        "appended_from",
        "appended_to",
        "started_at",
        "expected_at",
        "ended_at",
    ),
    primary_key=("run_id",),
    required=("run_id", "kind", "parameters", "reason", "backfill_state", "started_at"),
)
_RESULTANT_WIND = ("resultant_wind_count", "resultant_wind_speed_mps", "resultant_wind_from_direction_deg")
GOLD_HOURLY_SUMMARIES = Dataset(
    "gold.hourly_summaries",
    "What each station observed in an hour: statistics over the values that are not flagged bad or missing.",
    columns=(
        "station_id",
        "window_start",
        "observed_date",
        "region",
        "report_count",
        *HOURLY_STATISTICS,
        *_RESULTANT_WIND,
    ),
    primary_key=("station_id", "window_start"),
    partition_by=("observed_date",),
    required=("station_id", "window_start", "observed_date", "region", "report_count"),
    skip_by=("station_id", "window_start"),
    # A day in the making is merged into once an hour.
    sort_by=("station_id", "window_start"),
)
GOLD_DAILY_SUMMARIES = Dataset(
    "gold.daily_summaries",
    "What each station observed in a UTC day: the same statistics, with the times of the extremes.",
    columns=(
        "station_id",
        "observed_date",
        "observed_month",
        "region",
        "report_count",
        "completeness",
        *DAILY_STATISTICS,
        *_RESULTANT_WIND,
    ),
    primary_key=("station_id", "observed_date"),
    # A day has one row a station: a folder for each would hold a file of some kilobytes.
    partition_by=("observed_month",),
    required=("station_id", "observed_date", "observed_month", "region", "report_count", "completeness"),
    skip_by=("station_id", "observed_date"),
)
GOLD_SUMMARY_SOURCES = Dataset(
    "gold.summary_sources",
    "Which versions of Curated each hour and day of Gold was made from.",
    columns=("summary_table", "window_start", "curated_version", "verdicts_version", "summarised_at"),
    primary_key=("summary_table", "window_start"),
    required=("summary_table", "window_start", "curated_version", "verdicts_version", "summarised_at"),
)
GOLD_RECONCILIATION = Dataset(
    "gold.reconciliation",
    "The proofs: what was compared of each range of append times, and what differed.",
    columns=tuple(PROOF),
    primary_key=("appended_from", "appended_to"),
    required=("appended_from", "appended_to", "compared_offsets", "reconciled_at"),
)
GOLD_STATION_FEATURES = Dataset(
    "gold.station_features",
    "What models know of a station at a full hour at which it has reported in the hour before.",
    columns=("station_id", "issued_at", "issued_date", *FEATURES),
    primary_key=("station_id", "issued_at"),
    partition_by=("issued_date",),
    required=("station_id", "issued_at", "issued_date"),
    skip_by=("station_id", "issued_at"),
    sort_by=("station_id", "issued_at"),
)
# What a trained model may be: docs/decisions/0027-what-a-model-is-made-of.md.
MODEL_KINDS = ("linear", "boosted_trees")
# What models forecast, named by predictand and lead time; weahouse.ml.targets says of each what it is.
MODEL_TARGETS = (*(f"air_temperature_c_{lead_time_h}h" for lead_time_h in (1, 3, 6, 24)), "rain_within_3h_3h")
CANDIDATE, CHAMPION, RETIRED = MODEL_STATES
# Names and versions become folders and parts of predicates; no name begins with a dot, which leads elsewhere.
MODEL_NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._\-]{0,63}$"
# What a person reads of a model, in its folder.
CARD = "card.html"
MODEL_KEY = ("model_name", "model_version")
TARGET = ("predictand", "lead_time_h")
FORECAST_KEY = ("station_id", "issued_at", *TARGET, *MODEL_KEY)
GOLD_FORECASTS = Dataset(
    "gold.forecasts",
    "Forecasts of the champions and of the baselines that they are compared with.",
    columns=(*FORECAST_KEY, "valid_at", "predicted_value", "lower_bound", "upper_bound", "issued_date"),
    primary_key=FORECAST_KEY,
    partition_by=("issued_date",),
    required=(*FORECAST_KEY, "valid_at", "predicted_value", "issued_date"),
    skip_by=("station_id", "issued_at", "valid_at", *MODEL_KEY),
)
GOLD_FORECAST_VERIFICATION = Dataset(
    "gold.forecast_verification",
    "Forecasts beside what was then observed.",
    columns=(
        *FORECAST_KEY,
        "valid_at",
        "predicted_value",
        "lower_bound",
        "upper_bound",
        "observed_value",
        "forecast_error",
        "squared_error",
        "is_within_bounds",
        "valid_date",
    ),
    primary_key=FORECAST_KEY,
    partition_by=("valid_date",),
    required=(*FORECAST_KEY, "valid_at", "predicted_value", "observed_value", "valid_date"),
    skip_by=("station_id", "issued_at", "valid_at", *MODEL_KEY),
)
GOLD_MODELS = Dataset(
    "gold.models",
    "The registry of models: one row for each model and what it forecasts.",
    columns=(
        *MODEL_KEY,
        *TARGET,
        "model_state",
        "data_version",
        "feature_schema_hash",
        "model_parameters",
        "metrics",
        "trained_from",
        "trained_to",
        "artefact_path",
        "created_at",
        "state_reason",
    ),
    primary_key=(*MODEL_KEY, *TARGET),
    required=(*MODEL_KEY, *TARGET, "model_state", "model_parameters", "metrics", "artefact_path", "created_at"),
)
GOLD_DATASETS = (
    GOLD_STATIONS,
    GOLD_HOURLY_SUMMARIES,
    GOLD_DAILY_SUMMARIES,
    GOLD_SUMMARY_SOURCES,
    GOLD_BACKFILL_RUNS,
    GOLD_RECONCILIATION,
    GOLD_STATION_FEATURES,
    GOLD_FORECASTS,
    GOLD_FORECAST_VERIFICATION,
    GOLD_MODELS,
)
