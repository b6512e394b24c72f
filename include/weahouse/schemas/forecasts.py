"""Words of forecasts and of the models that make them."""

from __future__ import annotations

from weahouse.schemas.kinds import Field

FORECAST: dict[str, Field] = {
    "issued_at": Field("timestamp", "Reference time of a forecast, a full hour; nothing at or after it is used, UTC"),
    "issued_date": Field("date", "UTC day of issued_at"),
    "valid_at": Field("timestamp", "End of the hour or hours that are forecast, UTC"),
    "valid_date": Field("date", "UTC day of valid_at"),
    "lead_time_h": Field("int", "valid_at - issued_at", "h", 1),
    "predictand": Field(
        "string",
        "What is forecast: air_temperature_c, its mean in the hour before valid_at, or rain_within_3h, the probability "
        "of at least 0.1 mm in the three hours before valid_at",
    ),
    "predicted_value": Field("double", "The forecast, in degC or as a probability"),
    "lower_bound": Field(
        "double", "Lower bound of the interval that holds 80 % of the outcomes; none of a probability"
    ),
    "upper_bound": Field(
        "double", "Upper bound of the interval that holds 80 % of the outcomes; none of a probability"
    ),
    "observed_value": Field("double", "What was observed: degC, or 1 where it rained and 0 where not"),
    "forecast_error": Field("double", "predicted_value - observed_value"),
    "squared_error": Field("double", "forecast_error squared; of probabilities the mean of it is the Brier score"),
    "is_within_bounds": Field("boolean", "Whether the outcome lies within the interval"),
}

MODEL_STATES = ("candidate", "champion", "retired")
MODEL: dict[str, Field] = {
    "model_name": Field("string", "persistence, climatology, or learned, what was trained"),
    "model_version": Field("string", "Name of the training that made it; later ones sort after it"),
    "model_state": Field("string", "candidate, champion (it issues the forecasts) or retired", values=MODEL_STATES),
    "data_version": Field("string", "Versions of the tables that it was trained with"),
    "feature_schema_hash": Field("string", "Hash of the names and types of the features"),
    "model_parameters": Field("string", "What it needs beside its files, as JSON: kind, features, bounds"),
    "metrics": Field("string", "How it did in the final range, as JSON: scores, skills, by station, reliability"),
    "trained_from": Field("timestamp", "First reference time of its training, UTC"),
    "trained_to": Field("timestamp", "Before which everything lies that it was trained with, UTC"),
    "artefact_path": Field("string", "Folder of its files and its card"),
    "created_at": Field("timestamp", "When the training began, UTC"),
    "state_reason": Field("string", "Why it is in its state, with the numbers that decided"),
}
