"""The tables of the gold zone: what readers of history, models and reports read."""

from __future__ import annotations

from weahouse.schemas.fields import FEATURES
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
    ),
    primary_key=("station_id",),
    required=("station_id", "region", "registry"),
)
GOLD_STATION_FEATURES = Dataset(
    "gold.station_features",
    "What models know of a station at a full hour at which it has reported in the hour before.",
    columns=("station_id", "issued_at", "issued_date", *FEATURES),
    primary_key=("station_id", "issued_at"),
    partition_by=("issued_date",),
    required=("station_id", "issued_at", "issued_date"),
    skip_by=("station_id", "issued_at"),
)
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
        "parameters",
        "metrics",
        "trained_from",
        "trained_to",
        "artefact_path",
        "created_at",
        "state_reason",
    ),
    primary_key=(*MODEL_KEY, *TARGET),
    required=(*MODEL_KEY, *TARGET, "model_state", "parameters", "metrics", "artefact_path", "created_at"),
)
GOLD_DATASETS = (GOLD_STATIONS, GOLD_STATION_FEATURES, GOLD_FORECASTS, GOLD_FORECAST_VERIFICATION, GOLD_MODELS)
